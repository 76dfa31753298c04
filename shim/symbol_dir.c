/* symbol_dir.c: where libcloseguard.so is, and with it the annexes. */
#include "symbol.h"

#include <dlfcn.h>
#include <string.h>

#include "arena.h"
#include "fmt.h"
#include "sys.h"

enum { DIRECTORY_MAX = 1024 };

static char own_dir[DIRECTORY_MAX] CG_LARGE;
static _Atomic bool own_dir_known;

void cg_symbol_set_dir(const char *directory)
{
	struct cg_buf text;
	cg_buf_init(&text, own_dir, sizeof own_dir);
	cg_buf_str(&text, directory);
	atomic_store(&own_dir_known, true);
}

/* A program's own name may be given without its directory, a preloaded library's relative to the one at start. */
static void find_own_dir(struct cg_buf *path)
{
	Dl_info info;
	char start[DIRECTORY_MAX] = "";
	if (!dladdr((void *)&cg_symbol_own_dir, &info) || !info.dli_fname)
		return;
	if (!strchr(info.dli_fname, '/')) {
		ssize_t n = cg_sys_readlinkat(AT_FDCWD, "/proc/self/exe", start, sizeof start - 1);
		cg_buf_bytes(path, start, n > 0 ? (size_t)n : 0);
	} else {
		if (info.dli_fname[0] != '/' && CG_SYS3(SYS_getcwd, start, sizeof start, 0) > 0)
			cg_buf_fmt(path, "%s/", start);
		cg_buf_str(path, info.dli_fname);
	}
	char *slash = strrchr(path->data, '/');
	if (slash && !path->truncated)
		*slash = '\0';
	else
		cg_buf_init(path, path->data, path->size);
}

const char *cg_symbol_own_dir(void)
{
	struct cg_buf path;
	if (!atomic_load(&own_dir_known)) {
		cg_buf_init(&path, own_dir, sizeof own_dir);
		find_own_dir(&path);
		atomic_store(&own_dir_known, true);
	}
	return own_dir;
}
