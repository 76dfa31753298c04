/*
 * explain_libc.c: which glibc a library needs, and which one a libc is.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain.h"
#include "sys_regular.h"

enum { LARGEST = 64 << 20 };

/* A copy of the file, since a mapping of one that is cut short meanwhile is a SIGBUS. NULL where it cannot be read. */
static char *read_file(const char *path, size_t *ret_size)
{
	struct stat st;
	int fd = cg_open_regular(path, 0);
	char *content = NULL;
	size_t got = 0;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < LARGEST)
		content = calloc(1, (size_t)st.st_size + 1);
	for (ssize_t n; content && (n = read(fd, content + got, (size_t)st.st_size - got)) > 0;)
		got += (size_t)n;
	if (fd >= 0)
		close(fd);
	*ret_size = got;
	return content;
}

/* The highest number that follows `prefix` anywhere in the file. */
static unsigned highest_after(const char *path, const char *prefix)
{
	size_t size, length = strlen(prefix);
	unsigned highest = 0;
	char *content = read_file(path, &size), *at = content;
	if (!content)
		return 0;
	while ((at = memmem(at, size - (size_t)(at - content), prefix, length)) != NULL) {
		at += length;
		unsigned long number = strtoul(at, NULL, 10);
		highest = number > highest && number < 1000 ? (unsigned)number : highest;
	}
	free(content);
	return highest;
}

unsigned cg_explain_libc_wanted(const char *library)
{
	return highest_after(library, "GLIBC_2.");
}

unsigned cg_explain_libc_version(const char *libc)
{
	return highest_after(libc, "release version 2.");
}
