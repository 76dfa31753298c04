/* bypass.c: finds modules whose calls do not reach our wrappers. */
#include "bypass.h"

#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "guard.h"
#include "loader.h"
#include "real.h"
#include "sys.h"

/* Code of ours: a module's pointer to connect() must lead there. */
static _Atomic bool found;
static _Atomic bool looking;
static _Atomic bool expected; /* what the program loads may go past us: the sweep looks, whatever is called */
static bool unbound;          /* a module that was loaded later has yet to make its first call */
static unsigned long long seen_adds;
static const struct link_map *first_maps_end; /* the last module of the start: never unloaded */
static unsigned own_namespaces;
static uintptr_t ours_start, ours_end;

#if defined(__x86_64__)
enum { GLOB_DAT = R_X86_64_GLOB_DAT };
#else
enum { GLOB_DAT = R_AARCH64_GLOB_DAT };
#endif

struct relocations {
	const ElfW(Rela) * first;
	size_t bytes;
};

struct module_tables {
	const ElfW(Sym) * symbols;
	size_t symbols_count; /* that there is room for: nothing but a hash table tells how many there are */
	const char *strings;
	size_t strings_size;
	/* Of calls through stubs, and of pointers: what was built with -fno-plt has only these. */
	struct relocations calls, pointers;
	size_t relative; /* so many at the start of the pointers name no symbol */
};

bool cg_bypass_found(void)
{
	return atomic_load_explicit(&found, memory_order_relaxed);
}

void cg_bypass_expect(bool surely)
{
	atomic_store(&expected, true);
	if (surely)
		atomic_store(&found, true);
}

bool cg_bypass_expected(void)
{
	return atomic_load_explicit(&expected, memory_order_relaxed);
}

/* How many bytes from there on lie in a loaded segment with these rights. Headers and tables may name any address. */
static size_t room_at(const struct dl_phdr_info *info, uintptr_t address, ElfW(Word) rights)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && (p->p_flags & rights) == rights && address >= start &&
		    address - start < p->p_memsz)
			return p->p_memsz - (address - start);
	}
	return 0;
}

/* The loader has made the addresses in a mapped dynamic section absolute, but for the vdso's. */
static void read_dynamic(const struct dl_phdr_info *info, const ElfW(Dyn) * dynamic, struct module_tables *t)
{
	uintptr_t base = info->dlpi_addr;
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		uintptr_t value = dynamic->d_un.d_ptr;
		uintptr_t address = value < base ? value + base : value;
		if (dynamic->d_tag == DT_SYMTAB)
			t->symbols = (const ElfW(Sym) *)address; // NOLINT(performance-no-int-to-ptr)
		else if (dynamic->d_tag == DT_STRTAB)
			t->strings = (const char *)address; // NOLINT(performance-no-int-to-ptr)
		else if (dynamic->d_tag == DT_STRSZ)
			t->strings_size = value;
		else if (dynamic->d_tag == DT_JMPREL)
			t->calls.first = (const ElfW(Rela) *)address; // NOLINT(performance-no-int-to-ptr)
		else if (dynamic->d_tag == DT_PLTRELSZ)
			t->calls.bytes = value;
		else if (dynamic->d_tag == DT_RELA)
			t->pointers.first = (const ElfW(Rela) *)address; // NOLINT(performance-no-int-to-ptr)
		else if (dynamic->d_tag == DT_RELASZ)
			t->pointers.bytes = value;
		else if (dynamic->d_tag == DT_RELACOUNT)
			t->relative = value;
	}
}

static void cut(const struct dl_phdr_info *info, struct relocations *r)
{
	size_t room = room_at(info, (uintptr_t)r->first, PF_R);
	if (r->bytes > room)
		r->bytes = room;
}

/* Whatever a module says of itself, only what is loaded is read. */
static void cut_to_segments(const struct dl_phdr_info *info, struct module_tables *t)
{
	size_t room = room_at(info, (uintptr_t)t->strings, PF_R);
	if (!t->strings || t->strings_size > room || (t->strings_size && t->strings[t->strings_size - 1] != '\0'))
		t->strings_size = 0;
	t->symbols_count = t->symbols ? room_at(info, (uintptr_t)t->symbols, PF_R) / sizeof *t->symbols : 0;
	cut(info, &t->calls);
	cut(info, &t->pointers);
}

