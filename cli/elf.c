/*
 * elf.c: reads an ELF file's headers and dynamic section with pread.
 *
 * Nothing is mapped: a file that is cut short while it is looked at gives a short read here and would give SIGBUS
 * there.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf.h"

enum {
	HEADERS_MAX = 65536 / sizeof(Elf64_Phdr), /* the kernel's own limit */
	DYNAMIC_MAX = 4096,                       /* entries; the largest programs have some hundreds */
	NOTES_MAX = 4096,                         /* bytes; Go's comes first in a segment of its own */
	NATIVE_ORDER = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB
};

/* Reads up to n bytes; returns how many, fewer at the file's end only, or -errno. */
static ssize_t read_some(int fd, void *buffer, size_t n, uint64_t offset)
{
	size_t got = 0;
	if (offset > INT64_MAX - n)
		return -ENOEXEC;
	while (got < n) {
		ssize_t step = pread(fd, (char *)buffer + got, n - got, (off_t)(offset + got));
		if (step < 0 && errno == EINTR)
			continue;
		if (step < 0)
			return -errno;
		if (step == 0)
			break;
		got += (size_t)step;
	}
	return (ssize_t)got;
}

static int read_all(int fd, void *buffer, size_t n, uint64_t offset)
{
	ssize_t got = read_some(fd, buffer, n, offset);
	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -ENOEXEC;
}

/* A NUL-terminated text of at most `room` bytes in the file. */
static int read_text(int fd, char text[CG_ELF_NAME_MAX], uint64_t offset, uint64_t room)
{
	size_t n = room < CG_ELF_NAME_MAX ? (size_t)room : CG_ELF_NAME_MAX;
	ssize_t got = read_some(fd, text, n, offset);
	if (got < 0)
		return (int)got;
	return memchr(text, '\0', (size_t)got) ? 0 : -ENOEXEC;
}

/* Where in the file the byte is that is loaded at `address`, and how many follow it there. */
static int file_offset(const Elf64_Phdr *headers, unsigned count, uint64_t address, uint64_t *ret_offset,
                       uint64_t *ret_room)
{
	for (unsigned i = 0; i < count; i++) {
		const Elf64_Phdr *h = &headers[i];
		uint64_t offset;
		if (h->p_type != PT_LOAD || address < h->p_vaddr || address - h->p_vaddr >= h->p_filesz)
			continue;
		if (__builtin_add_overflow(h->p_offset, address - h->p_vaddr, &offset))
			return -ENOEXEC;
		*ret_offset = offset;
		*ret_room = h->p_filesz - (address - h->p_vaddr);
		return 0;
	}
	return -ENOEXEC;
}

/* The dynamic section's string table. */
struct strings {
	uint64_t offset;
	uint64_t size;
};

static int find_strings(const Elf64_Dyn *dynamic, unsigned entries, const Elf64_Phdr *headers, unsigned count,
                        struct strings *ret)
{
	uint64_t address = 0, size = 0, offset, room;
	for (unsigned i = 0; i < entries && dynamic[i].d_tag != DT_NULL; i++) {
		if (dynamic[i].d_tag == DT_STRTAB)
			address = dynamic[i].d_un.d_ptr;
		if (dynamic[i].d_tag == DT_STRSZ)
			size = dynamic[i].d_un.d_val;
	}
	int error = file_offset(headers, count, address, &offset, &room);
	if (error)
		return error;
	ret->offset = offset;
	ret->size = size < room ? size : room;
	return 0;
}

static int read_names(int fd, const Elf64_Dyn *dynamic, unsigned entries, const struct strings *strings,
                      struct cg_elf *elf, cg_elf_needed *needed, void *context)
{
	char name[CG_ELF_NAME_MAX];
	for (unsigned i = 0; i < entries && dynamic[i].d_tag != DT_NULL; i++) {
		uint64_t at = dynamic[i].d_un.d_val;
		if (dynamic[i].d_tag != DT_NEEDED && dynamic[i].d_tag != DT_SONAME)
			continue;
		if (at >= strings->size)
			return -ENOEXEC;
		int error = read_text(fd, name, strings->offset + at, strings->size - at);
		if (error)
			return error;
		if (dynamic[i].d_tag == DT_SONAME)
			memcpy(elf->soname, name, sizeof(name));
		else if (needed)
			needed(name, context);
	}
	return 0;
}

