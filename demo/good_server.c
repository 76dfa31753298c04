/*
 * good_server.c: leaky_server.c with its bug cured, and keep-alive: closeguard has nothing to say about it.
 *
 * The cure: the function that owns the descriptor has one way out, and it closes there. What was read, or why reading
 * ended, decides about the answer and never about the close.
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
	/* The cure, first half: a client that gave up ends the loop and does not leave the function. */
	while (read_request(fd, request))
		if (!http_answer(fd, "hello\n"))
			break;
	/* The cure, second half: the only way out closes. */
	close(fd);
	return NULL;
}

int main(void)
{
	http_accept_loop(http_listen(), serve);
}