/* Asked of every imported name at the start of every program: most are told by their first letter. */
static bool is_opener(const char *name)
{
	if (name[0] == 'c')
		return strcmp(name, "connect") == 0;
	return name[0] == 'a' && (strcmp(name, "accept") == 0 || strcmp(name, "accept4") == 0);
}

static bool is_for_opener(const struct module_tables *t, const ElfW(Rela) * r)
{
	size_t symbol = ELF64_R_SYM(r->r_info), name;
	if (symbol == 0 || symbol >= t->symbols_count)
		return false;
	name = t->symbols[symbol].st_name;
	return name < t->strings_size && is_opener(t->strings + name);
}

/* The next stub's relocation that is for connect or accept, after `r` (NULL: from the start). */
static const ElfW(Rela) * next_call(const struct module_tables *t, const ElfW(Rela) * r)
{
	const ElfW(Rela) *end = t->calls.first + t->calls.bytes / sizeof *r;
	for (r = r ? r + 1 : t->calls.first; r < end; r++)
		if (is_for_opener(t, r))
			return r;
	return NULL;
}

/* The same for the loader's own pointers. Those in variables are the program's, which may hold anything by now. */
static const ElfW(Rela) * next_pointer(const struct module_tables *t, const ElfW(Rela) * r)
{
	const ElfW(Rela) *end = t->pointers.first + t->pointers.bytes / sizeof *r;
	for (r = r ? r + 1 : t->pointers.first + t->relative; r < end; r++)
		if (ELF64_R_TYPE(r->r_info) == GLOB_DAT && is_for_opener(t, r))
			return r;
	return NULL;
}

static bool imports_opener(const struct module_tables *t)
{
	return next_call(t, NULL) || next_pointer(t, NULL);
}

/*
 * True when one of the module's pointers to connect or accept leads past us. One that still leads into the module's own
 * table is bound at its first call: it is looked at again.
 */
static bool leads_past(const struct dl_phdr_info *info, const ElfW(Rela) * r)
{
	uintptr_t place = info->dlpi_addr + r->r_offset, target;
	if (room_at(info, place, PF_R) < sizeof target)
		return false;
	memcpy(&target, (const void *)place, sizeof target); // NOLINT(performance-no-int-to-ptr)
	if (target >= ours_start && target < ours_end)
		return false;
	if (!room_at(info, target, 0))
		return true;
	unbound = true;
	return false;
}

static bool goes_past(const struct dl_phdr_info *info, const struct module_tables *t)
{
	for (const ElfW(Rela) *r = NULL; (r = next_call(t, r)) != NULL;)
		if (leads_past(info, r))
			return true;
	for (const ElfW(Rela) *r = NULL; (r = next_pointer(t, r)) != NULL;)
		if (leads_past(info, r))
			return true;
	return false;
}

/* dlmopen's namespaces have a libc of their own; the debugger's interface lists them since glibc 2.35. */
unsigned cg_bypass_namespaces(void)
{
	struct extended {
		struct r_debug base;
		struct extended *next;
	} one;
	uintptr_t at = (uintptr_t)&_r_debug;
	unsigned count = 0;
	if (_r_debug.r_version < 2)
		return 0;
	__asm__("" : "+r"(at));                     /* the object is larger than its declared type */
	memcpy(&one, (const void *)at, sizeof one); // NOLINT(performance-no-int-to-ptr)
	for (; one.next; memcpy(&one, one.next, sizeof one))
		count++;
	return count;
}

void cg_bypass_own_namespaces(unsigned count)
{
	own_namespaces += count;
}

static bool has_namespaces(void)
{
	return cg_bypass_namespaces() > own_namespaces;
}

