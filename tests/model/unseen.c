/* unseen.c: system calls by their instruction, as Go and static code make them. */
#include <stdatomic.h>
#include <stddef.h>

#include "model.h"
#include "sys.h"

enum { MAX_FD = 4096 };

static _Atomic bool marked[MAX_FD];

static void mark(int fd, bool value)
{
	if (fd >= 0 && fd < MAX_FD)
		atomic_store(&marked[fd], value);
}

void unseen_clear(int fd)
{
	mark(fd, false);
}

/* Marked first: another thread may get the number at once. */
int unseen_close(int fd)
{
	mark(fd, true);
	return cg_sys_close(fd);
}

int unseen_dup3(int fd, int target)
{
	mark(target, true);
	return (int)CG_SYS3(SYS_dup3, fd, target, 0);
}

int unseen_accept(int fd)
{
	int r = (int)CG_SYS(SYS_accept4, fd, NULL, NULL, 0, 0, 0);
	mark(r, true);
	return r;
}

void unseen_list(void)
{
	for (int fd = 0; fd < MAX_FD; fd++) {
		if (atomic_load(&marked[fd]))
			printf("unseen %d\n", fd);
	}
}
