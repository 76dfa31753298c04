/*
 * annex_read.c: what of a file is read, and when.
 *
 * The headers and notes at once, symbol tables and debug information when they are wanted. What nobody asks for is
 * marked as having no contents, so that libelf and libdw never take unread memory for a section.
 */
#include "annex_parts.h"

#include <errno.h>
#include <string.h>

#include "fileid.h"
#include "sys_regular.h"

enum {
	SECTIONS_MAX = 1 << 18, /* more than any linked file has; 16 MB */
	SEGMENTS_MAX = 4096,
	NOTES_MAX = 64 << 10,
	NAMES_MAX = 16 << 20,
	STEP = 1 << 20 /* between two looks at the clock; a third of a millisecond where the file is in memory */
};

/* What libdw may look into on the way to a function and its line; not where variables are, nor indices of others. */
static const char *const wanted[] = {"abbrev", "addr",     "cu_index", "info",        "line",     "line_str",
                                     "ranges", "rnglists", "str",      "str_offsets", "tu_index", "types"};

static Elf64_Shdr *sections_of(const struct cg_image *image)
{
	const Elf64_Ehdr *header = image->data;
	return (Elf64_Shdr *)(void *)((char *)image->data + header->e_shoff);
}

static bool is_inside(const struct cg_image *image, uint64_t offset, uint64_t size)
{
	return offset <= image->size && size <= image->size - offset;
}

/* The headers were checked as they stand: nothing that is read later may come over them. */
static bool is_over_headers(const struct cg_image *image, uint64_t offset, uint64_t size)
{
	const Elf64_Ehdr *header = image->data;
	uint64_t table = header->e_shoff, table_end = table + image->section_count * sizeof(Elf64_Shdr);
	return size && (offset < sizeof *header || (offset < table_end && table < offset + size));
}

/* Reads a part of the file to where it belongs. Returns 0, -ENOEXEC when the file ends before, -errno. */
static int read_at(const struct cg_image *image, int fd, uint64_t offset, uint64_t size)
{
	if (!is_inside(image, offset, size))
		return -ENOEXEC;
	while (size > 0) {
		ssize_t n = cg_sys_pread(fd, (char *)image->data + offset, size, (off_t)offset);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -ENOEXEC;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

/* An ELF file for this machine. A half-copied file ends before its section headers. */
static int check_header(const Elf64_Ehdr *header)
{
	const uint16_t one = 1;
	unsigned char order = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
	const unsigned char *ident = header->e_ident;
	if (memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != order)
		return -ENOEXEC;
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN && header->e_type != ET_REL)
		return -ENOEXEC;
	if (header->e_phnum && (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > SEGMENTS_MAX))
		return -ENOEXEC;
	return header->e_shoff && header->e_shentsize != sizeof(Elf64_Shdr) ? -ENOEXEC : 0;
}

/* Notes also stand in segments: a file may have no section headers. */
static int read_segments(const struct cg_image *image, int fd)
{
	const Elf64_Ehdr *header = image->data;
	if (!header->e_phnum)
		return 0;
	if (header->e_phoff % sizeof(uint64_t) != 0)
		return -ENOEXEC;
	int r = read_at(image, fd, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr));
	const Elf64_Phdr *segments = r == 0 ? (const void *)((const char *)image->data + header->e_phoff) : NULL;
	for (unsigned i = 0; r == 0 && i < header->e_phnum; i++) {
		uint64_t offset = segments[i].p_offset, size = segments[i].p_filesz;
		if (segments[i].p_type == PT_NOTE && size <= NOTES_MAX && is_inside(image, offset, size) &&
		    !is_over_headers(image, offset, size))
			r = read_at(image, fd, offset, size);
	}
	return r;
}

