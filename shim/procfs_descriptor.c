/* procfs_descriptor.c: one descriptor of this process, seen from outside its table. */
#include "procfs.h"

#include <string.h>

#include "fmt.h"
#include "ownfd.h"
#include "sys.h"

static char others[40] = "/proc/self"; /* where a thread with a table of its own sees the program's */

const char *cg_proc_table(void)
{
	return cg_ownfd_unshared ? others : "/proc/thread-self";
}

static void path_of(char path[64], int fd)
{
	struct cg_buf buf;
	cg_buf_init(&buf, path, 64);
	cg_buf_fmt(&buf, "%s/fd/%d", cg_proc_table(), fd);
}

int cg_proc_descriptor(int fd, uint64_t *ret_inode)
{
	char path[64];
	path_of(path, fd);
	return cg_proc_socket_inode(AT_FDCWD, path, ret_inode);
}

int cg_proc_is_tcp(int fd)
{
	char path[64], name[16];
	path_of(path, fd);
	long n = CG_SYS(SYS_getxattr, path, "system.sockprotoname", name, sizeof(name) - 1, 0, 0);
	if (n < 0)
		return (int)n;
	name[n] = 0;
	return strcmp(name, "TCP") == 0 || strcmp(name, "TCPv6") == 0;
}

/* Threads that have ended have no program any more. */
static bool is_there(const char *thread)
{
	char path[64], target[1];
	struct cg_buf buf;
	cg_buf_init(&buf, path, sizeof(path));
	cg_buf_fmt(&buf, "%s/exe", thread);
	return cg_sys_readlinkat(AT_FDCWD, path, target, sizeof(target)) > 0;
}

bool cg_proc_shows_table(void)
{
	return !cg_ownfd_unshared || is_there(others);
}

static int try_thread(int dir, const char *name, unsigned number, void *context)
{
	char path[sizeof(others)];
	struct cg_buf buf;
	(void)dir;
	(void)name;
	(void)context;
	cg_buf_init(&buf, path, sizeof(path));
	cg_buf_fmt(&buf, "/proc/self/task/%u", number);
	if ((pid_t)number == cg_sys_gettid() || !is_there(path))
		return 0;
	memcpy(others, path, sizeof(others));
	return 1;
}

bool cg_proc_follow_table(void)
{
	return cg_proc_entries(AT_FDCWD, "/proc/self/task", try_thread, NULL) == 1;
}
