/* procfs_epolls.c: which epoll sets of this process watch which descriptors. */
#include "procfs.h"

#include <string.h>

#include "clock.h"
#include "fmt.h"
#include "ownfd.h"
#include "procfs_lines.h"
#include "sys.h"

enum { LOOKS_PER_CLOCK = 64 };

struct epoll_walk {
	cg_epoll_visit *visit;
	void *context;
	uint64_t start_ns, budget_ns; /* of this thread's CPU time */
	unsigned looks;
};

static bool is_over(struct epoll_walk *walk)
{
	return ++walk->looks % LOOKS_PER_CLOCK == 0 &&
	       cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) - walk->start_ns >= walk->budget_ns;
}

/* "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%lx sdev:%x"; it ends after data before Linux 4.13. */
static int take_registration(int epfd, const char *line, const struct epoll_walk *walk)
{
	uint64_t inode = 0;
	if (strncmp(line, "tfd:", 4) != 0)
		return 0;
	const char *at = line + 4, *ino = strstr(line, " ino:");
	int fd = (int)cg_proc_take_number(&at, 10);
	if (ino) {
		ino += 5;
		inode = cg_proc_take_number(&ino, 16);
	}
	return walk->visit(epfd, fd, inode, walk->context);
}

static int walk_epoll(int dir, const char *name, unsigned number, void *context)
{
	struct epoll_walk *walk = context;
	struct cg_proc_lines lines = {.fd = -1};
	char text[48], file[64];
	const char *line;
	struct cg_buf path;
	if (is_over(walk))
		return -ETIME;
	if (cg_proc_is_left_alone(number, false))
		return 0;
	if (cg_proc_read_link(dir, name, text) < 0 || strcmp(text, "anon_inode:[eventpoll]") != 0)
		return 0; /* -ENOENT: closed since it was listed */
	cg_buf_init(&path, file, sizeof(file));
	cg_buf_fmt(&path, "%s/fdinfo/%u", cg_proc_table(), number);
	lines.fd = cg_proc_open(AT_FDCWD, file, 0);
	if (lines.fd < 0)
		return lines.fd == -ENOENT ? 0 : lines.fd;
	int r;
	while ((r = cg_proc_next_line(&lines, &line)) > 0) {
		r = is_over(walk) ? -ETIME : take_registration((int)number, line, walk);
		if (r)
			break;
	}
	cg_ownfd_close(lines.fd);
	return r;
}

int cg_proc_epolls(uint64_t budget_ns, cg_epoll_visit *visit, void *context)
{
	struct epoll_walk walk = {.visit = visit,
	                          .context = context,
	                          .start_ns = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID),
	                          .budget_ns = budget_ns};
	return cg_proc_descriptors(walk_epoll, &walk);
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
	int r = cg_proc_epolls(UINT64_MAX, find_polled, &polled);
	if (r == -EPERM)
		return -EACCES;
	return r < 0 ? r : polled.epfd;
}
