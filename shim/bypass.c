/* bypass.c: finds modules whose calls do not reach our wrappers. */
#include "bypass.h"

#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "guard.h"
#include "loader.h"
#include "sys.h"

/* Code of ours: a module's pointer to connect() must lead there. */
static _Atomic bool found;
static _Atomic bool looking;
static bool unbound; /* a module that was loaded later has yet to make its first call */
static unsigned long long seen_adds;
static const struct link_map *first_maps_end; /* the last module of the start: never unloaded */
static unsigned own_namespaces;
static uintptr_t ours_start, ours_end;

struct module_tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * relocations;
	size_t relocations_size;
};

bool cg_bypass_found(void)
{
	return atomic_load_explicit(&found, memory_order_relaxed);
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
		else if (dynamic->d_tag == DT_JMPREL)
			t->relocations = (const ElfW(Rela) *)address; // NOLINT(performance-no-int-to-ptr)
		else if (dynamic->d_tag == DT_PLTRELSZ)
			t->relocations_size = value;
	}
}

static bool is_opener(const char *name)
{
	return strcmp(name, "connect") == 0 || strcmp(name, "accept") == 0 || strcmp(name, "accept4") == 0;
}

/* The next relocation that is for connect or accept, after `r` (NULL: from the start). */
static const ElfW(Rela) * next_opener(const struct module_tables *t, const ElfW(Rela) * r)
{
	const ElfW(Rela) *end = t->relocations + t->relocations_size / sizeof *r;
	if (!t->symbols || !t->strings || !t->relocations)
		return NULL;
	for (r = r ? r + 1 : t->relocations; r < end; r++)
		if (is_opener(t->strings + t->symbols[ELF64_R_SYM(r->r_info)].st_name))
			return r;
	return NULL;
}

static bool lies_in(const struct dl_phdr_info *info, uintptr_t address)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && address >= start && address < start + p->p_memsz)
			return true;
	}
	return false;
}

/*
 * True when the module has a pointer to connect or accept that leads past us. One that still leads into the module's
 * own table is bound at its first call: it is looked at again.
 */
static bool goes_past(const struct dl_phdr_info *info, const struct module_tables *t)
{
	const ElfW(Rela) *r = NULL;
	while ((r = next_opener(t, r)) != NULL) {
		const void *place = (const void *)(info->dlpi_addr + r->r_offset); // NOLINT(performance-no-int-to-ptr)
		uintptr_t target;
		memcpy(&target, place, sizeof target);
		if (target >= ours_start && target < ours_end)
			continue;
		if (!lies_in(info, target))
			return true;
		unbound = true;
	}
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
	return tables_of(info, &t) && next_opener(&t, NULL);
}

/* A Go program's linker leaves a note with its own name. */
static int find_go(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *notes = (const char *)(info->dlpi_addr + p->p_vaddr); // NOLINT(performance-no-int-to-ptr)
		if (p->p_type == PT_NOTE && p->p_filesz >= 16 && memcmp(notes + 12, "Go\0", 4) == 0)
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
	atomic_store(&found, go);
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
