/* sweep_suppress.c: reads the suppressions that come with the library, from the file beside it. */
#include "sweep_suppress.h"

#include <sys/mman.h>

#include "fmt.h"
#include "sweep_state.h"
#include "symbol.h"
#include "sys_regular.h"

#define NAME "libcloseguard-suppressions.cfg"

enum { SUPPRESSIONS = 32, TEXT = 16384 };

static void *room_of(size_t size)
{
	void *room = cg_sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return cg_sys_failed(room) ? NULL : room;
}

/* How much of the file there is, at most `room`. */
static size_t read_file(char *text, size_t room)
{
	char path[1100];
	struct cg_buf name;
	size_t n = 0;
	cg_buf_init(&name, path, sizeof path);
	cg_buf_fmt(&name, "%s/" NAME, cg_symbol_own_dir());
	int fd = name.truncated ? -1 : cg_open_regular(path, 0);
	if (fd < 0)
		return 0;
	for (ssize_t got = 1; got > 0 && n < room; n += got > 0 ? (size_t)got : 0)
		got = cg_sys_pread(fd, text + n, room - n, (off_t)n);
	cg_sys_close(fd);
	return n;
}

const struct cg_policy_suppression *cg_sweep_shipped(unsigned *ret_count)
{
	static struct cg_policy_suppression *list;
	static unsigned count;
	static bool read;
	if (!read && cg_sweep_state.options->suppress) {
		char *text = room_of(TEXT);
		list = room_of(SUPPRESSIONS * sizeof *list);
		if (text && list)
			count = cg_policy_read_suppressions(text, read_file(text, TEXT), list, SUPPRESSIONS);
		if (text)
			cg_sys_munmap(text, TEXT);
		read = true;
	}
	*ret_count = count;
	return list;
}
