/*
 * prog_loader.c: forks many times while the library looks without a pause, or while other threads open sockets; each
 * child asks the loader for its modules, as an exception or a backtrace would, or opens a socket of its own. Or threads
 * of the program itself are in the loader: then the children stay out of it, and open a socket only. Or children open
 * their first socket and fork, past libc, before another thread has had time to run; the child of that gives up rights.
 * Says how many of them never ended.
 */
#include "prog.h"

#include <dlfcn.h>
#include <sched.h>
#include <link.h>

#include "../../shim/closeguard.h"

static _Atomic bool over;

static void *look(void *unused)
{
	while (!over)
		(void)closeguard_check();
	return unused;
}

/*
 * A call from one of 256 places, chosen by the path: more than libunwind's cache has room for, so that it has to ask
 * the loader, under a lock of its own, about nearly each frame.
 */
#define FROM(n)                                                                                                        \
	case n:                                                                                                        \
		fd = open_deep(depth - 1, path * 5 + 3);                                                               \
		__asm__ volatile("" ::: "memory");                                                                     \
		break;
#define FROM_4(n) FROM(n) FROM(n + 1) FROM(n + 2) FROM(n + 3)
#define FROM_16(n) FROM_4(n) FROM_4(n + 4) FROM_4(n + 8) FROM_4(n + 12)
#define FROM_64(n) FROM_16(n) FROM_16(n + 16) FROM_16(n + 32) FROM_16(n + 48)

static __attribute__((noinline)) int open_deep(unsigned depth, unsigned path)
{
	int fd = -1;
	if (!depth)
		return socket(AF_INET, SOCK_STREAM, 0);
	switch (path % 256) {
		FROM_64(0)
		FROM_64(64)
		FROM_64(128)
		FROM_64(192)
	}
	return fd;
}

static void *open_some(void *path)
{
	for (unsigned i = 0; i < 20; i++)
		close(open_deep(20, (unsigned)(uintptr_t)path * 20 + i));
	return NULL;
}

static void *open_often(void *unused)
{
	for (uintptr_t path = 0; !over; path++) {
		pthread_t thread;
		pthread_create(&thread, NULL, open_some, (void *)path);
		pthread_join(thread, NULL);
	}
	return unused;
}

static int stay_for_a_while(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)info;
	(void)size;
	(void)unused;
	for (volatile int i = 0; i < 20000; i = i + 1)
		;
	return 0;
}

static void *load_and_unload(void *unused)
{
	while (!over) {
		void *library = dlopen("libresolv.so.2", RTLD_NOW | RTLD_LOCAL);
		if (library)
			dlclose(library);
	}
	return unused;
}

static void *walk_the_list(void *unused)
{
	while (!over) {
		dl_iterate_phdr(stay_for_a_while, NULL);
		usleep(100);
	}
	return unused;
}

static int count(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)info;
	(void)size;
	++*(int *)context;
	return 0;
}

/* A child that waits for a lock of libunwind's has its signals blocked: an alarm of its own would not end it. */
static bool ends_in_time(pid_t pid)
{
	int status;
	struct timespec now, start;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		usleep(200);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec < 40);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

static bool child_hangs(bool asks, bool opens)
{
	int modules = 0;
	pid_t pid = fork();
	if (pid == 0) {
		if (asks)
			dl_iterate_phdr(count, &modules);
		if (opens)
			close(open_deep(25, 7));
		_exit(asks && !modules ? 4 : 0);
	}
	return !ends_in_time(pid);
}

/* libc's setresuid goes over all threads that libc knows of, and after _Fork that is what it knew before. */
static int give_up_rights_in_a_child(void)
{
	cpu_set_t first;
	CPU_ZERO(&first);
	CPU_SET(sched_getcpu(), &first);
	if (sched_setaffinity(0, sizeof first, &first) < 0 || socket(AF_INET, SOCK_STREAM, 0) < 0)
		return 5;
	pid_t pid = _Fork();
	if (pid == 0)
		_exit(setresuid(getuid(), getuid(), getuid()) ? 6 : 0);
	return ends_in_time(pid) ? 0 : 7;
}

static bool early_child_hangs(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(give_up_rights_in_a_child());
	return !ends_in_time(pid);
}

/* What the program's other threads do meanwhile, and what the children do. */
static const struct way {
	const char *name;
	void *(*thread)(void *);
	int threads;
	bool asks, opens, early;
} ways[] = {
    {"looks", look, 1, true, false, false},
    {"opens", open_often, 3, true, true, false},
    {"quiet", NULL, 0, true, true, false},
    {"loads", load_and_unload, 1, false, true, false},
    {"walks", walk_the_list, 1, false, true, false},
    {"early", NULL, 0, false, true, true},
};

int main(int argc, char **argv)
{
	int pair[2], forks = argc > 1 ? atoi(argv[1]) : 1000, hung = 0;
	const struct way *way = ways;
	pthread_t threads[3];
	while (argc > 2 && strcmp(way->name, argv[2]))
		way++;
	if (!way->early)
		connected_pair(pair);
	for (int i = 0; i < way->threads; i++)
		pthread_create(&threads[i], NULL, way->thread, NULL);
	for (int i = 0; i < forks && !hung; i++)
		hung += way->early ? early_child_hangs() : child_hangs(way->asks, way->opens);
	over = true;
	for (int i = 0; i < way->threads; i++)
		pthread_join(threads[i], NULL);
	say("hung %d", hung);
	stay();
	return 0;
}
