/*
 * annex.h: the flat interface of the symbol annex, libcloseguard-dw.so, the only user of elfutils.
 *
 * The annex is loaded with dlopen(RTLD_NOW | RTLD_LOCAL) on the sweep thread when there is something to report. It may
 * allocate. It never writes to a descriptor, never starts debuginfod, and every call is bounded in time by `budget_ns`
 * (an address that would need longer is answered from the symbol table or not at all). Not thread-safe: one caller.
 */
#ifndef CG_ANNEX_H
#define CG_ANNEX_H

#include <stdint.h>

enum { CG_ANNEX_VERSION = 1 };

struct cg_annex_frame {
	char function[160]; /* "" unknown; C++ names as a person writes them (ns::Class::method) */
	char file[192];     /* "" unknown; as DWARF gives it, made absolute with the compilation directory */
	uint32_t line;      /* 0 unknown */
	uint32_t inlined;   /* 1 for all but the outermost */
	uint32_t cut;       /* 1 in all frames of an answer that more time would have made better: ask again later */
};

/* Must equal CG_ANNEX_VERSION, else the annex is of another build and is not used. */
typedef uint32_t cg_annex_version_fn(void);

/*
 * Names the code at `offset` (an address in the file's own addressing: run-time address - load bias) of the ELF file
 * `path`, whose build-id is build_id[0..build_id_len) as it was mapped (a file replaced since is refused). Looks for
 * DWARF in the file, then in separate debug files (/usr/lib/debug/.build-id, .gnu_debuglink beside the file, in .debug
 * and under /usr/lib/debug, with their dwz alternates), then in the symbol tables (.symtab, .gnu_debugdata, .dynsym).
 * "[vdso]" and deleted files are answered with 0 frames. Fills frames[0..max), innermost first (of more than
 * max, the innermost are left out). Returns the number of
 * frames, 0 for none, -errno: -ESTALE for a replaced file, -ENOEXEC for one that is no sound ELF file, -ETIME when the
 * budget ended before anything was found.
 */
typedef int cg_annex_lookup_fn(const char *path, const uint8_t *build_id, uint32_t build_id_len, uint64_t offset,
                               uint64_t budget_ns, struct cg_annex_frame *frames, uint32_t max);

/* Frees everything that is cached (open files, maps). */
typedef void cg_annex_reset_fn(void);

/* Where separate debug files are instead of /usr/lib/debug (copied; NULL: there again). For tests. */
typedef void cg_annex_debug_root_fn(const char *directory);

/* The exported names. */
cg_annex_version_fn cg_annex_version;
cg_annex_lookup_fn cg_annex_lookup;
cg_annex_reset_fn cg_annex_reset;
cg_annex_debug_root_fn cg_annex_debug_root;

#endif
