/* recorder.c: makes the recorder and maps its chunks as they are needed. */
#include "recorder.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "arena.h"
#include "clock.h"
#include "fmt.h"
#include "ownfd.h"
#include "recorder_dir.h"
#include "sys.h"

enum { SLOT_CHUNK = (int)(CG_OFF_SLOTS >> CG_CHUNK_SHIFT) };

static char app_name[64];
static uint64_t warn_after;
static struct cg_header *_Atomic header;
static void *_Atomic chunks[SLOT_CHUNK] CG_LARGE; /* where each chunk of the file in front of the slots is mapped */
static _Atomic int file = -1;                     /* kept here: what the header says is for readers */

void cg_recorder_configure(const char *dir, const char *app, uint64_t warn_after_ns)
{
	struct cg_buf text;
	cg_recorder_dir_set(dir);
	cg_buf_init(&text, app_name, sizeof app_name);
	cg_buf_str(&text, app);
	warn_after = warn_after_ns;
}

static void *_Atomic *place_of(unsigned index)
{
	return index < SLOT_CHUNK ? &chunks[index] : &cg_self.slots[index - SLOT_CHUNK];
}

struct cg_header *cg_recorder_header(void)
{
	return atomic_load_explicit(&header, memory_order_acquire);
}

/*
 * A chunk of the file; NULL where it cannot be reserved there. A forked child, which may give up the rights that its
 * parent has, must not reach what the parent works with: the kernel leaves it out of every fork, also of those that no
 * handler tells of. Where it will not, the file is not used.
 */
