/*
 * elf.h: the little that has to be known of a program's file before it is started.
 */
#ifndef CG_ELF_H
#define CG_ELF_H

#include <stdbool.h>
#include <stdint.h>

enum { CG_ELF_NAME_MAX = 256 };

struct cg_elf {
	unsigned bits;    /* 32 or 64 */
	unsigned machine; /* EM_X86_64 … */
	bool program;     /* ET_EXEC or ET_DYN: something that the kernel may start */
	bool native;      /* of this machine's word size and byte order; otherwise nothing below is filled in */
	bool has_interp;  /* a loader is asked for: what a static program lacks */
	bool go;          /* built by Go, which makes its system calls without libc */
	char interp[CG_ELF_NAME_MAX]; /* "" none */
	char soname[CG_ELF_NAME_MAX]; /* "" none */
};

/* Told each DT_NEEDED name, in the file's order. */
typedef void cg_elf_needed(const char *name, void *context);

/*
 * Reads the headers of the file open at fd. The file may be hostile: every offset and size in it is checked, and what
 * is read is bounded. Returns 0, -ENOEXEC for a file that is no ELF file or a broken one, or -errno.
 */
int cg_elf_read(int fd, struct cg_elf *ret, cg_elf_needed *needed, void *context);

/* "x86-64", "aarch64", …; "machine 123" in text for the rest. Returns a constant or text. */
const char *cg_elf_machine_name(unsigned machine, char text[32]);

#endif