static int read_section_headers(struct cg_image *image, int fd)
{
	const Elf64_Ehdr *header = image->data;
	if (header->e_shoff == 0)
		return 0;
	if (header->e_shoff % sizeof(uint64_t) != 0)
		return -ENOEXEC;
	int r = read_at(image, fd, header->e_shoff, sizeof(Elf64_Shdr));
	if (r < 0)
		return r;
	uint64_t count = header->e_shnum ? header->e_shnum : sections_of(image)->sh_size;
	if (count > SECTIONS_MAX)
		return -ENOEXEC;
	image->section_count = count;
	return read_at(image, fd, header->e_shoff, count * sizeof(Elf64_Shdr));
}

static bool is_dwarf(const char *name)
{
	bool packed = strncmp(name, ".zdebug_", 8) == 0;
	if (!packed && strncmp(name, ".debug_", 7) != 0)
		return false;
	name += packed ? 8 : 7;
	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		size_t len = strlen(wanted[i]);
		if (strncmp(name, wanted[i], len) == 0 && (!name[len] || strcmp(name + len, ".dwo") == 0))
			return true;
	}
	return false;
}

static unsigned part_of(const Elf64_Shdr *section, const char *name)
{
	if (section->sh_type == SHT_SYMTAB || section->sh_type == SHT_DYNSYM || section->sh_type == SHT_STRTAB)
		return CG_PART_SYMBOLS;
	if (strcmp(name, ".gnu_debugdata") == 0)
		return CG_PART_PACKED;
	if (section->sh_type == SHT_NOTE || strcmp(name, ".gnu_debuglink") == 0 ||
	    strcmp(name, ".gnu_debugaltlink") == 0)
		return CG_PART_LINKS;
	return is_dwarf(name) ? CG_PART_DWARF : 0;
}

/* The section's name, "" where that cannot be told. */
static const char *name_of(const struct cg_image *image, const Elf64_Shdr *section)
{
	const Elf64_Ehdr *header = image->data;
	const Elf64_Shdr *sections = sections_of(image);
	uint32_t index = header->e_shstrndx == SHN_XINDEX ? sections[0].sh_link : header->e_shstrndx;
	if (index >= image->section_count)
		return "";
	const Elf64_Shdr *names = &sections[index];
	const char *text = (const char *)image->data + names->sh_offset;
	if (section->sh_name >= names->sh_size || names->sh_size > NAMES_MAX || text[names->sh_size - 1])
		return "";
	return text + section->sh_name;
}

static int read_names(const struct cg_image *image, int fd)
{
	const Elf64_Ehdr *header = image->data;
	const Elf64_Shdr *sections = sections_of(image);
	uint32_t index = header->e_shstrndx == SHN_XINDEX ? sections[0].sh_link : header->e_shstrndx;
	if (index >= image->section_count)
		return image->section_count ? -ENOEXEC : 0;
	const Elf64_Shdr *names = &sections[index];
	if (names->sh_size == 0 || names->sh_size > NAMES_MAX ||
	    is_over_headers(image, names->sh_offset, names->sh_size))
		return -ENOEXEC;
	return read_at(image, fd, names->sh_offset, names->sh_size);
}

static bool has_part(const struct cg_image *image, const Elf64_Shdr *section, unsigned part)
{
	return section->sh_type != SHT_NULL && section->sh_type != SHT_NOBITS &&
	       part_of(section, name_of(image, section)) == part;
}

static int read_links(const struct cg_image *image, int fd)
{
	Elf64_Shdr *sections = sections_of(image);
	int r = 0;
	for (uint64_t i = 0; r == 0 && i < image->section_count; i++) {
		Elf64_Shdr *section = &sections[i];
		bool link = has_part(image, section, CG_PART_LINKS) && section->sh_size <= NOTES_MAX;
		if (link && !is_over_headers(image, section->sh_offset, section->sh_size))
			r = read_at(image, fd, section->sh_offset, section->sh_size);
		else if (link || has_part(image, section, 0))
			section->sh_type = SHT_NOBITS;
	}
	return r;
}

static bool is_same(const struct cg_image *image, int fd)
{
	struct stat st;
	return cg_sys_fstat(fd, &st) == 0 && cg_fileid(&st) == image->file_id;
}