/* False for the vdso, whose tables the loader leaves as they are in the file, and for modules without any. */
static bool tables_of(const struct dl_phdr_info *info, struct module_tables *t)
{
	*t = (struct module_tables){0};
	if (strstr(info->dlpi_name, "linux-vdso"))
		return false;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t address = info->dlpi_addr + p->p_vaddr;
		if (p->p_type != PT_DYNAMIC)
			continue;
		read_dynamic(info, (const ElfW(Dyn) *)address, t); // NOLINT(performance-no-int-to-ptr)
		cut_to_segments(info, t);
		return true;
	}
	return false;
}

static int visit(struct dl_phdr_info *info, size_t size, void *context)
{
	unsigned *at = context;
	struct module_tables t;
	(void)size;
	if ((*at)++ == 0) {
		if (info->dlpi_adds == seen_adds && !unbound)
			return 1;
		unbound = false;
		seen_adds = info->dlpi_adds;
	}
	return tables_of(info, &t) && goes_past(info, &t) ? 2 : 0;
}

/* libc's own use of these functions is internal; a relocation for them is always a user's. */
static int visit_importer(struct dl_phdr_info *info, size_t size, void *context)
{
	struct module_tables t;
	(void)size;
	(void)context;
	return tables_of(info, &t) && imports_opener(&t);
}

/* A Go program's linker leaves a note with its own name. */
static int find_go(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *notes = (const char *)(info->dlpi_addr + p->p_vaddr); // NOLINT(performance-no-int-to-ptr)
		if (p->p_type == PT_NOTE && room_at(info, (uintptr_t)notes, PF_R) >= 16 &&
		    memcmp(notes + 12, "Go\0", 4) == 0)
			*(bool *)context = true;
	}
	return 1; /* the first is the program itself */
}

static int own_range(struct dl_phdr_info *info, size_t size, void *context)
{
	uintptr_t here = (uintptr_t)context;
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && here >= start && here < start + p->p_memsz) {
			ours_start = start;
			ours_end = start + p->p_memsz;
			return 1;
		}
	}
	return 0;
}

void cg_bypass_mark_start(void)
{
	const struct link_map *map = _r_debug.r_map;
	while (map && map->l_next)
		map = map->l_next;
	first_maps_end = map;
}

/*
 * The first looks are free, so that what a program loads while it starts is noticed at once; later ones come 20 ms
 * apart, since a program may read and write files all day long.
 */
bool cg_bypass_due(void)
{
	static _Atomic uint64_t next_ns;
	static _Atomic unsigned looks;
	enum { FREE_LOOKS = 64 };
	if (!(first_maps_end && first_maps_end->l_next) && !has_namespaces())
		return false;
	if (atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed) < FREE_LOOKS)
		return true;
	uint64_t now = cg_clock_now(), next = atomic_load_explicit(&next_ns, memory_order_relaxed);
	return now >= next && atomic_compare_exchange_strong(&next_ns, &next, now + 20000000);
}

void cg_bypass_init(void)
{
	bool go = false;
	cg_bypass_mark_start();
	dl_iterate_phdr(own_range, (void *)(uintptr_t)cg_bypass_init); // NOLINT(performance-no-int-to-ptr)
	dl_iterate_phdr(find_go, &go);
	if (go)
		atomic_store(&found, true);
	atomic_store(&cg_guard.bypassed, true);
}

bool cg_bypass_imports_sockets(void)
{
	return dl_iterate_phdr(visit_importer, NULL) != 0;
}

static bool module_goes_past(void)
{
	unsigned at = 0;
	cg_loader_begin();
	int r = dl_iterate_phdr(visit, &at);
	cg_loader_end();
	return r == 2;
}

bool cg_bypass_look(void)
{
	if (_r_debug.r_state != RT_CONSISTENT || atomic_exchange(&looking, true))
		return false;
	if (!cg_bypass_found() && (has_namespaces() || module_goes_past()))
		atomic_store(&found, true);
	if (cg_bypass_found())
		atomic_store(&cg_guard.bypassed, false); /* no need to look again */
	atomic_store(&looking, false);
	return cg_bypass_found();
}
