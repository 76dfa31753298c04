/*
 * passthrough.c: what interposition by itself costs: the hot calls, each handed on to the real function.
 *
 * build flags: -shared -fPIC
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define PASS(ret, name, params, args)                                                                                  \
	static ret(*real_##name) params;                                                                               \
	ret name params                                                                                                \
	{                                                                                                              \
		return real_##name args;                                                                               \
	}

PASS(int, accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
PASS(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags), (fd, addr, len, flags))
PASS(int, close, (int fd), (fd))
PASS(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
PASS(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n))
PASS(ssize_t, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags))
PASS(ssize_t, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags))
PASS(int, shutdown, (int fd, int how), (fd, how))
PASS(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
PASS(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))

#define FIND(name) real_##name = (__typeof__(real_##name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void find_real(void)
{
	FIND(accept);
	FIND(accept4);
	FIND(close);
	FIND(connect);
	FIND(read);
	FIND(recv);
	FIND(send);
	FIND(shutdown);
	FIND(socket);
	FIND(write);
}
