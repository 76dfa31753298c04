/*
 * object.h: which loaded object an address lies in, asked without a lock of the loader's.
 *
 * dl_iterate_phdr waits for whoever is inside dlopen, and in the child of a fork for a thread that is not there. glibc
 * 2.35 and later answer without a lock, by _dl_find_object; before, the kernel's list of mappings does.
 */
#ifndef CG_OBJECT_H
#define CG_OBJECT_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CG_OBJECT_PATH = 256 };

struct cg_object {
	uint64_t start, end;   /* all that is mapped of it */
	uint64_t eh_frame_hdr; /* the table of its unwind tables; 0: it has none */
	uint64_t identity;     /* differs from that of another object at the same address, as far as can be told */
};

/* Finds the loader's function. Constructor: dlsym takes a lock. */
void cg_object_init(void);

/*
 * The object that contains the address; false when there is none, or none that can be told. Any context; system calls
 * only before glibc 2.35, where a sandbox makes everything that was not asked for before unknown.
 */
bool cg_object_find(uint64_t address, struct cg_object *ret);

/*
 * Its path as the loader or the kernel has it, "" for the program itself; ret has room for it where it has to be read.
 * For an object that cannot go, since it lies on the calling thread's stack.
 */
const char *cg_object_path(const struct cg_object *object, char ret[CG_OBJECT_PATH]);

/* Its ELF header, or NULL where it is not mapped. For an object that cannot go, as above. Any context. */
const ElfW(Ehdr) *cg_object_elf(const struct cg_object *object);

/* Load bias: address = bias + address in the file's own terms. */
uint64_t cg_object_bias(const ElfW(Ehdr) *elf);

static inline const ElfW(Phdr) *cg_object_headers(const ElfW(Ehdr) *elf)
{
	return (const ElfW(Phdr) *)((const char *)elf + elf->e_phoff);
}

/* True where objects are told apart cheaply, without reading the list of mappings. */
bool cg_object_is_cheap(void);

/* Forgets what the list of mappings said, which may have changed. Any context. */
void cg_object_forget(void);

#endif
