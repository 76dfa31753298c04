/*
 * annex_begin.c: files that libdw opens by itself: split units (.dwo, .dwp), and alternates.
 *
 * libdw would map them. It finds elf_begin in the annex before it finds libelf's, since the annex is what was loaded,
 * and gets a view of memory into which the file was read.
 */
#include "annex_parts.h"

#include <stdlib.h>

static struct cg_binary *opening_for;
static struct cg_budget *time_for_it;

void cg_begin_for(struct cg_binary *binary, struct cg_budget *budget)
{
	opening_for = binary;
	time_for_it = budget;
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

/* As libelf's for a file that is read only; any other use finds nothing. */
__attribute__((visibility("default"))) Elf *elf_begin(int fd, Elf_Cmd command, Elf *reference)
{
	struct cg_opened *opened = opening_for && !reference ? calloc(1, sizeof *opened) : NULL;
	(void)command;
	if (!opened)
		return NULL;
	if (cg_image_open_fd(fd, "", &opened->image) < 0) {
		free(opened);
		return NULL;
	}
	opened->next = opening_for->opened;
	opening_for->opened = opened;
	Elf *elf = opened->image.elf;
	if (cg_image_read_fd(&opened->image, fd, CG_PART_DWARF, time_for_it) < 0)
		return NULL; /* the image, with its view, is closed with the others */
	opened->image.elf = NULL;
	return elf;
}
