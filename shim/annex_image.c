/* annex_image.c: maps an ELF file for libelf. */
#include "annex_parts.h"

#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys_regular.h"

static bool same_file(const struct cg_image *image, const struct stat *st)
{
	return image->device == st->st_dev && image->inode == st->st_ino && image->size == (size_t)st->st_size &&
	       image->modified.tv_sec == st->st_mtim.tv_sec && image->modified.tv_nsec == st->st_mtim.tv_nsec;
}

/*
 * Mapped without access first: under mlockall(MCL_FUTURE) a readable mapping would be read in whole, at once. A file
 * that is cut short while it is mapped costs a SIGBUS; modules and debug files are replaced, not overwritten, and
 * each question looks whether that still holds.
 */
static int map(int fd, size_t size, void **ret)
{
	void *data = cg_sys_mmap(NULL, size, PROT_NONE, MAP_PRIVATE, fd, 0);
	if (cg_sys_failed(data))
		return (int)(intptr_t)data;
	CG_SYS3(SYS_munlock, data, size, 0);
	int r = (int)CG_SYS3(SYS_mprotect, data, size, PROT_READ);
	if (r < 0) {
		cg_sys_munmap(data, size);
		return r;
	}
	*ret = data;
	return 0;
}

static int map_regular(const char *path, struct cg_image *image)
{
	struct stat st;
	int fd = cg_open_regular(path, 0);
	if (fd < 0)
		return fd == -EISDIR || fd == -EINVAL ? -ENOEXEC : fd;
	int r = cg_sys_fstat(fd, &st);
	if (r == 0 && (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr)))
		r = -ENOEXEC;
	if (r == 0)
		r = map(fd, (size_t)st.st_size, &image->data);
	cg_sys_close(fd);
	if (r < 0)
		return r;
	image->size = (size_t)st.st_size;
	image->device = st.st_dev;
	image->inode = st.st_ino;
	image->modified = st.st_mtim;
	return 0;
}

/*
 * An ELF file for this machine, with all section headers inside the file: a half-copied file ends before them.
 * libelf takes such a file and leaves out what is missing, so the header is read here as it stands.
 */
static bool is_sound(const struct cg_image *image)
{
	const Elf64_Ehdr *header = image->data;
	const uint16_t one = 1;
	unsigned char order = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
	if (!header || image->size < sizeof *header)
		return false;
	const unsigned char *ident = header->e_ident;
	if (memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != order)
		return false;
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN && header->e_type != ET_REL)
		return false;
	if (header->e_shoff == 0)
		return true;
	return header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shoff < image->size &&
	       (image->size - header->e_shoff) / sizeof(Elf64_Shdr) >= header->e_shnum;
}

/* libelf notes in the section headers that it has unpacked a section: it writes to a private copy of their pages. */
static int prepare(const struct cg_image *image)
{
	const Elf64_Ehdr *header = image->data;
	size_t sections;
	if (elf_kind(image->elf) != ELF_K_ELF || elf_getshdrnum(image->elf, &sections) != 0)
		return -ENOEXEC;
	if (sections == 0 || sections > (image->size - header->e_shoff) / sizeof(Elf64_Shdr))
		return sections ? -ENOEXEC : 0;
	uint64_t first = header->e_shoff & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1);
	return (int)CG_SYS3(SYS_mprotect, (char *)image->data + first,
	                    header->e_shoff + sections * sizeof(Elf64_Shdr) - first, PROT_READ | PROT_WRITE);
}

int cg_image_open(const char *path, struct cg_image *ret)
{
	struct cg_image image = {0};
	elf_version(EV_CURRENT);
	int r = map_regular(path, &image);
	if (r < 0)
		return r;
	image.path = strdup(path);
	image.elf = is_sound(&image) ? elf_memory(image.data, image.size) : NULL;
	r = !image.path ? -ENOMEM : !image.elf ? -ENOEXEC : prepare(&image);
	if (r < 0) {
		cg_image_close(&image);
		return r;
	}
	image.is_code = ((const Elf64_Ehdr *)image.data)->e_type != ET_REL;
	const void *id;
	ssize_t len = dwelf_elf_gnu_build_id(image.elf, &id);
	image.build_id = len > 0 ? id : NULL;
	image.build_id_len = len > 0 ? (size_t)len : 0;
	*ret = image;
	return 0;
}

void cg_image_close(struct cg_image *image)
{
	elf_end(image->elf);
	if (image->data)
		cg_sys_munmap(image->data, image->size);
	free(image->path);
	*image = (struct cg_image){0};
}

bool cg_image_unchanged(const struct cg_image *image)
{
	struct stat st;
	if (!image->path)
		return true;
	return cg_sys_fstatat(AT_FDCWD, image->path, &st, 0) == 0 && same_file(image, &st);
}

bool cg_image_has_id(const struct cg_image *image, const void *id, size_t len)
{
	return image->build_id_len == len && memcmp(image->build_id, id, len) == 0;
}

Elf_Scn *cg_image_section(Elf *elf, const char *name, GElf_Shdr *ret)
{
	size_t names;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		const char *found = elf_strptr(elf, names, header.sh_name);
		if (found && strcmp(found, name) == 0) {
			*ret = header;
			return section;
		}
	}
	return NULL;
}

bool cg_image_crc32(const struct cg_image *image, struct cg_budget *budget, uint32_t *ret)
{
	static uint32_t table[256];
	for (uint32_t i = 0; i < 256 && !table[255]; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		table[i] = c;
	}
	const uint8_t *data = image->data;
	uint32_t crc = ~0u;
	for (size_t i = 0; i < image->size; i++) {
		if (i % 65536 == 0 && cg_budget_over(budget))
			return false;
		crc = table[(crc ^ data[i]) & 0xff] ^ (crc >> 8);
	}
	*ret = ~crc;
	return true;
}
