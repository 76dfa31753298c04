/* symbol.c: names for addresses: asks the cache, then the annex. */
#include "symbol.h"

#include <dlfcn.h>
#include <string.h>

#include "annex.h"
#include "arena.h"
#include "clock.h"
#include "fmt.h"
#include "futex.h"
#include "guard.h"
#include "loader.h"
#include "modules.h"
#include "symbol_cache.h"
#include "symbol_file.h"
#include "symbol_lsan.h"
#include "sys.h"

#define ANNEX "libcloseguard-dw.so"

/* A report in a moment without free descriptors must not be the last with names. */
enum { ATTEMPTS = 3 };

/* So many times the CPU time may pass on the wall, while others have the CPUs or a disk is waited for. */
enum { PATIENCE = 4 };

static struct {
	cg_annex_lookup_fn *_Atomic lookup; /* NULL: not loaded */
	cg_annex_reset_fn *reset;
	unsigned attempts; /* ATTEMPTS: never again */
	uint64_t memory;   /* bytes that it may take; 0: as many as it thinks right in somebody else's process */
	_Atomic bool loading;
	_Atomic unsigned done;
	char trouble[512];
} annex;

/* What cg_symbol_begin allowed this thread. */
static __thread struct {
	/* When it ends, by this thread's time and the clock's, in ticks: of thread-local bytes we have few. */
	uint32_t cpu, wall;
	bool allowed, failed;
} turn;
enum { TICK_SHIFT = 16 }; /* 65 microseconds; a turn is shorter than the 39 hours after which they come round */

static uint32_t ticks(uint64_t ns)
{
	return (uint32_t)(ns >> TICK_SHIFT);
}

static uint64_t until(uint32_t end, clockid_t clock)
{
	int32_t left = (int32_t)(end - ticks(cg_clock_ns(clock)));
	return left > 0 ? (uint64_t)left << TICK_SHIFT : 0;
}

/* The annex and the cache are one caller's at a time; a lock could not be taken in a signal handler. */
static _Atomic bool busy;

bool (*cg_symbol_in_thread)(void (*work)(void));

static _Atomic bool hurry; /* no names any more */
static bool cut;           /* some were left out for want of time */
static _Atomic unsigned left_out; /* in all, for want of anything that passes */

void cg_symbol_begin_within(uint64_t cpu_ns, uint64_t wall_ns, bool may_load)
{
	turn.cpu = ticks(cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns);
	turn.wall = ticks(cg_clock_ns(CLOCK_MONOTONIC) + wall_ns);
	cut = false;
	turn.allowed = may_load;
	turn.failed = false;
}

void cg_symbol_begin(uint64_t budget_ns, bool may_load)
{
	cg_symbol_begin_within(budget_ns, PATIENCE * budget_ns, may_load);
}

void cg_symbol_hurry(void)
{
	atomic_store(&hurry, true);
}

bool cg_symbol_cut(void)
{
	return cut;
}

unsigned cg_symbol_left(void)
{
	return atomic_load(&left_out);
}

const char *cg_symbol_trouble(void)
{
	if (annex.trouble[0] && !annex.lookup)
		return annex.trouble;
	return cg_symbol_file_doubt();
}

void cg_symbol_set_memory(uint64_t bytes)
{
	annex.memory = bytes;
}

static void give_up(const char *why)
{
	struct cg_buf text;
	cg_buf_init(&text, annex.trouble, sizeof annex.trouble);
	cg_buf_fmt(&text, "functions and lines are not named: %s", why ? why : ANNEX " cannot be loaded");
	for (char *c = annex.trouble; *c; c++)
		*c = (unsigned char)*c < ' ' ? ' ' : *c;
	turn.failed = true;
}

/*
 * Why elfutils must not come into this process, or NULL. A function of the app's with one of its names would be called
 * in its place (RTLD_DEEPBIND would help, and mix two allocators). LeakSanitizer dies at exit of thread-local storage
 * that a library brought after the start.
 */
static const char *why_not(void)
{
	static const char *const names[] = {"dwarf_begin", "dwarf_begin_elf", "dwfl_begin",  "elf_begin",
	                                    "elf_memory",  "elf_version",     "gelf_getehdr"};
	Dl_info info;
	if (cg_symbol_lsan_searches())
		return "LeakSanitizer, without detect_leaks=0, does not bear elfutils";
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		void *there = dlsym(RTLD_DEFAULT, names[i]);
		if (there && dladdr(there, &info) && !strstr(info.dli_fname, "libdw") &&
		    !strstr(info.dli_fname, "libelf"))
			return "the program has functions with the names of elfutils'";
	}
	return NULL;
}

