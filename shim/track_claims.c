/* track_claims.c: a few words of shared memory; a claim is a number of the process's own, and when it was renewed. */
#include "track_claims.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "sys.h"

enum { PAGE = 4096, CLAIMS = 127 };

/* How long one that only inherited the listener leaves it to the one that made it. */
static const uint64_t grace_ns = 2000000000u;

struct claim {
	_Atomic uint64_t inode; /* 0: free */
	_Atomic uint32_t owner; /* 0: nobody */
	_Atomic uint32_t age;   /* when the owner renewed it, or the first one asked: deciseconds, modulo 2^32 */
	uint64_t pad[2];
};

struct page {
	_Atomic uint32_t last_owner;
	uint32_t pad[7];
	struct claim claims[CLAIMS];
};
_Static_assert(sizeof(struct page) <= PAGE, "one page is shared");

static struct page *_Atomic shared;
static uint32_t self; /* this process's number; 0: none yet */

void cg_claims_before_fork(void)
{
	struct page *none = NULL;
	if (atomic_load(&shared))
		return;
	struct page *made = cg_sys_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!cg_sys_failed(made) && !atomic_compare_exchange_strong(&shared, &none, made))
		cg_sys_munmap(made, PAGE);
}

void cg_claims_fork_child(void)
{
	self = 0;
}

static uint32_t deciseconds(uint64_t ns)
{
	return (uint32_t)(ns / 100000000u);
}

/* The listener's place; the first one that asks makes it. Those of listeners that are gone are used up. */
static struct claim *claim_of(struct page *page, uint64_t inode, uint64_t now_ns)
{
	for (unsigned i = 0; i < CLAIMS; i++) {
		struct claim *claim = &page->claims[i];
		uint64_t is = atomic_load(&claim->inode);
		if (!is && atomic_compare_exchange_strong(&claim->inode, &is, inode)) {
			atomic_store(&claim->age, deciseconds(now_ns));
			return claim;
		}
		if (is == inode)
			return claim;
	}
	return NULL;
}

enum cg_claim cg_claims_take(uint64_t inode, uint64_t now_ns, uint64_t stale_ns, bool opener, bool urgent)
{
	struct page *page = atomic_load(&shared);
	struct claim *claim = page && inode ? claim_of(page, inode, now_ns) : NULL;
	if (!claim)
		return CG_CLAIM_UNKNOWN;
	if (!self)
		self = atomic_fetch_add(&page->last_owner, 1) + 1;
	uint32_t now = deciseconds(now_ns), owner = atomic_load(&claim->owner), age = now - atomic_load(&claim->age);
	if (age > UINT32_MAX / 2) /* renewed while we looked */
		age = 0;
	bool stale = age > deciseconds(stale_ns);
	if (owner && owner != self && !stale && !(opener && urgent))
		return CG_CLAIM_OTHERS;
	if (!owner && !opener && !urgent && age < deciseconds(grace_ns))
		return CG_CLAIM_SOON;
	if (owner != self && !atomic_compare_exchange_strong(&claim->owner, &owner, self))
		return owner == self ? CG_CLAIM_MINE : CG_CLAIM_OTHERS;
	atomic_store(&claim->age, now);
	return CG_CLAIM_MINE;
}
