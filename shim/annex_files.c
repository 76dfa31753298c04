/* annex_files.c: keeps the files of the last questions open. */
#include "annex_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Programs with more modules than this in their stacks pay for reopening some; each costs address space, no fd. */
enum { FILES = 64 };

static struct cg_binary *files[FILES];
static uint64_t uses;

static void drop(struct cg_binary **place)
{
	struct cg_binary *binary = *place;
	*place = NULL;
	cg_walk_forget();
	cg_debug_close(binary);
	elf_end(binary->mini);
	free(binary->mini_data);
	free(binary->ranges);
	cg_image_close(&binary->alt);
	cg_image_close(&binary->debug);
	cg_image_close(&binary->main);
	free(binary);
}

/* Ids are compared at each question: one path may have held two files in a process's life. */
static int check_id(const struct cg_binary *binary, const uint8_t *build_id, size_t len)
{
	return len == 0 || cg_image_has_id(&binary->main, build_id, len) ? 0 : -ESTALE;
}

static struct cg_binary **find(const char *path)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (files[i] && strcmp(files[i]->main.path, path) == 0)
			return &files[i];
	}
	return NULL;
}

static struct cg_binary **make_room(void)
{
	struct cg_binary **oldest = &files[0];
	for (unsigned i = 0; i < FILES; i++) {
		if (!files[i])
			return &files[i];
		if (files[i]->used < (*oldest)->used)
			oldest = &files[i];
	}
	drop(oldest);
	return oldest;
}

static int open_new(const char *path, struct cg_binary ***ret)
{
	struct cg_binary *binary = calloc(1, sizeof *binary);
	if (!binary)
		return -ENOMEM;
	int r = cg_image_open(path, &binary->main);
	if (r == 0 && !binary->main.is_code)
		r = -ENOEXEC;
	if (r < 0) {
		cg_image_close(&binary->main);
		free(binary);
		return r;
	}
	struct cg_binary **place = make_room();
	*place = binary;
	*ret = place;
	return 0;
}

int cg_files_get(const char *path, const uint8_t *build_id, size_t len, struct cg_binary **ret)
{
	struct cg_binary **place = find(path);
	if (place && (!cg_image_unchanged(&(*place)->main) || !cg_image_unchanged(&(*place)->debug) ||
	              !cg_image_unchanged(&(*place)->alt))) {
		drop(place);
		place = NULL;
	}
	if (!place) {
		int r = open_new(path, &place);
		if (r < 0)
			return r;
	}
	(*place)->used = ++uses;
	int r = check_id(*place, build_id, len);
	if (r < 0)
		return r;
	*ret = *place;
	return 0;
}

void cg_files_reset(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (files[i])
			drop(&files[i]);
	}
}
