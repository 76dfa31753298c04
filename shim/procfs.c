/* procfs.c: what /proc tells of this process and its descriptors. */
#include "procfs.h"

#include <dirent.h>
#include <stdatomic.h>
#include <string.h>

#include "fmt.h"
#include "ownfd.h"
#include "sys.h"

/* Not /proc/self: that is the first thread, which shows no descriptors any more once it has ended. All share them. */
static const char own_descriptors[] = "/proc/thread-self/fd";

/*
 * /proc/self/fd, kept open: a directory that is opened for each look has, for a moment, the lowest free number, which
 * the app may be about to get.
 */
static _Atomic int kept_directory = -1;

/*
 * Moved up at once, and closed only if it is still ours: an app that closes all descriptors while a walk is under way
 * may have the number in use already.
 */
static int open_own(int at, const char *path, int flags)
{
	int fd = cg_sys_openat(at, path, O_RDONLY | O_CLOEXEC | flags, 0);
	return fd < 0 ? fd : cg_ownfd_take(fd);
}

static unsigned digit(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* Leading blanks, then digits up to the first other character. *at moves past them; no digit gives 0. */
static uint64_t take_number(const char **at, unsigned base)
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
		uint64_t number = take_number(&end, 10);
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
	int dir = open_own(at, path, O_DIRECTORY);
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
	if (atomic_load(&kept_directory) < 0)
		atomic_store(&kept_directory, open_own(AT_FDCWD, "/proc/self/fd", O_DIRECTORY));
}

void cg_proc_after_fork(void)
{
	cg_ownfd_close(atomic_exchange(&kept_directory, -1));
}

/* The directory that is kept, at its beginning; -1 where there is none, or the app closed it. */
static int rewound_directory(void)
{
	int dir = atomic_load(&kept_directory);
	return dir >= 0 && cg_ownfd_valid(dir) && cg_sys_lseek(dir, 0, SEEK_SET) == 0 ? dir : -1;
}

/* The text of a link, which is cut where it is longer: those looked for here are short. */
static int read_link(int dir, const char *name, char text[48])
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
	int r = read_link(dir, name, text);
	if (r < 0)
		return r;
	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	*ret_inode = take_number(&at, 10);
	return 1;
}

/* Lines of a file of any length through a fixed buffer. A line that does not fit is cut. */
struct lines {
	int fd;
	unsigned at, end;
	off_t offset; /* in the file, of what comes next */
	bool cut;     /* the rest of the last line is still to be skipped */
	char text[2048];
};

static char *buffered_line(struct lines *lines)
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

/* 1 and a line without its newline, 0 at the end of the file (a last line without newline is none), or -errno. */
static int next_line(struct lines *lines, const char **ret_line)
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

struct epoll_walk {
	cg_epoll_visit *visit;
	void *context;
};

/* "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%lx sdev:%x"; it ends after data before Linux 4.13. */
static int take_registration(int epfd, const char *line, const struct epoll_walk *walk)
{
	uint64_t inode = 0;
	if (strncmp(line, "tfd:", 4) != 0)
		return 0;
	const char *at = line + 4, *ino = strstr(line, " ino:");
	int fd = (int)take_number(&at, 10);
	if (ino) {
		ino += 5;
		inode = take_number(&ino, 16);
	}
	return walk->visit(epfd, fd, inode, walk->context);
}

static int walk_epoll(int dir, const char *name, unsigned number, void *context)
{
	struct lines lines = {.fd = -1};
	char text[48];
	const char *line;
	struct cg_buf path;
	if (read_link(dir, name, text) < 0 || strcmp(text, "anon_inode:[eventpoll]") != 0)
		return 0; /* -ENOENT: closed since it was listed */
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "/proc/thread-self/fdinfo/%u", number);
	lines.fd = open_own(AT_FDCWD, text, 0);
	if (lines.fd < 0)
		return lines.fd == -ENOENT ? 0 : lines.fd;
	int r;
	while ((r = next_line(&lines, &line)) > 0) {
		r = take_registration((int)number, line, context);
		if (r)
			break;
	}
	cg_ownfd_close(lines.fd);
	return r;
}

int cg_proc_epolls(cg_epoll_visit *visit, void *context)
{
	struct epoll_walk walk = {visit, context};
	return cg_proc_entries(AT_FDCWD, own_descriptors, walk_epoll, &walk);
}

struct set_walk {
	int *fds;
	unsigned count, max;
};

static int take_set(int dir, const char *name, unsigned number, void *context)
{
	struct set_walk *walk = context;
	char text[48];
	if (read_link(dir, name, text) == 0 && strcmp(text, "anon_inode:[eventpoll]") == 0 && walk->count < walk->max)
		walk->fds[walk->count++] = (int)number;
	return 0;
}

int cg_proc_epoll_sets(int *fds, unsigned max)
{
	struct set_walk walk = {fds, 0, max};
	int dir = rewound_directory();
	int r = dir >= 0 ? walk_directory(dir, take_set, &walk)
	                 : cg_proc_entries(AT_FDCWD, own_descriptors, take_set, &walk);
	return r < 0 ? r : (int)walk.count;
}

struct polled {
	int fd;
	uint64_t inode;
	int epfd;
};

static int find_polled(int epfd, int fd, uint64_t inode, void *context)
{
	struct polled *polled = context;
	bool same = inode && polled->inode ? inode == polled->inode : fd == polled->fd;
	if (!same)
		return 0;
	polled->epfd = epfd;
	return 1;
}

int cg_proc_polled_by(int fd, uint64_t inode)
{
	struct polled polled = {fd, inode, -1};
	int r = cg_proc_epolls(find_polled, &polled);
	if (r == -EPERM)
		return -EACCES;
	return r < 0 ? r : polled.epfd;
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
	if ((int)number == dir)
		return 0;
	walk->open++;
	if (cg_ownfd_is((int)number) || cg_proc_socket_inode(dir, name, &inode) <= 0)
		return 0;
	return walk->visit((int)number, inode, walk->context);
}

int cg_proc_sockets(cg_fd_visit *visit, void *context, unsigned *ret_open)
{
	struct socket_walk walk = {visit, context, 0};
	int dir = rewound_directory(), r = dir < 0 ? -EBADF : walk_directory(dir, walk_socket, &walk);
	if (r < 0 || walk.open == 0) /* the first thread has ended, and shows none */
		r = cg_proc_entries(AT_FDCWD, own_descriptors, walk_socket, &walk);
	if (r == 0 && ret_open)
		*ret_open = walk.open;
	return r;
}