static int read_dynamic(int fd, const Elf64_Phdr *where, const Elf64_Phdr *headers, unsigned count, struct cg_elf *elf,
                        cg_elf_needed *needed, void *context)
{
	uint64_t entries = where->p_filesz / sizeof(Elf64_Dyn);
	struct strings strings;
	if (entries == 0 || entries > DYNAMIC_MAX)
		return -ENOEXEC;
	Elf64_Dyn *dynamic = calloc(entries, sizeof(*dynamic));
	if (!dynamic)
		return -ENOMEM;
	int error = read_all(fd, dynamic, entries * sizeof(*dynamic), where->p_offset);
	if (!error)
		error = find_strings(dynamic, (unsigned)entries, headers, count, &strings);
	if (!error)
		error = read_names(fd, dynamic, (unsigned)entries, &strings, elf, needed, context);
	free(dynamic);
	return error;
}

/* Go's linker writes a note of the owner "Go" into every program. A segment of notes that is broken has none. */
static bool has_go_note(int fd, const Elf64_Phdr *where)
{
	_Alignas(Elf64_Nhdr) char notes[NOTES_MAX];
	ssize_t n = read_some(fd, notes, where->p_filesz < NOTES_MAX ? where->p_filesz : NOTES_MAX, where->p_offset);
	size_t at = 0, size = n > 0 ? (size_t)n : 0;
	while (at + sizeof(Elf64_Nhdr) <= size) {
		Elf64_Nhdr note;
		memcpy(&note, notes + at, sizeof(note));
		size_t name = at + sizeof(note);
		if (note.n_namesz == 4 && name + 4 <= size && memcmp(notes + name, "Go\0", 4) == 0)
			return true;
		size_t room = size - name;
		if (note.n_namesz > room || note.n_descsz > room)
			return false;
		at = name + ((note.n_namesz + 3u) & ~3u) + ((note.n_descsz + 3u) & ~3u);
	}
	return false;
}

static int read_segments(int fd, const Elf64_Ehdr *header, struct cg_elf *elf, cg_elf_needed *needed, void *context)
{
	unsigned count = header->e_phnum;
	if (header->e_phentsize != sizeof(Elf64_Phdr) || count == 0 || count > HEADERS_MAX)
		return -ENOEXEC;
	Elf64_Phdr *headers = calloc(count, sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	int error = read_all(fd, headers, count * sizeof(*headers), header->e_phoff);
	for (unsigned i = 0; i < count && !error; i++) {
		if (headers[i].p_type == PT_INTERP) {
			elf->has_interp = true;
			error = read_text(fd, elf->interp, headers[i].p_offset, headers[i].p_filesz);
		} else if (headers[i].p_type == PT_DYNAMIC) {
			error = read_dynamic(fd, &headers[i], headers, count, elf, needed, context);
		} else if (headers[i].p_type == PT_NOTE) {
			elf->go |= has_go_note(fd, &headers[i]);
		}
	}
	free(headers);
	return error;
}

int cg_elf_read(int fd, struct cg_elf *ret, cg_elf_needed *needed, void *context)
{
	Elf64_Ehdr header = {0};
	struct cg_elf elf = {0};
	/* The 32-bit header is shorter, and the same up to e_machine. */
	ssize_t got = read_some(fd, &header, sizeof(header), 0);
	if (got < 0)
		return (int)got;
	if ((size_t)got < sizeof(Elf32_Ehdr) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	bool swapped = header.e_ident[EI_DATA] != NATIVE_ORDER;
	uint16_t type = swapped ? __builtin_bswap16(header.e_type) : header.e_type;
	elf.machine = swapped ? __builtin_bswap16(header.e_machine) : header.e_machine;
	elf.bits = header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
	elf.program = type == ET_EXEC || type == ET_DYN;
	elf.native = !swapped && elf.bits == 64;
	if (elf.native && (size_t)got < sizeof(header))
		return -ENOEXEC;
	int error = elf.native && elf.program ? read_segments(fd, &header, &elf, needed, context) : 0;
	if (!error)
		*ret = elf;
	return error;
}

const char *cg_elf_machine_name(unsigned machine, char text[32])
{
	static const struct {
		unsigned machine;
		const char *name;
	} names[] = {
	    {EM_386, "i386"},   {EM_AARCH64, "aarch64"}, {EM_ARM, "arm"},
	    {EM_MIPS, "mips"},  {EM_PPC64, "ppc64"},     {EM_RISCV, "riscv"},
	    {EM_S390, "s390x"}, {EM_SPARCV9, "sparc64"}, {EM_X86_64, "x86-64"},
	};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	snprintf(text, 32, "machine %u", machine);
	return text;
}
