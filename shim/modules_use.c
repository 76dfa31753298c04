/* modules_use.c: modules that no stack leads through, though they were the last to use a connection. */
#include "modules.h"

#include <link.h>

#include "loader.h"
#include "object.h"
#include "recorder.h"

enum { MOST_WALKS = 256 }; /* of a program that loads and unloads without end */

static bool contains(const struct dl_phdr_info *info, uint64_t ip)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && ip - 1 - (info->dlpi_addr + p->p_vaddr) < p->p_memsz)
			return true;
	}
	return false;
}

/* The loader's lock is held here: the module stays while it is read. */
static int note(struct dl_phdr_info *info, size_t size, void *ip)
{
	(void)size;
	if (!contains(info, *(const uint64_t *)ip))
		return 0;
	cg_modules_note(ip, 1);
	return 1;
}

static bool is_known(const struct cg_header *h, uint64_t ip)
{
	return cg_modules_find(ip, atomic_load(&h->module_generation)) != NULL;
}

void cg_modules_note_use(uint64_t ip)
{
	static _Atomic unsigned walks;
	const struct cg_header *h = cg_recorder_header();
	struct cg_object object;
	if (!h || !ip || is_known(h, ip) || cg_loader_is_orphan() || !cg_object_find(ip - 1, &object) ||
	    atomic_load(&walks) >= MOST_WALKS)
		return;
	atomic_fetch_add(&walks, 1);
	cg_loader_begin();
	dl_iterate_phdr(note, &ip);
	cg_loader_end();
}
