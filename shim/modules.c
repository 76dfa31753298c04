/* modules.c: the recorder's list of the modules that stacks lead through. */
#include "modules.h"

#include <string.h>

#include "arena.h"
#include "fmt.h"
#include "guard.h"
#include "object.h"
#include "recorder.h"
#include "sys.h"
#include "unwind_rule.h"

enum { FREE, WRITING, VALID };

/* What tells a module from another one in its place. Not in the recorder: what stands there is only shown to others. */
static struct {
	uint64_t start, identity;
} known[CG_MAX_MODULES] CG_LARGE;

static bool is_current(const struct cg_module *m)
{
	return atomic_load(&m->state) == VALID && atomic_load(&m->unloaded) == 0;
}

static uint64_t round4(uint64_t n)
{
	return (n + 3) & ~(uint64_t)3;
}

static void read_notes(const char *notes, uint64_t size, struct cg_module *m)
{
	for (uint64_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
		ElfW(Nhdr) note;
		memcpy(&note, notes + at, sizeof note);
		uint64_t name = at + sizeof note, text = name + round4(note.n_namesz),
		         end = text + round4(note.n_descsz);
		if (end > size)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0 &&
		    note.n_descsz <= sizeof m->build_id) {
			memcpy(m->build_id, notes + text, note.n_descsz);
			m->build_id_len = (uint8_t)note.n_descsz;
			return;
		}
		at = end;
	}
}

static bool is_loaded(const ElfW(Ehdr) * elf, const ElfW(Phdr) * part)
{
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		const ElfW(Phdr) *p = &cg_object_headers(elf)[i];
		if (p->p_type == PT_LOAD && (p->p_flags & PF_R) && part->p_vaddr >= p->p_vaddr &&
		    part->p_vaddr + part->p_filesz <= p->p_vaddr + p->p_filesz)
			return true;
	}
	return false;
}

/* The hull of the executable segments, and the build-id. */
static void describe(const ElfW(Ehdr) * elf, struct cg_module *m)
{
	m->bias = cg_object_bias(elf);
	m->start = UINT64_MAX;
	m->end = 0;
	m->build_id_len = 0;
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		const ElfW(Phdr) *p = &cg_object_headers(elf)[i];
		uint64_t start = m->bias + p->p_vaddr, end = start + p->p_memsz;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			m->start = start < m->start ? start : m->start;
			m->end = end > m->end ? end : m->end;
		}
		if (p->p_type == PT_NOTE && !m->build_id_len && is_loaded(elf, p))
			read_notes((const char *)start, p->p_filesz, m); // NOLINT(performance-no-int-to-ptr)
	}
}

/* Read once: a signal's stack has no room for it. Two threads at once write the same. */
static const char *program_path(void)
{
	static char path[4096] CG_LARGE;
	if (!path[0]) {
		ssize_t n = cg_sys_readlinkat(AT_FDCWD, "/proc/self/exe", path, sizeof path - 1);
		if (n < 0)
			return "";
	}
	return path;
}

static void set_path(struct cg_module *m, const struct cg_object *object)
{
	static const char vdso[] = "linux-vdso";
	char room_for_it[CG_OBJECT_PATH];
	struct cg_buf text;
	const char *name = cg_object_path(object, room_for_it);
	bool unsealed = !atomic_load(&cg_guard.sealed),
	     program = !name[0] || (unsealed && strcmp(name, program_path()) == 0);
	atomic_store(&m->flags, program ? CG_MODULE_MAIN : 0);
	if (!name[0] && unsealed)
		name = program_path();
	else if (strncmp(name, vdso, sizeof vdso - 1) == 0)
		name = "[vdso]";
	size_t len = strlen(name), room = sizeof m->path - 1;
	cg_buf_init(&text, m->path, sizeof m->path);
	cg_buf_str(&text, len > room ? name + len - room : name);
}

static bool add(const struct cg_object *object, uint32_t generation)
{
	const ElfW(Ehdr) *elf = cg_object_elf(object);
	for (unsigned i = 0; elf && i < CG_MAX_MODULES; i++) {
		struct cg_module *m = cg_recorder_module(i, true);
		uint32_t free_place = FREE;
		if (!m)
			return false;
		if (!atomic_compare_exchange_strong(&m->state, &free_place, WRITING))
			continue;
		describe(elf, m);
		atomic_store(&m->file_id, 0);
		set_path(m, object);
		m->loaded = generation;
		known[i].start = object->start;
		known[i].identity = object->identity;
		atomic_store(&m->state, VALID);
		return true;
	}
	return false;
}

/* Is the module of this address in the list? One that was there before it is marked as unloaded. */
static bool is_listed(uint64_t ip, const struct cg_object *object, uint32_t next)
{
	struct cg_module *m;
	for (unsigned i = 0; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++) {
		if (atomic_load(&m->state) == FREE)
			return false;
		if (!is_current(m) || ip <= m->start || ip > m->end)
			continue;
		if (known[i].start == object->start && known[i].identity == object->identity)
			return true;
		atomic_store(&m->unloaded, next);
	}
	return false;
}

static void begin_generation(struct cg_header *h, uint32_t next)
{
	uint32_t now = atomic_load(&h->module_generation);
	while (now < next && !atomic_compare_exchange_weak(&h->module_generation, &now, next))
		;
}

void cg_modules_note(const uint64_t *ip, unsigned depth)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_object object;
	if (!h)
		return;
	uint32_t next = atomic_load(&h->module_generation) + 1;
	bool changed = false;
	for (unsigned i = 0; i < depth; i++)
		if (cg_object_find(ip[i] - 1, &object) && !is_listed(ip[i], &object, next))
			changed |= add(&object, next);
	if (changed)
		begin_generation(h, next);
}

void cg_modules_refresh(void)
{
	static _Atomic unsigned calls;
	enum { SELDOM = 16 };
	struct cg_header *h = cg_recorder_header();
	struct cg_object object;
	struct cg_module *m;
	/* Where the kernel's list has to be read for each of them, that is not done every second. */
	if (!h || (!cg_object_is_cheap() && atomic_fetch_add(&calls, 1) % SELDOM))
		return;
	uint32_t next = atomic_load(&h->module_generation) + 1;
	bool changed = false;
	cg_object_forget();
	for (unsigned i = 0; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++) {
		bool there = !is_current(m) || (cg_object_find(known[i].start, &object) &&
		                                object.start == known[i].start && object.identity == known[i].identity);
		if (there)
			continue;
		atomic_store(&m->unloaded, next);
		changed = true;
	}
	if (changed) {
		begin_generation(h, next);
		cg_rule_forget();
	}
}

const struct cg_module *cg_modules_find(uint64_t ip, uint32_t generation)
{
	const struct cg_module *m;
	for (unsigned i = 0; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++) {
		uint32_t unloaded = atomic_load(&m->unloaded), state = atomic_load(&m->state);
		if (state == FREE)
			return NULL;
		if (state == VALID && ip > m->start && ip <= m->end && m->loaded <= generation &&
		    (!unloaded || generation < unloaded))
			return m;
	}
	return NULL;
}
