/*
 * annex.h: the flat interface of the symbol annex, libcloseguard-dw.so, the only user of elfutils.
 *
 * The annex is loaded with dlopen(RTLD_NOW | RTLD_LOCAL) on the sweep thread when there is something to report. It may
 * allocate. It never writes to a descriptor, never starts debuginfod, and every call is bounded in time (an address
 * that would need longer is answered from the symbol table or not at all) and memory. It maps no file: whoever cuts one
 * short would end the program. Not thread-safe: one caller.
 */
#ifndef CG_ANNEX_H
#define CG_ANNEX_H

#include <stdbool.h>
#include <stdint.h>

enum { CG_ANNEX_VERSION = 2 };

struct cg_annex_frame {
	char function[160]; /* "" unknown; C++ names as a person writes them (ns::Class::method) */
	char file[192];     /* "" unknown; as DWARF gives it, made absolute with the compilation directory */
	uint32_t line;      /* 0 unknown */
	uint32_t inlined;   /* 1 for all but the outermost */
	uint32_t cut;       /* 1 in all frames of an answer that more time would have made better: ask again later */
};

/* Must equal CG_ANNEX_VERSION, else the annex is of another build and is not used. */
typedef uint32_t cg_annex_version_fn(void);

/* A module as it was when it was loaded. */
struct cg_annex_module {
	const char *path;
	const char *mapped;      /* another name, by which the loaded file itself may be had; NULL: none is known */
	const uint8_t *build_id; /* build_id_len bytes */
	uint32_t build_id_len;   /* 0: it has none */
	uint64_t file_id;        /* cg_fileid of the loaded file, for one without build-id; 0: not known */
};

/* What one question may take: of this thread on a CPU, and on the wall. */
struct cg_annex_time {
	uint64_t cpu_ns, wall_ns;
	const _Atomic bool *stop; /* it is over at once when this becomes true; NULL: it does not */
};

/*
 * Names the code at `offset` (an address in the file's own addressing: run-time address - load bias) of a module. The
 * file at its path, else the one at its other name, has to have its build-id, or where there is none its file_id; where
 * there is neither, only the other name is gone by, and without one the path is believed. Looks for
 * DWARF in the file, then in separate debug files (/usr/lib/debug/.build-id, .gnu_debuglink beside the file, in .debug
 * and under /usr/lib/debug, with their dwz alternates), then in the symbol tables (.symtab, .gnu_debugdata, .dynsym).
 * "[vdso]" and deleted files are answered with 0 frames. Fills frames[0..max), innermost first (of more than
 * max, the innermost are left out). Returns the number of
 * frames, 0 for none, -errno: -ESTALE for a replaced file, -ENOEXEC for one that is no sound ELF file, -ETIME when the
 * time ended before anything was found.
 */
typedef int cg_annex_lookup_fn(const struct cg_annex_module *module, uint64_t offset, const struct cg_annex_time *time,
                               struct cg_annex_frame *frames, uint32_t max);

/* Frees everything that is cached of files. */
typedef void cg_annex_reset_fn(void);

/* How many bytes of memory files may take; 256 MiB, where nothing else is said. Debug information is read whole. */
typedef void cg_annex_memory_fn(uint64_t bytes);

/* Where separate debug files are instead of /usr/lib/debug (copied; NULL: there again). For tests. */
typedef void cg_annex_debug_root_fn(const char *directory);

/* The exported names. */
cg_annex_version_fn cg_annex_version;
cg_annex_lookup_fn cg_annex_lookup;
cg_annex_reset_fn cg_annex_reset;
cg_annex_memory_fn cg_annex_memory;
cg_annex_debug_root_fn cg_annex_debug_root;

#endif
