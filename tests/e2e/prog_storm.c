/*
 * prog_storm SIGNALS: so often a signal arrives, one in every millisecond of CPU time, wherever the program is, and
 * its handler opens, reads to the end and closes connections. At the end one connection is left, on purpose.
 */
#include <dlfcn.h>
#include <sys/time.h>

#include "prog.h"

static int port, from;
static volatile sig_atomic_t handled;

static void use_a_connection(void)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	struct linger reset = {1, 0}; /* no TIME_WAIT: ports would run out */
	char buf[16];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		_exit(3);
	int other = accept(from, NULL, NULL);
	if (other < 0)
		_exit(4);
	shutdown(fd, SHUT_WR);
	while (read(other, buf, sizeof(buf)) > 0)
		;
	setsockopt(other, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(other);
	close(fd);
}

static void on_signal(int number)
{
	int before = errno;
	(void)number;
	use_a_connection();
	handled = handled + 1;
	errno = before;
}

int main(int argc, char **argv)
{
	from = listener(64, false);
	port = port_of(from);
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGPROF);
	use_a_connection();
	sigaction(SIGPROF, &action, NULL);
	struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	setitimer(ITIMER_PROF, &every, NULL);
	for (int wanted = argc > 1 ? atoi(argv[1]) : 100; handled < wanted;) {
		void *memory[64];
		for (int i = 0; i < 64; i++)
			memory[i] = malloc((size_t)i * 100 + 1);
		for (int i = 0; i < 64; i++)
			free(memory[i]);
		dlsym(RTLD_DEFAULT, "printf");
		sigprocmask(SIG_BLOCK, &mask, NULL); /* accept takes the handler's connection otherwise */
		use_a_connection();
		sigprocmask(SIG_UNBLOCK, &mask, NULL);
	}
	setitimer(ITIMER_PROF, &never, NULL);
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	say("ready");
	stay();
	return 0;
}
