/* symbol_file.c: by which files a module may be asked about. */
#include "symbol_file.h"

#include <sys/auxv.h>

#include "fmt.h"
#include "symbol.h"
#include "sys.h"

static char doubt[512];
static pid_t process; /* whose modules these are; 0: this one's own; -1: a dead one's */

void cg_symbol_set_process(pid_t pid)
{
	process = pid;
}

/* In /proc the loaded file itself is to be had, whatever its path leads to: the program's own always, others by root.
 */
static const char *mapped_name(const struct cg_module *module, char name[CG_SYMBOL_MAPPED])
{
	struct cg_buf text;
	uint64_t page = getauxval(AT_PAGESZ);
	cg_buf_init(&text, name, CG_SYMBOL_MAPPED);
	if (process < 0)
		return NULL;
	if (process == 0)
		cg_buf_str(&text, "/proc/self");
	else
		cg_buf_fmt(&text, "/proc/%d", process);
	if (atomic_load(&module->flags) & CG_MODULE_MAIN)
		cg_buf_str(&text, "/exe");
	else
		cg_buf_fmt(&text, "/map_files/%llx-%llx", (unsigned long long)(module->start & ~(page - 1)),
		           (unsigned long long)((module->end + page - 1) & ~(page - 1)));
	return name;
}

/* Told of the first module only: a package that was replaced has many. Its path may be anybody's text. */
static void note_doubt(const char *path, const char *why)
{
	struct cg_buf text;
	if (doubt[0])
		return;
	cg_buf_init(&text, doubt, sizeof doubt);
	cg_buf_fmt(&text, "functions of %s are not named: %s", path, why);
	for (char *c = doubt; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
}

static bool is_known(const struct cg_annex_module *file)
{
	return file->build_id_len || file->file_id;
}

bool cg_symbol_file_of(const struct cg_module *module, const char *path, char mapped[CG_SYMBOL_MAPPED],
                       struct cg_annex_module *ret)
{
	*ret = (struct cg_annex_module){.path = path,
	                                .mapped = mapped_name(module, mapped),
	                                .build_id = module->build_id,
	                                .build_id_len = module->build_id_len,
	                                .file_id = atomic_load(&module->file_id)};
	return is_known(ret) || ret->mapped;
}

int cg_symbol_file_judge(const struct cg_annex_module *file, int answer)
{
	if (!is_known(file) && answer < 0 && answer != -ETIME) {
		note_doubt(file->path,
		           "it has no build-id, and whether that is still the file that was loaded is not known");
		return -ESTALE;
	}
	if (answer == -ESTALE)
		note_doubt(file->path, "the file was replaced since it was loaded");
	return answer;
}

const char *cg_symbol_file_doubt(void)
{
	return doubt[0] ? doubt : NULL;
}

void cg_symbol_file_after_fork(void)
{
	doubt[0] = '\0';
}
