/* log_pipe.c: writing without blocking for long and without raising signals in the app. */
#include "log_target.h"

#include "clock.h"
#include "sys.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	CHUNK = 4096,      /* PIPE_BUF: up to it a pipe takes all or nothing, and what poll promised is there */
	PATIENCE_MS = 200, /* a reader that is merely busy catches up; an app's exit is not held up for longer */
};

static uint64_t now_ms(void)
{
	return cg_clock_now() / 1000000;
}

/* Waits until fd takes something. Returns 0, or -EAGAIN once the deadline has passed. */
static int wait_for_room(int fd, uint64_t deadline_ms)
{
	short events;
	for (;;) {
		uint64_t now = now_ms();
		int r = cg_sys_poll1(fd, POLLOUT, now < deadline_ms ? (int)(deadline_ms - now) : 0, &events);
		if (r > 0)
			return 0;
		if (r == 0)
			return -EAGAIN;
		if (r != -EINTR)
			return r;
	}
}

/* As much as one write should carry: whole lines if at least one fits, else what fits. */
static size_t chunk_length(const char *text, size_t len)
{
	if (len <= CHUNK)
		return len;
	const char *newline = memrchr(text, '\n', CHUNK);
	return newline ? (size_t)(newline - text) + 1 : CHUNK;
}

static ssize_t write_chunk(int fd, bool is_socket, const char *text, size_t len)
{
	if (is_socket)
		return cg_sys_sendto(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	return cg_sys_write(fd, text, len);
}

/* Writes one chunk when there is room. Returns its length or -errno. */
static ssize_t write_patiently(int fd, bool is_socket, const char *text, size_t len, uint64_t deadline_ms)
{
	for (;;) {
		int r = wait_for_room(fd, deadline_ms);
		if (r < 0)
			return r;
		ssize_t n = write_chunk(fd, is_socket, text, len);
		if (n == 0)
			return -EIO;
		if (n > 0 || (n != -EINTR && n != -EAGAIN))
			return n;
		/* Room for less than the chunk: poll would say so again at once. */
		short events;
		cg_sys_poll1(-1, 0, 1, &events);
		if (now_ms() >= deadline_ms)
			return -EAGAIN;
	}
}

int cg_log_pipe_write(int fd, bool is_socket, const char *text, size_t len, size_t *ret_written)
{
	uint64_t deadline_ms = now_ms() + PATIENCE_MS;
	size_t written = 0;
	ssize_t n = 0;
	while (written < len && n >= 0) {
		n = write_patiently(fd, is_socket, text + written, chunk_length(text + written, len - written),
		                    deadline_ms);
		if (n > 0)
			written += (size_t)n;
	}
	*ret_written = written;
	return n < 0 ? (int)n : 0;
}

int cg_log_pipe_send(int fd, const char *text, size_t len)
{
	ssize_t n = write_patiently(fd, true, text, len, now_ms() + PATIENCE_MS);
	return n < 0 ? (int)n : 0;
}

static uint64_t signal_bit(int number)
{
	return 1ULL << (number - 1);
}

static uint64_t pending_signals(void)
{
	uint64_t set = 0;
	CG_SYS3(SYS_rt_sigpending, &set, sizeof(set), 0);
	return set;
}

void cg_log_pipe_begin_quiet(struct cg_log_quiet *ret)
{
	uint64_t block = signal_bit(SIGPIPE) | signal_bit(SIGXFSZ) | signal_bit(SIGTTOU);
	ret->mask = 0;
	CG_SYS(SYS_rt_sigprocmask, SIG_BLOCK, &block, &ret->mask, sizeof(block), 0, 0);
	ret->pending = pending_signals();
}

/*
 * Accepted: a SIGPIPE that another process sends in just this moment is taken for ours when no other thread was there
 * to receive it.
 */
void cg_log_pipe_end_quiet(const struct cg_log_quiet *quiet)
{
	static const struct timespec at_once;
	uint64_t raised = (signal_bit(SIGPIPE) | signal_bit(SIGXFSZ)) & ~quiet->pending;
	long r = 0;
	if (pending_signals() & raised) {
		while (r >= 0 || r == -EINTR)
			r = CG_SYS(SYS_rt_sigtimedwait, &raised, NULL, &at_once, sizeof(raised), 0, 0);
	}
	CG_SYS(SYS_rt_sigprocmask, SIG_SETMASK, &quiet->mask, NULL, sizeof(quiet->mask), 0, 0);
}
