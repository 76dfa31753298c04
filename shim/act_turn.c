/*
 * act_turn.c: of two processes that hold one connection and close it, one asks at a time who else does.
 *
 * Both keep a duplicate while they ask, and each sees the other's: where both give up on that, nobody drains. The lock
 * that a turn is lies on the socket's inode, belongs to the process, and ends with it or with its duplicate; a program
 * has no use for one there. It is a courtesy: where the kernel refuses it, a question is asked as well.
 */
#include <errno.h>
#include <fcntl.h>

#include "act_parts.h"
#include "sys.h"

static int set_lock(int fd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	return cg_sys_fcntl(fd, F_SETLK, (long)&lock);
}

bool cg_act_turn_take(int fd)
{
	int r = set_lock(fd, F_WRLCK);
	return r != -EAGAIN && r != -EACCES;
}

void cg_act_turn_leave(int fd)
{
	(void)set_lock(fd, F_UNLCK);
}
