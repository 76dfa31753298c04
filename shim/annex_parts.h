/*
 * annex_parts.h: what the files of the symbol annex share.
 *
 * annex_dw.c answers a question: annex_files.c keeps the files open, annex_image.c maps one, annex_debug.c finds its
 * debug information, annex_units.c the compilation unit of an address, annex_walk.c goes through it, annex_names.c and
 * annex_demangle.c the names, annex_symtab.c what to say without debug information.
 */
#ifndef CG_ANNEX_PARTS_H
#define CG_ANNEX_PARTS_H

#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clock.h"

/* The time that a question may take. */
struct cg_budget {
	uint64_t deadline;
	unsigned steps;
	bool cut; /* something was left undone for want of time */
};

static inline uint64_t cg_budget_left(const struct cg_budget *budget)
{
	uint64_t now = cg_clock_ns(CLOCK_MONOTONIC);
	return now < budget->deadline ? budget->deadline - now : 0;
}

static inline bool cg_budget_over(struct cg_budget *budget)
{
	if (!budget->cut && cg_budget_left(budget) == 0)
		budget->cut = true;
	return budget->cut;
}

/* For inner loops, whose steps take under a microsecond: looks at the clock at every 64th. */
static inline bool cg_budget_tick(struct cg_budget *budget)
{
	return ++budget->steps % 64 == 0 ? cg_budget_over(budget) : budget->cut;
}

/* A file, mapped, and libelf's view of it. No descriptor stays open. */
struct cg_image {
	char *path; /* NULL: there is no such file */
	void *data;
	size_t size;
	dev_t device;
	ino_t inode;
	struct timespec modified;
	Elf *elf;
	bool is_code; /* can be mapped into a process: what dwz makes is an object file */
	const uint8_t *build_id;
	size_t build_id_len;
};

/* Maps an ELF file of this machine. Returns 0, -ENOEXEC for anything else, -errno. */
int cg_image_open(const char *path, struct cg_image *ret);
void cg_image_close(struct cg_image *image);
/* False once the file was written to or replaced: its pages must not be touched any more. */
bool cg_image_unchanged(const struct cg_image *image);
bool cg_image_has_id(const struct cg_image *image, const void *id, size_t len);
/* The section of that name which has contents, or NULL. */
Elf_Scn *cg_image_section(Elf *elf, const char *name, GElf_Shdr *ret);
/* The checksum of .gnu_debuglink. False when the time was too short for it. */
bool cg_image_crc32(const struct cg_image *image, struct cg_budget *budget, uint32_t *ret);

struct cg_unit_range {
	uint64_t low, high;
	Dwarf_Off die;
};

/* A module and everything that is known about its code. */
struct cg_binary {
	struct cg_image main;
	struct cg_image debug; /* the separate debug file */
	struct cg_image alt;   /* the file that dwz moved common parts to */
	bool searched;         /* for a separate debug file */
	bool no_dwarf;         /* there is none, or it cannot be read */
	Dwarf *dwarf, *alt_dwarf;
	bool alt_done;

	Dwarf_CU *last_unit; /* up to here the units are in the table */
	bool units_done;
	struct cg_unit_range *ranges;
	size_t range_count, range_room;

	bool mini_tried;
	void *mini_data; /* .gnu_debugdata, unpacked */
	Elf *mini;

	uint64_t used; /* the higher, the later */
};

/* Returns 0 or -errno; *ret stays valid until the next call. */
int cg_files_get(const char *path, const uint8_t *build_id, size_t len, struct cg_binary **ret);
void cg_files_reset(void);

/* The debug information of the file, wherever it is, or NULL: there is none, or the time was too short. */
Dwarf *cg_debug_dwarf(struct cg_binary *binary, struct cg_budget *budget);
void cg_debug_close(struct cg_binary *binary);

/* The compilation unit whose code contains pc. */
bool cg_units_find(struct cg_binary *binary, uint64_t pc, struct cg_budget *budget, Dwarf_Die *ret);

/* Makes of a DIE its next sibling. Returns 0, 1 after the last one, -1 for unreadable data. */
int cg_walk_sibling(Dwarf_Die *die);
/* Whenever a file is closed. */
void cg_walk_forget(void);

/* The symbol of a function that covers pc, as it stands in the file, or NULL. */
const char *cg_symtab_find(struct cg_binary *binary, uint64_t pc, struct cg_budget *budget);

/* The name of a function's DIE as a person writes it, with its namespaces and classes; "" if it has none. */
void cg_names_of(Dwarf_Die *die, char *name, size_t size, struct cg_budget *budget);
/* The same from the name of a symbol. */
void cg_names_of_symbol(const char *symbol, char *name, size_t size);
/* Copies a name; one that is too long loses its template arguments first, then its end. */
void cg_names_fit(const char *full, char *name, size_t size);

#endif