static void find_annex(void)
{
	char path[1024 + sizeof ANNEX + 1];
	const char *own_dir = cg_symbol_own_dir();
	struct cg_buf text;
	cg_buf_init(&text, path, sizeof path);
	cg_buf_fmt(&text, "%s/%s", own_dir, ANNEX);
	annex.attempts++;
	if (why_not()) {
		annex.attempts = ATTEMPTS;
		give_up(why_not());
		return;
	}
	void *library = own_dir[0] ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!library) {
		give_up(own_dir[0] ? dlerror() : "the directory of libcloseguard.so is not known");
		return;
	}
	cg_annex_version_fn *version = (cg_annex_version_fn *)dlsym(library, "cg_annex_version");
	cg_annex_lookup_fn *lookup = (cg_annex_lookup_fn *)dlsym(library, "cg_annex_lookup");
	cg_annex_memory_fn *memory = (cg_annex_memory_fn *)dlsym(library, "cg_annex_memory");
	annex.reset = (cg_annex_reset_fn *)dlsym(library, "cg_annex_reset");
	if (!version || !lookup || version() != CG_ANNEX_VERSION) {
		annex.attempts = ATTEMPTS;
		give_up(ANNEX " is of another version than libcloseguard.so");
		return;
	}
	if (memory && annex.memory)
		memory(annex.memory);
	annex.lookup = lookup;
}

static void load_here(void)
{
	cg_hidden++;
	cg_loader_begin();
	find_annex();
	cg_loader_end();
	atomic_store(&annex.loading, false);
	cg_futex_wake(&annex.done);
	cg_hidden--;
}

/*
 * In the child of a fork of several threads the loader's lock may be held by a thread that is not there. Only a thread
 * that does nothing else asks for it; the report goes on without names after a while.
 */
static void load_aside(void)
{
	static const uint64_t patience_ns = 300000000;
	uint64_t start = cg_clock_ns(CLOCK_MONOTONIC), waited = 0;
	atomic_store(&annex.loading, true);
	if (!cg_symbol_in_thread || !cg_symbol_in_thread(load_here)) {
		atomic_store(&annex.loading, false);
		annex.attempts = ATTEMPTS;
		give_up("no thread can be made for it in this child of a fork");
		return;
	}
	for (unsigned seen = atomic_load(&annex.done); atomic_load(&annex.loading) && waited < patience_ns;
	     seen = atomic_load(&annex.done)) {
		cg_futex_wait(&annex.done, seen, patience_ns);
		waited = cg_clock_ns(CLOCK_MONOTONIC) - start;
	}
	if (atomic_load(&annex.loading))
		give_up("a thread that this child of a fork lacks may hold the loader's lock");
}

static void load(void)
{
	if (atomic_load(&annex.loading))
		turn.failed = true;
	else if (cg_loader_is_orphan())
		load_aside();
	else
		load_here();
}

void cg_symbol_end(void)
{
	int saved_errno = errno;
	cg_hidden++;
	/* Whoever is at it now ends its own report. */
	if (turn.allowed && annex.lookup && annex.reset && !atomic_exchange(&busy, true)) {
		annex.reset();
		atomic_store(&busy, false);
	}
	cg_hidden--;
	errno = saved_errno;
}

static struct cg_annex_time time_left(void)
{
	struct cg_annex_time left = {until(turn.cpu, CLOCK_THREAD_CPUTIME_ID), until(turn.wall, CLOCK_MONOTONIC),
	                             &hurry};
	return left.cpu_ns && left.wall_ns && !atomic_load(&hurry) ? left : (struct cg_annex_time){0, 0, NULL};
}

/* The libraries' own calls are not the app's: they are not recorded, and errno is as before. */
static int ask(const struct cg_annex_module *module, uint64_t offset, struct cg_annex_frame *names)
{
	int saved_errno = errno, r = -ETIME;
	struct cg_annex_time left = time_left();
	cg_hidden++;
	if (!annex.lookup && left.cpu_ns && annex.attempts < ATTEMPTS && !turn.failed) {
		load();
		left = time_left();
	}
	if (annex.lookup && left.cpu_ns)
		r = annex.lookup(module, offset, &left, names, CG_FRAMES_PER_IP);
	cg_hidden--;
	errno = saved_errno;
	return r;
}

/* A lack of time, memory or descriptors passes; what a file holds does not change. */
static bool is_final(int answer, const struct cg_annex_frame *names)
{
	return answer == 0 || (answer > 0 && !names[0].cut) || answer == -ESTALE || answer == -ENOEXEC ||
	       answer == -EACCES;
}

/* Control characters in a symbol's name are a mistake or an attack on a terminal; the file may be anyone's. */
static void clean(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++)
		*text = (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
}

static int ask_of_file(const struct cg_module *module, const struct cg_frame *base, struct cg_annex_frame *names)
{
	char mapped[CG_SYMBOL_MAPPED];
	struct cg_annex_module file;
	bool told = cg_symbol_file_of(module, base->module_path, mapped, &file);
	return cg_symbol_file_judge(&file, told ? ask(&file, base->offset, names) : -ESTALE);
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
	return h;
}

