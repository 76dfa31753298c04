/*
 * annex_image.c: an ELF file for libelf, read into memory of our own.
 *
 * A file that is mapped and then cut short by its owner costs the program a SIGBUS. So nothing is mapped: private
 * memory as large as the file takes its place, in which only what is looked at is ever filled.
 */
#include "annex_parts.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fileid.h"
#include "sys_regular.h"

/*
 * Without access first: mlockall(MCL_FUTURE) would fill a mapping in whole, at once, with memory that is locked.
 * A core of the program need not hold a copy of its files.
 */
static int reserve(size_t size, void **ret)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *data = cg_sys_mmap(NULL, size, PROT_NONE, flags, -1, 0);
	if (cg_sys_failed(data))
		return (int)(intptr_t)data;
	CG_SYS3(SYS_munlock, data, size, 0);
	int r = (int)CG_SYS3(SYS_mprotect, data, size, PROT_READ | PROT_WRITE);
	if (r < 0) {
		cg_sys_munmap(data, size);
		return r;
	}
	cg_sys_madvise(data, size, MADV_DONTDUMP);
	*ret = data;
	return 0;
}

int cg_image_open_fd(int fd, const char *path, struct cg_image *ret)
{
	struct cg_image image = {0};
	struct stat st;
	elf_version(EV_CURRENT);
	int r = cg_sys_fstat(fd, &st);
	if (r == 0 && (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr)))
		r = -ENOEXEC;
	if (r == 0)
		r = reserve((size_t)st.st_size, &image.data);
	if (r < 0)
		return r;
	image.size = (size_t)st.st_size;
	image.file_id = cg_fileid(&st);
	image.path = strdup(path);
	r = image.path ? cg_image_read_headers(&image, fd) : -ENOMEM;
	image.elf = r == 0 ? elf_memory(image.data, image.size) : NULL;
	if (r == 0 && (!image.elf || elf_kind(image.elf) != ELF_K_ELF))
		r = -ENOEXEC;
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

int cg_image_open(const char *path, struct cg_image *ret)
{
	int fd = cg_open_regular(path, 0);
	if (fd < 0)
		return fd == -EISDIR || fd == -EINVAL ? -ENOEXEC : fd;
	int r = cg_image_open_fd(fd, path, ret);
	cg_sys_close(fd);
	return r;
}

void cg_image_close(struct cg_image *image)
{
	elf_end(image->elf);
	if (image->data)
		cg_sys_munmap(image->data, image->size);
	cg_annex_memory_give(image->taken);
	free(image->path);
	*image = (struct cg_image){0};
}

bool cg_image_unchanged(const struct cg_image *image)
{
	struct stat st;
	if (!image->path)
		return true;
	return !image->spoilt && cg_sys_fstatat(AT_FDCWD, image->path, &st, 0) == 0 && cg_fileid(&st) == image->file_id;
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
