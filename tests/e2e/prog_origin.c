/*
 * prog_origin HOW PORT [PLUGIN]: leaks one connection that came into the process by an unusual way: through exec, over
 * a Unix socket, by raw system calls, by io_uring, or from a plugin that a preloaded library is invisible to. "pool"
 * has three by raw system calls, never looks at them, and closes them when it is told to.
 */
#include <dlfcn.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "prog.h"

static long raw(long number, long a, long b, long c)
{
#if defined(__x86_64__)
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#endif
}

static struct sockaddr_in where(int port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
}

static int open_raw(int port)
{
	struct sockaddr_in to = where(port);
	int fd = (int)raw(SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || raw(SYS_connect, fd, (long)&to, sizeof(to)) < 0)
		errx(3, "raw connect");
	return fd;
}

static void pool_raw(int port)
{
	int fds[3];
	for (int i = 0; i < 3; i++)
		fds[i] = open_raw(port);
	close(listener(1, false));
	say("pooled");
	if (told_to_go_on())
		for (int i = 0; i < 3; i++)
			raw(SYS_close, fds[i], 0, 0);
}

static int connect_raw(int port)
{
	char buf[64];
	int fd = open_raw(port);
	while (raw(SYS_read, fd, (long)buf, sizeof(buf)) > 0)
		;
	return fd;
}

/* A number that is known as a connection's becomes a listener's, past every wrapper; nobody accepts from it. */
static int listen_raw(void)
{
	struct sockaddr_in at = where(0);
	socklen_t len = sizeof(at);
	int seen = socket(AF_INET, SOCK_STREAM, 0);
	raw(SYS_close, seen, 0, 0);
	int fd = (int)raw(SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (fd != seen || raw(SYS_bind, fd, (long)&at, sizeof(at)) < 0 || raw(SYS_listen, fd, 8, 0) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		errx(3, "raw listen");
	say("port %d", ntohs(at.sin_port));
	return fd;
}

/* One request at a time through a ring of our own. Answers the request's result. */
static int uring(uint8_t opcode, int fd, uint64_t addr, uint32_t len, uint64_t off)
{
	static struct io_uring_params params;
	static int ring = -1;
	static uint8_t *rings;
	static struct io_uring_sqe *sqes;
	if (ring < 0) {
		ring = (int)raw(SYS_io_uring_setup, 4, (long)&params, 0);
		if (ring < 0) {
			say("skip io_uring is refused: %s", strerror(-ring));
			exit(0);
		}
		rings =
		    mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
		sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
		if (rings == MAP_FAILED || sqes == MAP_FAILED)
			err(3, "mmap of the ring");
	}
	_Atomic uint32_t *tail = (_Atomic uint32_t *)(rings + params.sq_off.tail);
	uint32_t *array = (uint32_t *)(rings + params.sq_off.array), slot = *tail & (params.sq_entries - 1);
	memset(&sqes[slot], 0, sizeof(sqes[slot]));
	sqes[slot].opcode = opcode;
	sqes[slot].fd = fd;
	sqes[slot].addr = addr;
	sqes[slot].len = len;
	sqes[slot].off = off;
	array[slot] = slot;
	*tail += 1;
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		err(3, "io_uring_enter");
	_Atomic uint32_t *head = (_Atomic uint32_t *)(rings + params.cq_off.head);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
	int result = cqes[*head & (params.cq_entries - 1)].res;
	*head += 1;
	return result;
}

/* The listener is an ordinary one; accept and the reads go through the ring, as libuv's may. */
static int accept_by_uring(int from)
{
	char buf[64];
	int fd = uring(IORING_OP_ACCEPT, from, 0, 0, 0);
	if (fd < 0)
		errx(3, "accept by io_uring: %s", strerror(-fd));
	while (uring(IORING_OP_READ, fd, (uint64_t)(uintptr_t)buf, sizeof(buf), (uint64_t)-1) > 0)
		;
	return fd;
}

static int connect_by_plugin(const char *how, const char *path, int port)
{
	void *plugin = strcmp(how, "dlmopen") == 0 ? dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL)
	                                           : dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	if (!plugin)
		errx(3, "%s", dlerror());
	int (*leak)(int port) = (int (*)(int))dlsym(plugin, "leak_one");
	return leak ? leak(port) : -1;
}

/* This program again, with the connection open and without close-on-exec. */
static void exec_with(int fd, char **argv)
{
	char number[16];
	snprintf(number, sizeof(number), "%d", fd);
	execl("/proc/self/exe", argv[0], "after-exec", number, NULL);
	err(3, "exec");
}

static int receive(int over)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int fd = -1;
	if (recvmsg(over, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		err(3, "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: prog_origin exec|received|raw|pool|listen|uring|dlmopen|deepbind PORT [PLUGIN]");
	const char *how = argv[1];
	int number = atoi(argv[2]), fd = -1;
	if (strcmp(how, "exec") == 0)
		exec_with(connect_to(number), argv);
	else if (strcmp(how, "after-exec") == 0)
		read_to_end(fd = number);
	else if (strcmp(how, "received") == 0)
		read_to_end(fd = receive(number));
	else if (strcmp(how, "raw") == 0)
		fd = connect_raw(number);
	else if (strcmp(how, "pool") == 0)
		pool_raw(number);
	else if (strcmp(how, "listen") == 0)
		fd = listen_raw();
	else if (strcmp(how, "uring") == 0)
		fd = accept_by_uring(listener(8, true));
	else
		fd = connect_by_plugin(how, argc > 3 ? argv[3] : "", number);
	/* Nothing of this program was seen so far; the library starts looking at its first TCP event. */
	if (strcmp(how, "uring") != 0)
		close(listener(1, false));
	say("ready %d", fd);
	stay();
	return 0;
}
