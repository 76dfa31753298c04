/* object.c: asks the loader where it answers without a lock, else the kernel. */
#include "object.h"

#include <dlfcn.h>
#include <string.h>

#include "object_maps.h"

/* As <dlfcn.h> has it since glibc 2.35, without the words that are reserved. */
struct found_object {
	unsigned long long flags;
	void *map_start, *map_end;
	struct link_map *link_map;
	void *eh_frame;
	unsigned long long reserved[7];
};

static int (*find_object)(void *, struct found_object *);

void cg_object_init(void)
{
	void *found = dlsym(RTLD_DEFAULT, "_dl_find_object");
	memcpy(&find_object, &found, sizeof found);
}

bool cg_object_is_cheap(void)
{
	return find_object;
}

void cg_object_forget(void)
{
	cg_object_maps_forget();
}

const ElfW(Ehdr) *cg_object_elf(const struct cg_object *object)
{
	const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)object->start; // NOLINT(performance-no-int-to-ptr)
	uint64_t room = object->end - object->start;
	if (!elf || room < sizeof *elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phentsize != sizeof(ElfW(Phdr)) || elf->e_phoff > 4096 || elf->e_phnum > 64)
		return NULL;
	return room >= elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) ? elf : NULL;
}

uint64_t cg_object_bias(const ElfW(Ehdr) *elf)
{
	const ElfW(Phdr) *part = cg_object_headers(elf);
	for (unsigned i = 0; i < elf->e_phnum; i++)
		if (part[i].p_type == PT_LOAD && part[i].p_offset == 0)
			return (uint64_t)(uintptr_t)elf - part[i].p_vaddr;
	return (uint64_t)(uintptr_t)elf;
}

static uint64_t table_of(const struct cg_object *object)
{
	const ElfW(Ehdr) *elf = cg_object_elf(object);
	for (unsigned i = 0; elf && i < elf->e_phnum; i++)
		if (cg_object_headers(elf)[i].p_type == PT_GNU_EH_FRAME)
			return cg_object_bias(elf) + cg_object_headers(elf)[i].p_vaddr;
	return 0;
}

static bool find_by_mappings(uint64_t address, struct cg_object *ret)
{
	if (!cg_object_maps_find(address, ret))
		return false;
	if (!ret->eh_frame_hdr) {
		ret->eh_frame_hdr = table_of(ret);
		cg_object_maps_keep(ret);
	}
	return true;
}

bool cg_object_find(uint64_t address, struct cg_object *ret)
{
	struct found_object found;
	if (!find_object)
		return find_by_mappings(address, ret);
	if (find_object((void *)address, &found) != 0) // NOLINT(performance-no-int-to-ptr)
		return false;
	ret->start = (uint64_t)(uintptr_t)found.map_start;
	ret->end = (uint64_t)(uintptr_t)found.map_end;
	ret->eh_frame_hdr = (uint64_t)(uintptr_t)found.eh_frame;
	ret->identity = (uint64_t)(uintptr_t)found.link_map;
	return true;
}

const char *cg_object_path(const struct cg_object *object, char ret[CG_OBJECT_PATH])
{
	const struct link_map *map = (const struct link_map *)object->identity; // NOLINT(performance-no-int-to-ptr)
	ret[0] = '\0';
	if (find_object)
		return map->l_name ? map->l_name : ret;
	cg_object_maps_path(object, ret);
	return ret;
}
