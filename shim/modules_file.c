/*
 * modules_file.c: which file a module without build-id was loaded from.
 *
 * Its path may lead to another file by the time that somebody asks for names. The kernel knows what is mapped: for the
 * program itself /proc/self/exe is that file; of the rest, /proc/self/maps tells the number of the file and whether its
 * name still leads to it.
 */
#include "modules.h"

#include <string.h>

#include "fileid.h"
#include "recorder.h"
#include "sys.h"

enum { LINE_MAX_LEN = 4096 + 128, VALID = 2 };

static bool is_unknown(const struct cg_module *m)
{
	return atomic_load(&m->state) == VALID && atomic_load(&m->unloaded) == 0 && m->build_id_len == 0 &&
	       m->path[0] == '/' && !(atomic_load(&m->flags) & CG_MODULE_ASKED);
}

/* The module without build-id whose code begins in that range, or NULL. Each is returned once. */
static struct cg_module *take_unknown(uint64_t start, uint64_t end)
{
	struct cg_module *m;
	for (unsigned i = 0; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++) {
		if (is_unknown(m) && m->start >= start && m->start < end) {
			atomic_fetch_or(&m->flags, CG_MODULE_ASKED);
			return m;
		}
	}
	return NULL;
}

static void set_file(struct cg_module *m, const char *path, uint64_t inode)
{
	struct stat st;
	if (cg_sys_fstatat(AT_FDCWD, path, &st, 0) == 0 && (!inode || st.st_ino == inode))
		atomic_store(&m->file_id, cg_fileid(&st));
}

static uint64_t read_number(const char **at, unsigned base)
{
	uint64_t value = 0;
	for (;; (*at)++) {
		char c = **at;
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
		                 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
		                                        : base;
		if (digit >= base)
			return value;
		value = value * base + digit;
	}
}

/*
 * "7f31-7f35 r-xp 00001000 08:01 4711   /path": not the device, which some file systems tell otherwise here. A file
 * that was replaced or deleted, " (deleted)", is not to be had by its name.
 */
static void read_line(const char *line)
{
	static const char gone[] = " (deleted)";
	const char *at = line, *path = strchr(line, '/');
	uint64_t start = read_number(&at, 16), end = *at == '-' ? (at++, read_number(&at, 16)) : 0;
	struct cg_module *m = path && end ? take_unknown(start, end) : NULL;
	if (!m)
		return;
	for (unsigned field = 0; field < 4 && at < path; field += *at++ == ' ')
		;
	size_t len = strlen(path), tail = sizeof gone - 1;
	if (len < tail || strcmp(path + len - tail, gone) != 0)
		set_file(m, path, read_number(&at, 10));
}

static void read_maps(int fd)
{
	char text[LINE_MAX_LEN];
	size_t len = 0;
	ssize_t n;
	for (off_t from = 0; (n = cg_sys_pread(fd, text + len, sizeof text - 1 - len, from)) > 0; from += n) {
		len += (size_t)n;
		text[len] = '\0';
		char *line = text, *end;
		for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
			*end = '\0';
			read_line(line);
		}
		len = line == text ? 0 : (size_t)(text + len - line); /* a line too long is none of a module's */
		memmove(text, line, len);
	}
}

static bool any_unknown(void)
{
	struct cg_module *m;
	bool any = false;
	for (unsigned i = 0; i < CG_MAX_MODULES && (m = cg_recorder_module(i, false)) != NULL; i++) {
		if (is_unknown(m) && (atomic_load(&m->flags) & CG_MODULE_MAIN)) {
			atomic_fetch_or(&m->flags, CG_MODULE_ASKED);
			set_file(m, "/proc/self/exe", 0);
		}
		any = any || is_unknown(m);
	}
	return any;
}

void cg_modules_identify(void)
{
	if (!any_unknown())
		return;
	int fd = cg_sys_open("/proc/self/maps", O_RDONLY, 0);
	if (fd < 0)
		return;
	read_maps(fd);
	cg_sys_close(fd);
}
