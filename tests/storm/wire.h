/* wire.h: connections of the storm: an echo server in a process of its own, and clients that check what comes back. */
#ifndef WIRE_H
#define WIRE_H

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wire
{

enum { MOST = 4096, ENDS_IT = 'Q' }; /* a message that begins with Q is the last one: the server closes after it */

inline bool send_all(int fd, const unsigned char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= static_cast<size_t>(n);
	}
	return true;
}

inline sockaddr_in loopback(int port)
{
	sockaddr_in to = {};
	to.sin_family = AF_INET;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(static_cast<uint16_t>(port));
	return to;
}

/* A connection to the server, or -1. Async-signal-safe, as all that follows. */
inline int open_client(int port)
{
	sockaddr_in to = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends len bytes that follow from seed and reads them back; true when they are the same. */
inline bool echo(int fd, uint32_t seed, size_t len, bool last)
{
	unsigned char out[MOST], in[MOST];
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		out[i] = static_cast<unsigned char>('a' + (seed >> 24) % 26);
	}
	if (last)
		out[0] = ENDS_IT;
	if (!send_all(fd, out, len))
		return false;
	for (size_t got = 0; got < len;) {
		ssize_t n = recv(fd, in + got, len - got, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += static_cast<size_t>(n);
	}
	return memcmp(in, out, len) == 0;
}

/* Reads until the end; true when nothing but the end came. */
inline bool at_end(int fd)
{
	char c;
	ssize_t n;
	while ((n = recv(fd, &c, 1, 0)) < 0 && errno == EINTR)
		;
	return n == 0;
}

/* Without TIME_WAIT, or the ports run out. */
inline bool close_client(int fd)
{
	linger reset = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return close(fd) == 0;
}

inline bool whole_connection(int port, uint32_t seed)
{
	int fd = open_client(port);
	bool good = fd >= 0 && echo(fd, seed, 1 + seed % 900, false);
	return fd >= 0 && close_client(fd) && good;
}

/* One message of a connection; false when it is over. */
inline bool serve_once(int fd)
{
	unsigned char text[MOST];
	ssize_t n = recv(fd, text, sizeof(text), 0);
	if (n <= 0 || !send_all(fd, text, static_cast<size_t>(n)))
		return n < 0 && errno == EINTR;
	return true;
}

/* Runs until its listener is shut down. The first bytes of a message tell whether more will come after it. */
inline int serve(int from)
{
	int set = epoll_create1(EPOLL_CLOEXEC);
	epoll_event event = {}, got[64];
	event.events = EPOLLIN;
	event.data.fd = from;
	epoll_ctl(set, EPOLL_CTL_ADD, from, &event);
	for (;;) {
		int n = epoll_wait(set, got, 64, -1);
		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;
			if (fd == from) {
				fd = accept4(from, nullptr, nullptr, SOCK_CLOEXEC);
				if (fd < 0)
					return 0;
				event.data.fd = fd;
				epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
				continue;
			}
			char first = 0;
			bool last = recv(fd, &first, 1, MSG_PEEK) == 1 && first == ENDS_IT;
			if (!serve_once(fd) || last)
				close(fd);
		}
	}
}

} // namespace wire

#endif
