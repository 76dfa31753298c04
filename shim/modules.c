/* modules.c: keeps the recorder's module list in step with the loader's. */
#include "modules.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include "fmt.h"
#include "loader.h"
#include "recorder.h"
#include "sys.h"

enum { FREE, WRITING, VALID };

struct refresh {
	struct cg_header *header;
	uint32_t generation; /* the one that this refresh makes */
	unsigned long long adds, subs;
	unsigned at; /* number of the module in the loader's list */
	bool changed;
	bool seen[CG_MAX_MODULES];
};

static _Atomic bool refreshing;
static unsigned long long known_adds, known_subs;
static struct cg_header *known_header;

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

static bool is_loaded(const struct dl_phdr_info *info, const ElfW(Phdr) * part)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && (p->p_flags & PF_R) && part->p_vaddr >= p->p_vaddr &&
		    part->p_vaddr + part->p_filesz <= p->p_vaddr + p->p_filesz)
			return true;
	}
	return false;
}

/* The hull of the executable segments, and the build-id. False for a module without code. */
static bool describe(const struct dl_phdr_info *info, struct cg_module *m)
{
	m->bias = info->dlpi_addr;
	m->start = UINT64_MAX;
	m->end = 0;
	m->build_id_len = 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + p->p_vaddr, end = start + p->p_memsz;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			m->start = start < m->start ? start : m->start;
			m->end = end > m->end ? end : m->end;
		}
		if (p->p_type == PT_NOTE && !m->build_id_len && is_loaded(info, p))
			read_notes((const char *)start, p->p_filesz, m); // NOLINT(performance-no-int-to-ptr)
	}
	return m->end != 0;
}

static void set_path(struct cg_module *m, const char *name, bool first)
{
	char exe[4096];
	struct cg_buf text;
	if (first && !name[0]) {
		ssize_t n = cg_sys_readlinkat(AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);
		exe[n > 0 ? n : 0] = '\0';
		name = exe;
	} else if (strstr(name, "linux-vdso") == name || !name[0]) {
		name = "[vdso]";
	}
	size_t len = strlen(name), room = sizeof m->path - 1;
	cg_buf_init(&text, m->path, sizeof m->path);
	cg_buf_str(&text, len > room ? name + len - room : name);
}

static void add(struct refresh *refresh, const struct cg_module *found, const char *name)
{
	for (unsigned i = 0; i < CG_MAX_MODULES; i++) {
		struct cg_module *m = cg_recorder_module(i, true);
		uint32_t free_place = FREE;
		if (!m)
			return;
		if (!atomic_compare_exchange_strong(&m->state, &free_place, WRITING))
			continue;
		m->bias = found->bias;
		m->start = found->start;
		m->end = found->end;
		m->build_id_len = found->build_id_len;
		memcpy(m->build_id, found->build_id, sizeof m->build_id);
		set_path(m, name, refresh->at == 0);
		m->loaded = refresh->generation;
		refresh->seen[i] = true;
		refresh->changed = true;
		atomic_store(&m->state, VALID);
		return;
	}
}

static int visit(struct dl_phdr_info *info, size_t size, void *context)
{
	struct refresh *refresh = context;
	struct cg_module found;
	(void)size;
	if (refresh->at == 0) {
		refresh->adds = info->dlpi_adds;
		refresh->subs = info->dlpi_subs;
		if (refresh->header == known_header && info->dlpi_adds == known_adds && info->dlpi_subs == known_subs)
			return 1;
	}
	if (describe(info, &found)) {
		unsigned i = 0;
		for (struct cg_module *m; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++)
			if (is_current(m) && m->start == found.start && m->end == found.end &&
			    m->build_id_len == found.build_id_len &&
			    memcmp(m->build_id, found.build_id, found.build_id_len) == 0)
				break;
		if (i < CG_MAX_MODULES && cg_recorder_module(i, false))
			refresh->seen[i] = true;
		else
			add(refresh, &found, info->dlpi_name);
	}
	refresh->at++;
	return 0;
}

static void mark_unloaded(struct refresh *refresh)
{
	struct cg_module *m;
	for (unsigned i = 0; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++) {
		if (is_current(m) && !refresh->seen[i]) {
			atomic_store(&m->unloaded, refresh->generation);
			refresh->changed = true;
		}
	}
}

void cg_modules_refresh(void)
{
	struct refresh refresh = {.header = cg_recorder_header()};
	/* A second refresher, or a signal handler in the middle of one, leaves it to the first. */
	if (!refresh.header || atomic_exchange(&refreshing, true))
		return;
	refresh.generation = atomic_load(&refresh.header->module_generation) + 1;
	cg_loader_begin();
	int stopped = dl_iterate_phdr(visit, &refresh);
	cg_loader_end();
	if (stopped == 0) {
		mark_unloaded(&refresh);
		if (refresh.changed)
			atomic_store(&refresh.header->module_generation, refresh.generation);
		known_adds = refresh.adds;
		known_subs = refresh.subs;
		known_header = refresh.header;
	}
	atomic_store(&refreshing, false);
}

void cg_modules_after_fork(void)
{
	known_header = NULL;
	atomic_store(&refreshing, false);
}

const struct cg_module *cg_modules_find(uint64_t ip, uint32_t generation)
{
	const struct cg_module *m;
	for (unsigned i = 0; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++) {
		uint32_t unloaded = atomic_load(&m->unloaded);
		if (atomic_load(&m->state) != VALID)
			return NULL;
		if (ip > m->start && ip <= m->end && m->loaded <= generation && (!unloaded || generation < unloaded))
			return m;
	}
	return NULL;
}

bool cg_modules_cover(const uint64_t *ip, unsigned depth)
{
	struct cg_header *h = cg_recorder_header();
	uint32_t generation = h ? atomic_load(&h->module_generation) : 0;
	for (unsigned i = 0; i < depth; i++)
		if (!cg_modules_find(ip[i], generation))
			return false;
	return true;
}
