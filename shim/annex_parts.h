/*
 * annex_parts.h: what the files of the symbol annex share.
 *
 * annex_dw.c answers a question: annex_files.c keeps the files open, annex_image.c opens one, annex_read.c reads what
 * is wanted of it and annex_memory.c bounds that, annex_begin.c does the same for what libdw opens by itself,
 * annex_debug.c finds a file's debug information, annex_units.c the compilation unit of an address, annex_walk.c goes
 * through it, annex_names.c and annex_demangle.c the names, annex_symtab.c what to say without debug information.
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

/*
 * The time that a question may take: of this thread on a CPU, since on a busy host the clock on the wall says little
 * about the work that was done; and on the wall, since whoever waits goes by that one, and disks take no CPU.
 */
struct cg_budget {
	uint64_t cpu, wall;       /* when it ends */
	const _Atomic bool *stop; /* NULL: nothing ends it before */
	unsigned steps;
	bool cut; /* something was left undone for want of time, memory or descriptors */
};

static inline struct cg_budget cg_budget_new(uint64_t cpu_ns, uint64_t wall_ns)
{
	return (struct cg_budget){.cpu = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns,
	                          .wall = cg_clock_ns(CLOCK_MONOTONIC) + wall_ns};
}

static inline uint64_t cg_budget_left(const struct cg_budget *budget)
{
	if (budget->stop && *budget->stop)
		return 0;
	uint64_t now = cg_clock_ns(CLOCK_MONOTONIC), cpu = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t left = now < budget->wall ? budget->wall - now : 0,
	         cpu_left = cpu < budget->cpu ? budget->cpu - cpu : 0;
	return left < cpu_left ? left : cpu_left;
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

/* Takes so many bytes of the process's memory; false where they are too many for it now. */
bool cg_annex_memory_take(uint64_t bytes);
void cg_annex_memory_give(uint64_t bytes);
/* Are they more than is ever to be had? */
bool cg_annex_memory_never(uint64_t bytes);

enum cg_part { CG_PART_LINKS = 1, CG_PART_SYMBOLS = 2, CG_PART_DWARF = 4, CG_PART_PACKED = 8 };

/* A file, read into private memory as far as it is wanted, and libelf's view of it. No descriptor stays open. */
struct cg_image {
	char *path; /* NULL: there is no such file */
	void *data; /* as large as the file; what was not read is zero */
	size_t size;
	uint64_t section_count;
	uint64_t taken;   /* bytes of memory */
	uint64_t file_id; /* cg_fileid */
	unsigned parts;   /* enum cg_part: what was read; the links always are */
	bool spoilt;      /* it was found changed while it was read */
	bool is_code;     /* can be mapped into a process: what dwz makes is an object file */
	Elf *elf;
	const uint8_t *build_id;
	size_t build_id_len;
};

/* Opens an ELF file of this machine. Returns 0, -ENOEXEC for anything else, -errno. */
int cg_image_open(const char *path, struct cg_image *ret);
/* The same for one that is open at fd; `path` is only remembered. */
int cg_image_open_fd(int fd, const char *path, struct cg_image *ret);
void cg_image_close(struct cg_image *image);
/* False once the file was written to or replaced: what was read of it may not belong together. */
bool cg_image_unchanged(const struct cg_image *image);
bool cg_image_has_id(const struct cg_image *image, const void *id, size_t len);
/* The section of that name which has contents, or NULL. */
Elf_Scn *cg_image_section(Elf *elf, const char *name, GElf_Shdr *ret);
/* Reads a part, if it is not there yet. False when that cannot be done; budget->cut says whether it may be later. */
bool cg_image_read(struct cg_image *image, enum cg_part part, struct cg_budget *budget);
/* The same from an open file. Returns 0 or -errno. */
int cg_image_read_fd(struct cg_image *image, int fd, enum cg_part part, struct cg_budget *budget);
/* For cg_image_open: what is read in any case. Returns 0 or -errno. */
int cg_image_read_headers(struct cg_image *image, int fd);
/* The checksum of .gnu_debuglink. False when the time was too short for it, or the file cannot be read. */
bool cg_image_crc32(const struct cg_image *image, struct cg_budget *budget, uint32_t *ret);

/* A file that libdw has opened by itself, in memory that lives as long as the module it was opened for. */
struct cg_opened {
	struct cg_opened *next;
	struct cg_image image; /* its elf is libdw's to end */
};

struct cg_unit_range {
	uint64_t low, high;
	Dwarf_Off die;
};

/* A module and everything that is known about its code. */
struct cg_binary {
	char *name; /* the module's path; the file may have been opened by another */
	struct cg_image main;
	struct cg_image debug; /* the separate debug file */
	struct cg_image alt;   /* the file that dwz moved common parts to */
	bool searched;         /* for a separate debug file */
	bool no_dwarf;         /* there is none, or it cannot be read */
	Dwarf *dwarf, *alt_dwarf;
	bool alt_done;
	uint64_t unpacked;        /* bytes of memory for sections that were compressed */
	struct cg_opened *opened; /* by libdw */

	Dwarf_CU *last_unit; /* up to here the units are in the table */
	bool units_done;
	struct cg_unit_range *ranges;
	size_t range_count, range_room;

	bool mini_tried;
	void *mini_data; /* .gnu_debugdata, unpacked */
	Elf *mini;

	uint64_t used; /* the higher, the later */
};

struct cg_annex_module;

/* Returns 0 or -errno; *ret stays valid until the next call. */
int cg_files_get(const struct cg_annex_module *module, struct cg_binary **ret);
/* Lets go of all files but those of this module; false when there are no others. */
bool cg_files_drop_others(const struct cg_binary *kept);
void cg_files_reset(void);

/* Between these two, what libdw opens is read into memory and belongs to the module. */
void cg_begin_for(struct cg_binary *binary, struct cg_budget *budget);
void cg_begin_end(void);
/* After libdw has ended its view of them. */
void cg_begin_close(struct cg_binary *binary);

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
