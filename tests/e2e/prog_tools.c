/*
 * prog_tools.c: threads that open, use and close sockets, one connection that is forgotten, and a child. It waits until
 * the file of its argument holds something (a finding; "-": nothing is waited for) and ends with 7.
 */
#include "prog.h"

#include <sys/stat.h>

enum { THREADS = 4, TURNS = 50 };

static int listening;
static struct sockaddr_in where;

static int from_peer(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&where, sizeof where) < 0)
		err(2, "connect");
	return fd;
}

/* Each turn from the same places: all threads look for the same stacks. More of them than a cache holds back. */
static void *serve(void *unused)
{
	char text[64];
	for (int i = 0; i < TURNS; i++) {
		int there = from_peer(), here = accept(listening, NULL, NULL), again = dup(here);
		if (write(there, "hello", 5) != 5 || shutdown(there, SHUT_WR) < 0)
			err(2, "write");
		while (read(here, text, sizeof text) > 0)
			;
		close(again);
		close(here);
		close(there);
	}
	return unused;
}

static void forget_one(void)
{
	char c;
	int there = from_peer(), here = accept(listening, NULL, NULL);
	close(there);
	if (read(here, &c, 1) != 0)
		err(2, "read");
}

static void wait_for(const char *file)
{
	struct stat st;
	for (int i = 0; i < 600 && (stat(file, &st) < 0 || !st.st_size); i++)
		usleep(100000);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	socklen_t len = sizeof where;
	int status = 0;
	listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	where = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(listening, (struct sockaddr *)&where, len) < 0 || listen(listening, 64) < 0 ||
	    getsockname(listening, (struct sockaddr *)&where, &len) < 0)
		err(2, "listen");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, serve, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	forget_one();
	pid_t child = fork();
	if (child == 0) {
		close(socket(AF_INET, SOCK_STREAM, 0));
		_exit(9);
	}
	waitpid(child, &status, 0);
	if (argc > 1 && strcmp(argv[1], "-") != 0)
		wait_for(argv[1]);
	return WIFEXITED(status) && WEXITSTATUS(status) == 9 ? 7 : 8;
}
