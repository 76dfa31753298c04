/* procfs.c: directories of /proc, and this process's descriptors. */
#include "procfs.h"

#include <dirent.h>
#include <stdatomic.h>
#include <string.h>

#include "fmt.h"
#include "ownfd.h"
#include "procfs_holders.h"
#include "sys.h"

static void path_of_descriptors(char path[64])
{
	struct cg_buf buf;
	cg_buf_init(&buf, path, 64);
	cg_buf_fmt(&buf, "%s/fd", cg_proc_table());
}

/*
 * /proc/self/fd, kept open: a directory that is opened for each look has, for a moment, the lowest free number, which
 * the app may be about to get. One in each table.
 */
static _Atomic int kept_directories[2] = {-1, -1};

static _Atomic int *kept_directory(void)
{
	return &kept_directories[cg_ownfd_unshared];
}

int cg_proc_open(int at, const char *path, int flags)
{
	int fd = cg_sys_openat(at, path, O_RDONLY | O_CLOEXEC | flags, 0);
	return fd < 0 ? fd : cg_ownfd_take(fd);
}

static unsigned digit(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

uint64_t cg_proc_take_number(const char **at, unsigned base)
{
	uint64_t value = 0;
	while (**at == ' ' || **at == '\t')
		++*at;
	for (; digit(**at) < base; ++*at)
		value = value * base + digit(**at);
	return value;
}

/* *position: of the entry that is being visited; it becomes that of the next one. */
static int visit_entries(int dir, const char *buffer, ssize_t len, off_t *position, cg_proc_entry_visit *visit,
                         void *context)
{
	for (ssize_t at = 0; at < len;) {
		const struct dirent64 *entry = (const void *)(buffer + at);
		const char *end = entry->d_name;
		uint64_t number = cg_proc_take_number(&end, 10);
		at += entry->d_reclen;
		int r = end == entry->d_name || *end ? 0 : visit(dir, entry->d_name, (unsigned)number, context);
		if (r)
			return r;
		*position = entry->d_off;
	}
	return 0;
}

static int walk_directory_from(int dir, off_t *position, cg_proc_entry_visit *visit, void *context)
{
	_Alignas(struct dirent64) char buffer[4096]; /* 170 entries for a system call; two walks nest */
	for (;;) {
		ssize_t n = cg_sys_getdents64(dir, buffer, sizeof(buffer));
		if (n <= 0)
			return (int)n;
		int r = visit_entries(dir, buffer, n, position, visit, context);
		if (r)
			return r;
	}
}

static int walk_directory(int dir, cg_proc_entry_visit *visit, void *context)
{
	off_t position = 0;
	return walk_directory_from(dir, &position, visit, context);
}

int cg_proc_entries_from(int at, const char *path, off_t *position, cg_proc_entry_visit *visit, void *context)
{
	int dir = cg_proc_open(at, path, O_DIRECTORY);
	if (dir < 0)
		return dir;
	off_t sought = *position ? cg_sys_lseek(dir, *position, SEEK_SET) : 0;
	int r = sought < 0 ? (int)sought : walk_directory_from(dir, position, visit, context);
	cg_ownfd_close(dir);
	return r;
}

int cg_proc_entries(int at, const char *path, cg_proc_entry_visit *visit, void *context)
{
	off_t position = 0;
	return cg_proc_entries_from(at, path, &position, visit, context);
}

void cg_proc_keep(void)
{
	char path[64];
	path_of_descriptors(path);
	if (atomic_load(kept_directory()) < 0)
		atomic_store(kept_directory(), cg_proc_open(AT_FDCWD, path, O_DIRECTORY));
}

void cg_proc_keep_another(void)
{
	cg_ownfd_close(atomic_exchange(kept_directory(), -1));
	cg_proc_keep();
}

void cg_proc_after_fork(void)
{
	cg_ownfd_close(atomic_exchange(&kept_directories[false], -1));
	atomic_store(&kept_directories[true], -1); /* its thread, and with it the table, is the parent's */
	cg_holders_after_fork();
}

/* The directory that is kept, at its beginning; -1 where there is none, or the app closed it. */
static int rewound_directory(void)
{
	int dir = atomic_load(kept_directory());
	return dir >= 0 && cg_ownfd_valid(dir) && cg_sys_lseek(dir, 0, SEEK_SET) == 0 ? dir : -1;
}

int cg_proc_descriptors(cg_proc_entry_visit *visit, void *context)
{
	char path[64];
	path_of_descriptors(path);
	return cg_proc_entries(AT_FDCWD, path, visit, context);
}

int cg_proc_read_link(int dir, const char *name, char text[48])
{
	ssize_t n = cg_sys_readlinkat(dir, name, text, 47);
	if (n < 0)
		return (int)n;
	text[n] = 0;
	return 0;
}

int cg_proc_socket_inode(int dir, const char *name, uint64_t *ret_inode)
{
	static const char prefix[] = "socket:[";
	char text[48];
	const char *at = text + sizeof(prefix) - 1;
	int r = cg_proc_read_link(dir, name, text);
	if (r < 0)
		return r;
	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	*ret_inode = cg_proc_take_number(&at, 10);
	return 1;
}

cg_proc_leaves_alone_fn *_Atomic cg_proc_leaves_alone;

struct set_walk {
	int *fds;
	unsigned count, max;
};

static int take_set(int dir, const char *name, unsigned number, void *context)
{
	struct set_walk *walk = context;
	char text[48];
	if (cg_proc_is_left_alone(number, false))
		return 0;
	if (cg_proc_read_link(dir, name, text) == 0 && strcmp(text, "anon_inode:[eventpoll]") == 0 &&
	    walk->count < walk->max)
		walk->fds[walk->count++] = (int)number;
	return 0;
}

int cg_proc_epoll_sets(int *fds, unsigned max)
{
	struct set_walk walk = {fds, 0, max};
	int dir = rewound_directory();
	int r = dir >= 0 ? walk_directory(dir, take_set, &walk) : cg_proc_descriptors(take_set, &walk);
	return r < 0 ? r : (int)walk.count;
}

struct socket_walk {
	cg_fd_visit *visit;
	void *context;
	unsigned open;
};

static int walk_socket(int dir, const char *name, unsigned number, void *context)
{
	struct socket_walk *walk = context;
	uint64_t inode;
	if (cg_ownfd_is((int)number) || (!cg_ownfd_unshared && (int)number == dir))
		return 0;
	walk->open++;
	if (cg_proc_is_left_alone(number, true))
		return 0;
	if (cg_proc_socket_inode(dir, name, &inode) <= 0)
		return 0;
	return walk->visit((int)number, inode, walk->context);
}

int cg_proc_sockets(cg_fd_visit *visit, void *context, unsigned *ret_open)
{
	struct socket_walk walk = {visit, context, 0};
	int dir = rewound_directory(), r = dir < 0 ? -EBADF : walk_directory(dir, walk_socket, &walk);
	if (r < 0 || walk.open == 0) /* the first thread has ended, and shows none */
		r = cg_proc_descriptors(walk_socket, &walk);
	if (r == 0 && ret_open)
		*ret_open = walk.open;
	return r;
}