int cg_image_read_headers(struct cg_image *image, int fd)
{
	int r = read_at(image, fd, 0, sizeof(Elf64_Ehdr));
	if (r == 0)
		r = check_header(image->data);
	if (r == 0)
		r = read_section_headers(image, fd);
	if (r == 0)
		r = read_segments(image, fd);
	if (r == 0)
		r = read_names(image, fd);
	if (r == 0)
		r = read_links(image, fd);
	return r == 0 && !is_same(image, fd) ? -ENOEXEC : r;
}

/* Whole bytes of the part, counted before any of them is read; UINT64_MAX for a file whose sections make no sense. */
static uint64_t size_of(const struct cg_image *image, unsigned part)
{
	const Elf64_Shdr *sections = sections_of(image);
	uint64_t sum = 0;
	for (uint64_t i = 0; i < image->section_count; i++) {
		uint64_t offset = sections[i].sh_offset, size = sections[i].sh_size;
		if (!has_part(image, &sections[i], part))
			continue;
		if (!is_inside(image, offset, size) || is_over_headers(image, offset, size))
			return UINT64_MAX;
		sum += size;
	}
	return sum < image->size ? sum : image->size;
}

static int read_part(const struct cg_image *image, int fd, unsigned part, struct cg_budget *budget)
{
	const Elf64_Shdr *sections = sections_of(image);
	int r = 0;
	for (uint64_t i = 0; i < image->section_count && r == 0; i++) {
		uint64_t size = has_part(image, &sections[i], part) ? sections[i].sh_size : 0;
		for (uint64_t at = 0; at < size && r == 0; at += STEP) {
			uint64_t step = size - at < STEP ? size - at : STEP;
			r = cg_budget_over(budget) ? -ETIME : read_at(image, fd, sections[i].sh_offset + at, step);
		}
	}
	return r;
}

int cg_image_read_fd(struct cg_image *image, int fd, enum cg_part part, struct cg_budget *budget)
{
	uint64_t size = size_of(image, part);
	if (size == UINT64_MAX || cg_annex_memory_never(size))
		return -ENOEXEC;
	if (!cg_annex_memory_take(size)) {
		budget->cut = true;
		return -ENOMEM;
	}
	int r = is_same(image, fd) ? read_part(image, fd, part, budget) : -ESTALE;
	if (r == 0 && !is_same(image, fd))
		r = -ESTALE;
	if (r < 0) {
		cg_annex_memory_give(size);
		image->spoilt |= r != -ETIME;
		budget->cut = true; /* another time the file may be whole */
		return r;
	}
	image->taken += size;
	image->parts |= part;
	return 0;
}

bool cg_image_read(struct cg_image *image, enum cg_part part, struct cg_budget *budget)
{
	if (image->parts & part)
		return true;
	if (image->spoilt || cg_budget_over(budget))
		return false;
	int fd = cg_open_regular(image->path, 0);
	int r = fd < 0 ? fd : cg_image_read_fd(image, fd, part, budget);
	if (fd >= 0)
		cg_sys_close(fd);
	if (fd == -EMFILE || fd == -ENFILE)
		budget->cut = true;
	return r == 0;
}

bool cg_image_crc32(const struct cg_image *image, struct cg_budget *budget, uint32_t *ret)
{
	static uint32_t table[256];
	uint8_t data[16384];
	uint32_t crc = ~0u;
	for (uint32_t i = 0; i < 256 && !table[255]; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		table[i] = c;
	}
	int fd = cg_open_regular(image->path, 0);
	ssize_t n = -1;
	for (off_t at = 0; fd >= 0 && !cg_budget_over(budget) && (n = cg_sys_pread(fd, data, sizeof data, at)) > 0;
	     at += n)
		for (ssize_t i = 0; i < n; i++)
			crc = table[(crc ^ data[i]) & 0xff] ^ (crc >> 8);
	bool whole = n == 0 && is_same(image, fd);
	if (fd >= 0)
		cg_sys_close(fd);
	*ret = ~crc;
	return whole;
}