static struct cg_symbol_key key_of(const struct cg_module *module, const struct cg_frame *base)
{
	uint64_t h = hash(0xcbf29ce484222325u, base->module_path, sizeof base->module_path);
	uint64_t file_id = atomic_load(&module->file_id);
	h = hash(h, &file_id, sizeof file_id);
	return (struct cg_symbol_key){hash(h, module->build_id, module->build_id_len), base->offset};
}

static void copy_names(struct cg_annex_frame *names, unsigned count, struct cg_frame *frames, unsigned max)
{
	for (unsigned i = count > max ? count - max : 0; i < count; i++, frames++) {
		memcpy(frames->function, names[i].function, sizeof frames->function);
		memcpy(frames->file, names[i].file, sizeof frames->file);
		frames->line = names[i].line;
		frames->inlined = names[i].inlined != 0;
	}
}
_Static_assert(sizeof((struct cg_frame *)0)->function == sizeof((struct cg_annex_frame *)0)->function &&
                   sizeof((struct cg_frame *)0)->file == sizeof((struct cg_annex_frame *)0)->file,
               "names are copied whole");

/* Sets what the annex knows in frames[0..max); returns how many, 0 for nothing. */
static unsigned look_up(const struct cg_module *module, const struct cg_frame *base, struct cg_frame *frames,
                        unsigned max)
{
	struct cg_annex_frame names[CG_FRAMES_PER_IP] = {0};
	struct cg_symbol_key key = key_of(module, base);
	int r = cg_symbol_cache_get(&key, frames, max);
	if (r >= 0)
		return (unsigned)r;
	if (!turn.allowed) {
		atomic_fetch_add(&left_out, 1);
		return 0;
	}
	r = ask_of_file(module, base, names);
	unsigned count = r <= 0 ? 0 : r < CG_FRAMES_PER_IP ? (unsigned)r : CG_FRAMES_PER_IP;
	for (unsigned i = 0; i < count; i++) {
		clean(names[i].function, sizeof names[i].function);
		clean(names[i].file, sizeof names[i].file);
	}
	cut = cut || r == -ETIME || (count && names[0].cut);
	if (is_final(r, names))
		cg_symbol_cache_put(&key, names, count);
	else if (annex.attempts < ATTEMPTS || annex.lookup)
		atomic_fetch_add(&left_out, 1);
	copy_names(names, count, frames, max);
	return count < max ? count : max;
}

/* A module is another process's word when a recorder is read: its path need not end, its build-id not fit. */
static void copy_module(const struct cg_module *module, struct cg_module *ret)
{
	memcpy(ret, module, sizeof *ret);
	ret->path[sizeof ret->path - 1] = '\0';
	if (ret->build_id_len > sizeof ret->build_id)
		ret->build_id_len = 0;
}

static void describe(const struct cg_module *module, uint64_t ip, struct cg_frame *frame)
{
	struct cg_buf text;
	size_t len = strlen(module->path);
	cg_buf_init(&text, frame->module_path, sizeof frame->module_path);
	cg_buf_bytes(&text, module->path, len);
	const char *slash = strrchr(frame->module_path, '/');
	cg_buf_init(&text, frame->module, sizeof frame->module);
	cg_buf_str(&text, len == 0 ? "?" : slash && slash[1] ? slash + 1 : frame->module_path);
	cg_buf_init(&text, frame->build_id, sizeof frame->build_id);
	for (size_t i = 0; i < module->build_id_len; i++)
		cg_buf_fmt(&text, "%02x", module->build_id[i]);
	frame->offset = ip - 1 - module->bias;
}

unsigned cg_symbol_name(const struct cg_module *module, uint64_t ip, struct cg_frame *frames, unsigned max)
{
	struct cg_frame base = {.module = "[jit]", .offset = ip - 1};
	struct cg_module copy;
	unsigned count = 0;
	if (max == 0)
		return 0;
	if (module) {
		copy_module(module, &copy);
		describe(&copy, ip, &base);
	}
	max = max < CG_FRAMES_PER_IP ? max : CG_FRAMES_PER_IP;
	for (unsigned i = 0; i < max; i++)
		frames[i] = base;
	if (module && base.module_path[0] && base.module_path[0] != '[') {
		if (atomic_exchange(&busy, true)) {
			atomic_fetch_add(&left_out, 1);
		} else {
			count = look_up(&copy, &base, frames, max);
			atomic_store(&busy, false);
		}
	}
	return count ? count : 1;
}

unsigned cg_symbol_resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max)
{
	(void)context;
	return cg_symbol_name(cg_modules_find(ip, generation), ip, frames, max);
}

void cg_symbol_after_fork(void)
{
	cg_symbol_file_after_fork();
	atomic_store(&hurry, false);
	turn.allowed = false;
	atomic_store(&annex.loading, false);
	if (!atomic_load(&busy))
		return;
	/* A thread that is not in this process was in the middle of something. */
	cg_symbol_cache_forget();
	annex.lookup = NULL;
	annex.attempts = ATTEMPTS;
	give_up("the process forked while they were looked up");
	atomic_store(&busy, false);
}
