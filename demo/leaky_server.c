/*
 * leaky_server.c: a small HTTP server that forgets to close a connection whose client gave up in the middle of a
 * request.
 *
 * The bug is one line, marked below. good_server.c is the same server with the cure.
 */
#include "http.h"

/*
 * Reads one request, head and body. False when there is none: the client has closed (read returned 0), went silent, or
 * sent too much.
 */
static bool read_request(int fd, char request[REQUEST_MAX])
{
	size_t have = 0;
	for (;;) {
		ssize_t n = read(fd, request + have, REQUEST_MAX - 1 - have);
		if (n <= 0)
			return false;
		have += (size_t)n;
		request[have] = '\0';
		char *end = strstr(request, "\r\n\r\n");
		if (end && have >= (size_t)(end + 4 - request) + http_body_size(request))
			return true;
		if (have == REQUEST_MAX - 1)
			return false;
	}
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char request[REQUEST_MAX];
	if (!read_request(fd, request)) {
		fprintf(stderr, "leaky_server: incomplete request\n");
		return NULL; /* the bug: out without close(fd), which nobody else knows */
	}
	http_answer(fd, "hello\n");
	close(fd);
	return NULL;
}

int main(void)
{
	http_accept_loop(http_listen(), serve);
}
