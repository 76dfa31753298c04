/* work.h: what the programs under fault injection share. They say what each of their calls gave, in a fixed order. */
#ifndef WORK_H
#define WORK_H

#include "../e2e/prog.h"
#include "mark.h"

/* Says a call's result, and its errno where it failed. Descriptors are said as 0: their numbers may differ. */
#define TELL(call)                                                                                                     \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long result_ = (long)(call);                                                                           \
		say("%s = %ld (%d)", #call, result_, result_ < 0 ? errno : 0);                                         \
	} while (0)

MAYBE_UNUSED static int opened(int fd)
{
	return fd < 0 ? fd : 0;
}

/* The dump signal, where the library has taken it. */
MAYBE_UNUSED static void ask_for_a_dump(void)
{
	struct sigaction now;
	if (sigaction(SIGUSR2, NULL, &now) == 0 && now.sa_handler != SIG_DFL)
		raise(SIGUSR2);
}

/* A sum over what came over the wire until its end. */
MAYBE_UNUSED static unsigned sum_to_end(int fd, unsigned *ret_bytes)
{
	unsigned char buf[512];
	unsigned sum = 1;
	ssize_t n;
	*ret_bytes = 0;
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + buf[i];
		*ret_bytes += (unsigned)n;
	}
	return n < 0 ? (unsigned)-errno : sum;
}

MAYBE_UNUSED static bool send_all(int fd, const void *data, size_t len)
{
	for (const char *at = data; len;) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

#endif
