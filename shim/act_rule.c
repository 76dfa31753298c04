/* act_rule.c: which rule is for a connection. */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "act_parts.h"
#include "arena.h"
#include "policy.h"
#include "sys.h"

enum {
	CHUNK_FDS = 2048, /* 16 KiB */
	CHUNKS = CG_MAX_FDS / CHUNK_FDS,
	SITES = 4096
};

/*
 * The rule once found, for each descriptor: the slot's generation (32 bits), the policy's serial (16), the role (8),
 * the rule + 2 (8). A number that was given out anew has another generation; a socket that connects has another role.
 */
static _Atomic uint64_t *_Atomic found[CHUNKS] CG_LARGE;

/* Opening stacks that were named, and which rules' globs they fit. */
static struct {
	_Atomic uint64_t key; /* the policy's serial, the stack; 0: free */
	_Atomic uint64_t bits;
} sites[SITES] CG_LARGE;

static _Atomic uint64_t *cache_of(int fd)
{
	_Atomic uint64_t *_Atomic *chunk = &found[(unsigned)fd / CHUNK_FDS], *there = atomic_load(chunk), *none = NULL;
	if (!there) {
		void *made = cg_sys_mmap(NULL, CHUNK_FDS * sizeof **found, PROT_READ | PROT_WRITE,
		                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (cg_sys_failed(made))
			return NULL;
		there = made;
		if (!atomic_compare_exchange_strong(chunk, &none, there)) {
			cg_sys_munmap(made, CHUNK_FDS * sizeof **found);
			there = none;
		}
	}
	return &there[(unsigned)fd % CHUNK_FDS];
}

static uint64_t site_key(uint32_t stack)
{
	return (uint64_t)cg_act_serial() << 32 | stack;
}

/* The place of a stack, or the free or outdated one where it would go; NULL: the table is full. */
static int find_site(uint32_t stack)
{
	uint64_t key = site_key(stack);
	for (unsigned i = 0; i < 32; i++) {
		unsigned at = (stack * 2654435761u + i) % SITES;
		uint64_t there = atomic_load(&sites[at].key);
		if (there == key || there >> 32 != key >> 32)
			return (int)at;
	}
	return -1;
}

bool cg_act_site_known(uint32_t stack)
{
	int at = find_site(stack);
	return at >= 0 && atomic_load(&sites[at].key) == site_key(stack);
}

void cg_act_site_set(uint32_t stack, uint64_t bits)
{
	int at = find_site(stack);
	if (at < 0)
		return;
	atomic_store(&sites[at].key, 0);
	atomic_store(&sites[at].bits, bits);
	atomic_store(&sites[at].key, site_key(stack));
}

static void take_site(const struct cg_policy *policy, uint32_t stack, struct cg_policy_facts *facts)
{
	int at = policy->needs_site ? find_site(stack) : -1;
	facts->has_sites = at >= 0 && atomic_load(&sites[at].key) == site_key(stack);
	facts->sites = facts->has_sites ? atomic_load(&sites[at].bits) : 0;
}

void cg_act_map_address(const struct cg_addr *from, uint8_t ret[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	memset(ret, 0, 16);
	if (from->family == AF_INET) {
		memcpy(ret, mapped, sizeof mapped);
		memcpy(ret + 12, from->bytes, 4);
	} else if (from->family == AF_INET6) {
		memcpy(ret, from->bytes, 16);
	}
}

static void take_addresses(const struct cg_tcp *tcp, struct cg_policy_facts *facts)
{
	facts->has_addresses = tcp->local.family && tcp->peer.family;
	cg_act_map_address(&tcp->local, facts->local);
	cg_act_map_address(&tcp->peer, facts->peer);
	facts->local_port = tcp->local.port;
	facts->peer_port = tcp->peer.port;
}

static struct cg_policy_facts known_facts(const struct cg_policy *policy, const struct cg_slot *slot)
{
	struct cg_policy_facts facts = {0};
	facts.role = slot->role == CG_ROLE_ACCEPTED    ? CG_POLICY_ACCEPTED
	             : slot->role == CG_ROLE_CONNECTED ? CG_POLICY_CONNECTED
	                                               : CG_POLICY_ANY_ROLE;
	take_site(policy, slot->open_stack, &facts);
	return facts;
}

int cg_act_rule_of(const struct cg_policy *policy, const struct cg_slot *slot, const struct cg_tcp *tcp)
{
	struct cg_policy_facts facts = known_facts(policy, slot);
	take_addresses(tcp, &facts);
	return cg_policy_match(policy, &facts);
}

int cg_act_rule(const struct cg_policy *policy, int fd, const struct cg_slot *slot)
{
	uint64_t about = (uint64_t)atomic_load(&slot->gen) << 32 | (uint64_t)(cg_act_serial() & 0xffff) << 16 |
	                 (uint64_t)slot->role << 8;
	_Atomic uint64_t *cache = cache_of(fd);
	uint64_t there = cache ? atomic_load(cache) : 0;
	if (there && (there & ~0xffull) == about)
		return (int)(there & 0xff) - 2;
	/* Addresses cost two system calls: they are asked for where nothing else decides. */
	struct cg_policy_facts facts = known_facts(policy, slot);
	struct cg_tcp tcp = {0};
	int rule = cg_policy_match(policy, &facts);
	if (rule == CG_POLICY_UNDECIDED && policy->needs_addresses && cg_tcp_addresses_early(fd, &tcp) == 0) {
		take_addresses(&tcp, &facts);
		rule = cg_policy_match(policy, &facts);
	}
	if (cache && rule != CG_POLICY_UNDECIDED)
		atomic_store(cache, about | (uint64_t)(rule + 2));
	return rule;
}
