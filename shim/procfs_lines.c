/* procfs_lines.c: lines of a file. */
#include "procfs_lines.h"

#include <string.h>

#include "sys.h"

static char *buffered_line(struct cg_proc_lines *lines)
{
	for (;;) {
		char *line = lines->text + lines->at;
		char *newline = memchr(line, '\n', lines->end - lines->at);
		if (!newline)
			return NULL;
		*newline = 0;
		lines->at = (unsigned)(newline + 1 - lines->text);
		if (!lines->cut)
			return line;
		lines->cut = false;
	}
}

int cg_proc_next_line(struct cg_proc_lines *lines, const char **ret_line)
{
	for (;;) {
		*ret_line = buffered_line(lines);
		if (*ret_line)
			return 1;
		lines->end -= lines->at;
		memmove(lines->text, lines->text + lines->at, lines->end);
		lines->at = 0;
		bool full = lines->end == sizeof(lines->text) - 1;
		if (full || lines->cut)
			lines->end = 0;
		if (full && !lines->cut) {
			lines->cut = true;
			lines->text[sizeof(lines->text) - 1] = 0;
			*ret_line = lines->text;
			return 1;
		}
		ssize_t n = cg_sys_pread(lines->fd, lines->text + lines->end, sizeof(lines->text) - 1 - lines->end,
		                         lines->offset);
		if (n <= 0)
			return (int)n;
		lines->end += (unsigned)n;
		lines->offset += n;
	}
}
