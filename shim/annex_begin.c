/*
 * annex_begin.c: files that libdw opens by itself: split units (.dwo, .dwp), and alternates.
 *
 * libdw would map them. It finds elf_begin in the annex before it finds libelf's, since the annex is what was loaded,
 * and gets a view of memory into which the file was read. A program that comes to use libdw later, in another thread or
 * another time, shares it with us: it gets what libelf answers.
 */
#include "annex_parts.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

static struct cg_binary *_Atomic opening_for;
static int opening_thread;
static struct cg_budget *time_for_it;

static int thread_id(void)
{
	return (int)CG_SYS3(SYS_gettid, 0, 0, 0);
}

void cg_begin_for(struct cg_binary *binary, struct cg_budget *budget)
{
	opening_thread = thread_id();
	time_for_it = budget;
	opening_for = binary;
}

void cg_begin_end(void)
{
	opening_for = NULL;
}

/* The views were ended with the DWARF that was read of them. */
void cg_begin_close(struct cg_binary *binary)
{
	struct cg_opened *next;
	for (struct cg_opened *opened = binary->opened; opened; opened = next) {
		next = opened->next;
		cg_image_close(&opened->image);
		free(opened);
	}
	binary->opened = NULL;
}

static Elf *begin_by_libelf(int fd, Elf_Cmd command, Elf *reference)
{
	static Elf *(*_Atomic real)(int, Elf_Cmd, Elf *);
	Elf *(*begin)(int, Elf_Cmd, Elf *) = real;
	if (!begin) {
		void *libelf = dlopen("libelf.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
		void *found = libelf ? dlsym(libelf, "elf_begin") : NULL;
		memcpy(&begin, &found, sizeof begin);
		real = begin;
	}
	return begin ? begin(fd, command, reference) : NULL;
}

static Elf *begin_in_memory(struct cg_binary *binary, int fd)
{
	struct cg_opened *opened = calloc(1, sizeof *opened);
	if (!opened || cg_image_open_fd(fd, "", &opened->image) < 0) {
		free(opened);
		return NULL;
	}
	opened->next = binary->opened;
	binary->opened = opened;
	Elf *elf = opened->image.elf;
	if (cg_image_read_fd(&opened->image, fd, CG_PART_DWARF, time_for_it) < 0)
		return NULL; /* the image, with its view, is closed with the others */
	opened->image.elf = NULL;
	return elf;
}

__attribute__((visibility("default"))) Elf *elf_begin(int fd, Elf_Cmd command, Elf *reference)
{
	struct cg_binary *binary = opening_for;
	if (!binary || opening_thread != thread_id())
		return begin_by_libelf(fd, command, reference);
	return reference ? NULL : begin_in_memory(binary, fd);
}
