/*
 * naming_id.c: reads the build-id of a file that may be anything.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "naming.h"
#include "sys_regular.h"

enum { HEADERS_MAX = 256, ID_MAX = 64 };

static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Is the build-id in these notes the wanted one? */
static bool in_notes(const char *notes, size_t size, const char *wanted)
{
	Elf64_Nhdr note;
	for (size_t at = 0; at + sizeof note <= size;) {
		memcpy(&note, notes + at, sizeof note);
		size_t name = at + sizeof note, id = name + aligned(note.n_namesz), end = id + aligned(note.n_descsz);
		if (note.n_namesz > size || note.n_descsz > size || end > size)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0) {
			char hex[2 * ID_MAX + 1] = "";
			for (size_t i = 0; i < note.n_descsz && i < ID_MAX; i++)
				snprintf(hex + 2 * i, 3, "%02x", (unsigned char)notes[id + i]);
			return strcasecmp(hex, wanted) == 0;
		}
		at = end;
	}
	return false;
}

static bool has_id(int fd, const char *wanted)
{
	Elf64_Ehdr header;
	Elf64_Phdr program;
	char notes[4096];
	if (pread(fd, &header, sizeof header, 0) != sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof program)
		return false;
	for (unsigned i = 0; i < header.e_phnum && i < HEADERS_MAX; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof program);
		if (pread(fd, &program, sizeof program, at) != sizeof program)
			return false;
		size_t size = program.p_filesz < sizeof notes ? program.p_filesz : sizeof notes;
		ssize_t got = program.p_type == PT_NOTE ? pread(fd, notes, size, (off_t)program.p_offset) : 0;
		if (got > 0 && in_notes(notes, (size_t)got, wanted))
			return true;
	}
	return false;
}

bool cg_naming_has_id(const char *path, const char *build_id)
{
	int fd = cg_open_regular(path, 0);
	if (fd < 0)
		return false;
	bool has = has_id(fd, build_id);
	close(fd);
	return has;
}
