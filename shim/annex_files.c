/* annex_files.c: keeps the files of the last questions open. */
#include "annex.h"
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
	cg_begin_close(binary);
	elf_end(binary->mini);
	free(binary->mini_data);
	free(binary->ranges);
	cg_image_close(&binary->alt);
	cg_image_close(&binary->debug);
	cg_image_close(&binary->main);
	cg_annex_memory_give(binary->unpacked);
	free(binary->name);
	free(binary);
}

/* Asked at each question: one path may have held two files in a process's life. */
static bool is_it(const struct cg_binary *binary, const struct cg_annex_module *module)
{
	if (module->build_id_len)
		return cg_image_has_id(&binary->main, module->build_id, module->build_id_len);
	if (module->file_id)
		return binary->main.file_id == module->file_id;
	return !module->mapped || strcmp(binary->main.path, module->mapped) == 0;
}

static struct cg_binary **find(const char *path)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (files[i] && strcmp(files[i]->name, path) == 0)
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

static int open_named(const struct cg_annex_module *module, const char *path, struct cg_binary *binary)
{
	int r = cg_image_open(path, &binary->main);
	if (r == 0)
		r = !binary->main.is_code ? -ENOEXEC : is_it(binary, module) ? 0 : -ESTALE;
	if (r < 0)
		cg_image_close(&binary->main);
	return r;
}

/* By its other name the loaded file is there after it was replaced or deleted, too. */
static int open_new(const struct cg_annex_module *module, struct cg_binary ***ret)
{
	struct cg_binary *binary = calloc(1, sizeof *binary);
	if (!binary || !(binary->name = strdup(module->path))) {
		free(binary);
		return -ENOMEM;
	}
	bool believed = module->build_id_len || module->file_id || !module->mapped;
	int r = believed ? open_named(module, module->path, binary) : -ESTALE;
	if (r < 0 && module->mapped && open_named(module, module->mapped, binary) == 0)
		r = 0;
	if (r < 0) {
		free(binary->name);
		free(binary);
		return r;
	}
	struct cg_binary **place = make_room();
	*place = binary;
	*ret = place;
	return 0;
}

static bool is_unchanged(const struct cg_binary *binary)
{
	return cg_image_unchanged(&binary->main) && cg_image_unchanged(&binary->debug) &&
	       cg_image_unchanged(&binary->alt);
}

int cg_files_get(const struct cg_annex_module *module, struct cg_binary **ret)
{
	struct cg_binary **place = find(module->path);
	if (place && (!is_unchanged(*place) || !is_it(*place, module))) {
		drop(place);
		place = NULL;
	}
	if (!place) {
		int r = open_new(module, &place);
		if (r < 0)
			return r;
	}
	(*place)->used = ++uses;
	*ret = *place;
	return 0;
}

bool cg_files_drop_others(const struct cg_binary *kept)
{
	bool any = false;
	for (unsigned i = 0; i < FILES; i++) {
		if (!files[i] || files[i] == kept)
			continue;
		drop(&files[i]);
		any = true;
	}
	return any;
}

void cg_files_reset(void)
{
	(void)cg_files_drop_others(NULL);
}