static void *map_file(int fd, uint64_t offset)
{
	if (fd < 0 || cg_sys_fallocate(fd, 0, offset, CG_CHUNK_SIZE) < 0)
		return NULL;
	void *p = cg_sys_mmap(NULL, CG_CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (cg_sys_failed(p))
		return NULL;
	if (cg_sys_madvise(p, CG_CHUNK_SIZE, MADV_DONTFORK) == 0)
		return p;
	cg_sys_munmap(p, CG_CHUNK_SIZE);
	return NULL;
}

/* Maps one chunk: of the file, else anonymous, of which a child has a copy at most. */
static void *map_chunk(int fd, unsigned index)
{
	void *p = map_file(fd, (uint64_t)index << CG_CHUNK_SHIFT);
	if (!p) {
		struct cg_header *h = cg_recorder_header();
		p = cg_sys_mmap(NULL, CG_CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (cg_sys_failed(p))
			return NULL;
		if (h)
			atomic_fetch_add(&h->anonymous, 1);
		cg_sys_madvise(p, CG_CHUNK_SIZE, MADV_DONTFORK);
	}
	return p;
}

/* fallocate on a number that the app has taken over would grow a file of the app's. */
static void forget_lost_file(struct cg_header *h)
{
	int fd = atomic_load_explicit(&file, memory_order_relaxed);
	if (cg_ownfd_unshared || fd < 0 || cg_ownfd_valid(fd))
		return;
	cg_ownfd_lose(fd);
	atomic_store_explicit(&file, -1, memory_order_relaxed);
	atomic_store_explicit(&h->fd, -1, memory_order_relaxed);
}

/* The file in this thread's table: the one that is held, or for as long as it takes. -1: there is none. */
static int file_here(struct cg_header *h, bool *ret_close)
{
	forget_lost_file(h);
	int fd = atomic_load_explicit(&file, memory_order_relaxed);
	if (fd >= 0 && !cg_ownfd_unshared)
		return fd;
	fd = cg_recorder_reopen_file(fd);
	*ret_close = fd >= 0;
	return fd < 0 ? -1 : fd;
}

static void *grow_chunk(unsigned index)
{
	struct cg_header *h = cg_recorder_header();
	bool for_this = false;
	if (!h || atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		return NULL;
	int fd = file_here(h, &for_this);
	void *p = map_chunk(fd, index), *there = NULL;
	if (for_this)
		cg_sys_close(fd);
	if (p && !atomic_compare_exchange_strong(place_of(index), &there, p)) {
		cg_sys_munmap(p, CG_CHUNK_SIZE);
		p = there;
	}
	return p;
}

bool cg_recorder_give_up_descriptor(void)
{
	struct cg_header *h = cg_recorder_header();
	if (!h || cg_ownfd_unshared || atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		return false;
	int fd = atomic_exchange(&file, -1);
	atomic_store_explicit(&h->fd, -1, memory_order_relaxed);
	bool held = fd >= 0 && cg_ownfd_valid(fd);
	if (fd >= 0)
		cg_ownfd_close(fd);
	return held;
}

void *cg_recorder_at(uint64_t offset, bool grow)
{
	if (offset >= CG_RECORD_SIZE)
		return NULL;
	unsigned index = (unsigned)(offset >> CG_CHUNK_SHIFT);
	char *chunk = atomic_load_explicit(place_of(index), memory_order_acquire);
	if (!chunk && grow)
		chunk = grow_chunk(index);
	return chunk ? chunk + (offset & (CG_CHUNK_SIZE - 1)) : NULL;
}

bool cg_recorder_mend(const void *address)
{
	for (unsigned i = 0; i < CG_RECORD_CHUNKS; i++) {
		char *chunk = atomic_load_explicit(place_of(i), memory_order_relaxed);
		if (i == 0)
			chunk = (char *)cg_recorder_header();
		if (!chunk || (uintptr_t)address - (uintptr_t)chunk >= CG_CHUNK_SIZE)
			continue;
		int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
		return !cg_sys_failed(cg_sys_mmap(chunk, CG_CHUNK_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0));
	}
	return false;
}

unsigned cg_recorder_fd_end(void)
{
	struct cg_header *h = cg_recorder_header();
	unsigned highest = h ? atomic_load_explicit(&h->highest_fd, memory_order_relaxed) : 0;
	return !h ? 0 : highest < CG_MAX_FDS ? highest + 1 : CG_MAX_FDS;
}

static void fill_texts(struct cg_header *h)
{
	struct utsname names;
	struct cg_buf text;
	cg_buf_init(&text, h->app, sizeof h->app);
	cg_buf_str(&text, app_name);
	cg_buf_init(&text, h->host, sizeof h->host);
	cg_buf_str(&text, CG_SYS3(SYS_uname, &names, 0, 0) == 0 ? names.nodename : "?");
	ssize_t n = cg_sys_readlinkat(AT_FDCWD, "/proc/self/exe", h->exe, sizeof h->exe - 1);
	h->exe[n > 0 ? n : 0] = '\0';
}

static void fill_header(struct cg_header *h, int fd)
{
	h->version = CG_RECORD_VERSION;
	h->header_size = sizeof *h;
	h->chunk_size = CG_CHUNK_SIZE;
	h->slot_size = sizeof(struct cg_slot);
	atomic_store(&h->state, CG_STATE_LIVE);
	h->pid = cg_sys_getpid();
	h->uid = cg_sys_getuid();
	h->start_ns = cg_clock_now();
	h->start_realtime_ns = cg_clock_realtime();
	h->process_start = cg_recorder_process_start();
	h->warn_after_ns = warn_after;
	h->off_modules = CG_OFF_MODULES;
	h->off_sites = CG_OFF_SITES;
	h->off_stack_index = CG_OFF_STACK_INDEX;
	h->off_stack_arena = CG_OFF_STACK_ARENA;
	h->off_events = CG_OFF_EVENTS;
	h->off_departed = CG_OFF_DEPARTED;
	h->off_findings = CG_OFF_FINDINGS;
	h->off_labels = CG_OFF_LABELS;
	h->off_actions = CG_OFF_ACTIONS;
	h->off_slots = CG_OFF_SLOTS;
	atomic_store(&h->fd, fd);
	atomic_store(&h->next_conn, 1);
	atomic_store(&h->count.event_seq, 1);
	fill_texts(h);
	atomic_thread_fence(memory_order_release);
	memcpy(h->magic, CG_RECORD_MAGIC, sizeof CG_RECORD_MAGIC);
}

struct cg_header *cg_recorder_start(void)
{
	struct cg_header *h = cg_recorder_header(), *there = NULL;
	if (h || atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		return h;
	int fd = cg_recorder_create_file();
	h = map_file(fd, 0);
	if (!h && fd >= 0) {
		cg_recorder_remove_file(fd);
		cg_ownfd_close(fd);
		fd = -1;
	}
	if (!h && !(h = map_chunk(-1, 0)))
		return NULL;
	fill_header(h, fd);
	if (!atomic_compare_exchange_strong(&header, &there, h)) {
		cg_recorder_remove_file(fd); /* another thread was faster: its recorder is the one */
		cg_ownfd_close(fd);
		cg_sys_munmap(h, CG_CHUNK_SIZE);
		return there;
	}
	cg_recorder_keep_file(fd);
	atomic_store(&file, cg_ownfd_unshared ? -1 : fd);
	if (cg_ownfd_unshared) { /* where the program's threads have no such number */
		atomic_store(&h->fd, -1);
		cg_sys_close(fd);
	}
	atomic_store(&chunks[0], h);
	return h;
}

void cg_recorder_set_state(enum cg_process_state state)
{
	struct cg_header *h = cg_recorder_header();
	if (!h)
		return;
	atomic_store(&h->state, state);
	atomic_store(&h->state_ns, cg_clock_now());
}

void cg_recorder_finish(enum cg_process_state state)
{
	struct cg_header *h = cg_recorder_header();
	if (!h)
		return;
	cg_recorder_set_state(state);
	if (!atomic_load(&h->spoken))
		cg_recorder_remove_kept();
}

void cg_recorder_after_fork(void)
{
	atomic_store(&header, NULL);
	atomic_store(&file, -1);
	for (unsigned i = 0; i < CG_RECORD_CHUNKS; i++)
		if (atomic_load_explicit(place_of(i), memory_order_relaxed))
			atomic_store_explicit(place_of(i), NULL, memory_order_relaxed);
	cg_recorder_forget_file();
}

void cg_recorder_label_of(const struct cg_slot *slot, char ret[CG_LABEL_MAX])
{
	ret[0] = '\0';
	for (unsigned i = 0; (atomic_load(&slot->flags) & CG_SLOT_LABELLED) && i < CG_MAX_LABELS; i++) {
		const struct cg_label *label = cg_recorder_label(i, false);
		if (!label || atomic_load(&label->conn) != slot->conn)
			continue;
		memcpy(ret, label->text, CG_LABEL_MAX);
		ret[CG_LABEL_MAX - 1] = '\0';
		return;
	}
}
