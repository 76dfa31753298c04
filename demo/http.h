/*
 * http.h: what the demo servers have in common and what is right in both: the listener, the thread per connection, the
 * answer. The reading of requests, where the bug is, stands in leaky_server.c, and its cure in good_server.c.
 */
#ifndef DEMO_HTTP_H
#define DEMO_HTTP_H

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	REQUEST_MAX = 4096,
	KEEP_ALIVE_MS = 1500 /* how long a client may think before its next request; short, so that the demo is short */
};

static inline void http_die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* Listens on a port of the kernel's choice and prints its number, which run.sh reads. */
static inline int http_listen(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) < 0 || listen(listener, 64) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		http_die("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return listener;
}

/* Accepts for ever and gives each connection to serve() in a thread of its own, which owns it from then on. */
static inline void http_accept_loop(int listener, void *(*serve)(void *))
{
	const struct timeval patience = {.tv_sec = KEEP_ALIVE_MS / 1000, .tv_usec = KEEP_ALIVE_MS % 1000 * 1000};
	for (;;) {
		pthread_t thread;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0) {
			close(fd);
			continue;
		}
		pthread_detach(thread);
	}
}

/* The value of Content-Length in a request's head, 0 if there is none. */
static inline size_t http_body_size(const char *head)
{
	static const char name[] = "\r\nContent-Length:";
	for (const char *at = head; *at; at++)
		if (strncasecmp(at, name, sizeof(name) - 1) == 0)
			return strtoul(at + sizeof(name) - 1, NULL, 10);
	return 0;
}

static inline bool http_answer(int fd, const char *body)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

#endif
