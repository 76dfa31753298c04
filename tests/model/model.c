/*
 * model.c: a program that does everything to sockets that a program can do, at random and repeatably.
 *
 *   model [--verbose] [--unseen] SEED STEPS THREADS CHANNEL    (the descriptor that leads to the peer process)
 *
 * When the steps are done it prints what it holds and waits for the end of its standard input, so that the driver can
 * compare closeguard's word with the kernel's. One thread repeats exactly; with more, only the operations of each do.
 */
#include <poll.h>
#include <stdarg.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model.h"

bool verbose, with_unseen;

struct choice {
	operation *run;
	unsigned weight;
};

static const struct choice choices[] = {
    {op_accept, 60},      {op_carry, 6},      {op_child_stop, 4},    {op_cloexec, 4},     {op_close, 60},
    {op_close_high, 4},   {op_connect, 30},   {op_dup, 14},          {op_dup_high, 10},   {op_dup_over, 14},
    {op_fork_exit, 2},    {op_fork_stay, 5},  {op_fresh, 4},         {op_linger, 4},      {op_listen, 14},
    {op_move, 12},        {op_nonblock, 6},   {op_peer_connect, 50}, {op_peer_drain, 6},  {op_peer_fin, 24},
    {op_peer_gone, 24},   {op_peer_reset, 8}, {op_peer_shut, 30},    {op_peer_write, 30}, {op_read, 30},
    {op_read_to_end, 30}, {op_refused, 2},    {op_self_connect, 8},  {op_shutdown, 12},   {op_spawn, 1},
    {op_stdio, 8},        {op_write, 16},
};

void die(const char *what)
{
	perror(what);
	_exit(99);
}

void say(const struct actor *a, const char *format, ...)
{
	char line[256];
	va_list args;
	if (!verbose)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "%u.%u %s\n", a->id, a->step, line);
}

static operation *choose(struct actor *a)
{
	unsigned total = 0;
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		total += choices[i].weight;
	unsigned at = (unsigned)pick(a, total);
	for (size_t i = 0;; i++) {
		if (at < choices[i].weight)
			return choices[i].run;
		at -= choices[i].weight;
	}
}

static void step(struct actor *a)
{
	struct set *set = chance(a, 25) ? &shared : &a->own;
	operation *run = choose(a);
	pthread_mutex_lock(&set->lock);
	if (set_full(set))
		op_close(a, set);
	run(a, set);
	pthread_mutex_unlock(&set->lock);
	if (chance(a, 10))
		usleep((unsigned)pick(a, 2000));
}

static void *work(void *argument)
{
	struct actor *a = argument;
	for (a->step = 0; a->step < a->steps; a->step++)
		step(a);
	return NULL;
}

static void actor_init(struct actor *a, unsigned id, uint64_t seed, unsigned steps)
{
	*a = (struct actor){.id = id, .random = seed * 1000 + id, .steps = steps};
	pthread_mutex_init(&a->own.lock, NULL);
	a->own.high = HIGH_BASE + (int)(id + 1) * HIGH_SPAN;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a->carrier))
		die("socketpair");
}

static void set_list(const struct set *s)
{
	static const char *const name[] = {"fresh", "connected", "listening"};
	for (int i = 0; i < s->count; i++) {
		const struct conn *conn = s->items[i].conn;
		printf("fd %d %s %d %d\n", s->items[i].fd, name[conn->what], conn->was_connected, conn->refused);
	}
}

static void wait_for_end_of_input(void)
{
	char byte;
	/* ThreadSanitizer keeps a signal back while a thread waits inside read. */
	while (getenv("TSAN_OPTIONS") && poll(&(struct pollfd){STDIN_FILENO, POLLIN, 0}, 1, 0) == 0)
		usleep(20000);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void run_actors(struct actor *actors, unsigned n)
{
	pthread_t threads[MAX_ACTORS];
	for (unsigned i = 1; i < n; i++) {
		if (pthread_create(&threads[i], NULL, work, &actors[i]))
			die("pthread_create");
	}
	work(&actors[0]);
	for (unsigned i = 1; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void list_all(const struct actor *actors, unsigned n)
{
	set_list(&shared);
	for (unsigned i = 0; i < n; i++)
		set_list(&actors[i].own);
	unseen_list();
	child_list();
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct actor actors[MAX_ACTORS];
	int at = 1;
	for (; at < argc && argv[at][0] == '-'; at++) {
		verbose |= !strcmp(argv[at], "--verbose");
		with_unseen |= !strcmp(argv[at], "--unseen");
	}
	if (argc - at != 4)
		return 2;
	uint64_t seed = strtoull(argv[at], NULL, 10);
	unsigned steps = (unsigned)atoi(argv[at + 1]), n = (unsigned)atoi(argv[at + 2]);
	n = n < 1 ? 1 : n > MAX_ACTORS ? MAX_ACTORS : n;
	signal(SIGPIPE, SIG_IGN);
	far_init(atoi(argv[at + 3]));
	shared.high = HIGH_BASE;
	for (unsigned i = 0; i < n; i++)
		actor_init(&actors[i], i, seed, steps);
	run_actors(actors, n);
	list_all(actors, n);
	wait_for_end_of_input();
	child_stop_all();
	return 0;
}
