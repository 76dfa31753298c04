/* work.h: what the threads of the storm do, and the signal's handler. */
#ifndef WORK_H
#define WORK_H

#include <dlfcn.h>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "children.h"

namespace storm
{

static std::atomic<unsigned> handled, in_handler;
static std::atomic<bool> quiet; /* the world is stopped: a handler opens nothing */

struct shared_world {
	shared_world()
	{
		pthread_rwlock_rdlock(&world);
	}
	~shared_world()
	{
		pthread_rwlock_unlock(&world);
	}
};

inline void stop_the_world()
{
	pthread_rwlock_wrlock(&world);
	quiet = true;
	while (in_handler)
		sched_yield();
}

inline void resume_the_world()
{
	quiet = false;
	pthread_rwlock_unlock(&world);
}

/* Opens, reads and closes sockets, wherever the thread is. Each sixteenth time a whole connection. */
static void on_signal(int)
{
	int saved_errno = errno;
	in_handler++;
	if (!quiet) {
		unsigned n = handled.fetch_add(1);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		char c;
		if (fd < 0 || recv(fd, &c, 1, MSG_DONTWAIT) >= 0 || errno != ENOTCONN || close(fd))
			wrong++;
		if (n % 16 == 0 && !wire::whole_connection(port, n))
			complain("a connection of the handler");
	}
	in_handler--;
	errno = saved_errno;
}

/* Returns what was so before. */
inline sigset_t block_signal()
{
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	return before;
}

inline void load(unsigned long round)
{
	shared_world hold;
	void *library = dlopen(plugin, round % 2 ? RTLD_NOW : RTLD_LAZY);
	if (!library)
		return complain("dlopen: %s", dlerror());
	auto connection = reinterpret_cast<int (*)(int, unsigned)>(dlsym(library, "storm_connection"));
	auto thrower = reinterpret_cast<void (*)(int)>(dlsym(library, "storm_throw"));
	if (!connection(port, static_cast<unsigned>(round)))
		complain("a connection of the library");
	try {
		thrower(static_cast<int>(round % 20));
		complain("nothing was thrown");
	} catch (const std::runtime_error &error) {
		if (strcmp(error.what(), "from a library"))
			complain("something else was thrown");
	}
	dlclose(library);
}

__attribute__((noinline)) static void descend(int depth, unsigned seed)
{
	struct counted {
		int &n;
		~counted()
		{
			n--;
		}
	};
	static thread_local int open_frames;
	open_frames++;
	counted frame{open_frames};
	if (depth == 0)
		throw seed;
	descend(depth - 1, seed);
	__asm__ volatile("" ::: "memory");
}

inline void throw_some(unsigned long round)
{
	shared_world hold;
	try {
		descend(static_cast<int>(round % 40), static_cast<unsigned>(round));
	} catch (unsigned seed) {
		if (seed != static_cast<unsigned>(round))
			complain("the wrong thing was thrown");
	}
	if (round % 64 == 0 && !wire::whole_connection(port, static_cast<uint32_t>(round)))
		complain("a connection of the thrower");
}

inline void allocate(unsigned long round)
{
	shared_world hold;
	std::vector<unsigned char *> parts;
	auto mark = static_cast<unsigned char>(round);
	for (size_t i = 1; i < 100; i++) {
		parts.push_back(static_cast<unsigned char *>(malloc(i * (1 + round % 200))));
		memset(parts.back(), mark, i);
	}
	for (size_t i = 1; i < 100; i++) {
		if (parts[i - 1][i - 1] != mark)
			complain("memory was changed");
		free(parts[i - 1]);
	}
}

/* Connections that are forgotten after their end was read; the oldest goes when there are too many. */
struct forgotten {
	std::mutex lock;
	std::vector<int> fds;
};
static forgotten leaks;

inline void leak(int fd)
{
	int oldest = -1;
	{
		std::lock_guard<std::mutex> hold(leaks.lock);
		leaks.fds.push_back(fd);
		if (leaks.fds.size() > 64) {
			oldest = leaks.fds.front();
			leaks.fds.erase(leaks.fds.begin());
		}
	}
	if (oldest >= 0 && close(oldest))
		complain("close of a leaked connection: %s", strerror(errno));
}

inline void connect_some(unsigned long round)
{
	shared_world hold;
	auto seed = static_cast<uint32_t>(round * 7919);
	bool leaves = round % 4 == 0;
	int fd = wire::open_client(port);
	if (fd < 0)
		return complain("connect: %s", strerror(errno));
	int copy = round % 3 == 0 ? dup(fd) : -1;
	if (!wire::echo(fd, seed, 1 + seed % 4000, false) || !wire::echo(copy >= 0 ? copy : fd, seed + 1, 300, leaves))
		complain("other bytes came back");
	if (copy >= 0 && close(copy))
		complain("close of a copy: %s", strerror(errno));
	if (!leaves) {
		if (!wire::close_client(fd))
			complain("close: %s", strerror(errno));
		return;
	}
	if (!wire::at_end(fd))
		complain("the end did not come");
	leak(fd);
}

/*
 * A thread that lives for one connection, with a stack for its signals; each third is cancelled. That one gets no
 * signals: glibc's cancellation does not bear a handler that makes cancellable calls, and waits for itself.
 */
static void close_it(void *fd)
{
	wire::close_client(*static_cast<int *>(fd));
}

static void *live_shortly(void *context)
{
	char stack[32768];
	stack_t alt = {}, none = {};
	alt.ss_sp = stack;
	alt.ss_size = sizeof(stack);
	none.ss_flags = SS_DISABLE;
	sigaltstack(&alt, nullptr);
	int fd = wire::open_client(port);
	char c;
	pthread_cleanup_push(close_it, &fd);
	if (fd < 0 || !wire::echo(fd, 1, 100, false))
		complain("a connection of a short thread");
	if (context) {
		ssize_t n = recv(fd, &c, 1, 0); /* nothing will come */
		complain("a thread that waits to be cancelled got %zd: %s", n, strerror(errno));
	}
	pthread_cleanup_pop(1);
	sigaltstack(&none, nullptr);
	return nullptr;
}

inline void make_threads(unsigned long round)
{
	shared_world hold;
	pthread_t thread;
	void *how = nullptr;
	bool cancel = round % 3 == 0;
	sigset_t before;
	pthread_sigmask(SIG_SETMASK, nullptr, &before);
	if (cancel)
		before = block_signal(); /* the new thread begins with our mask */
	int r = pthread_create(&thread, nullptr, live_shortly, cancel ? &thread : nullptr);
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	if (r)
		return complain("pthread_create: %s", strerror(r));
	if (cancel) {
		timespec moment = {0, static_cast<long>(round % 5) * 300000};
		nanosleep(&moment, nullptr);
		pthread_cancel(thread);
	}
	pthread_join(thread, &how);
	if (how != (cancel ? PTHREAD_CANCELED : nullptr))
		complain("a thread ended as %p", how);
}

inline void fork_some(unsigned long round)
{
	shared_world hold;
	make_a_child(round);
}

/* With the world at rest. */
inline void close_descriptors(bool from)
{
	leaks.fds.clear();
	if (from)
		closefrom(3);
	else if (close_range(3, ~0U, 0))
		complain("close_range: %s", strerror(errno));
}

/* Now and then all descriptors but the first three go, as a daemon does it. */
inline void close_all(unsigned long round)
{
	timespec pause = {0, 700000000};
	while (!over && nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
	stop_the_world();
	close_descriptors(round % 2);
	resume_the_world();
}

static worker workers[] = {
    {"load", load, {}, {}},
    {"throw", throw_some, {}, {}},
    {"allocate", allocate, {}, {}},
    {"connect", connect_some, {}, {}},
    {"connect", connect_some, {}, {}},
    {"threads", make_threads, {}, {}},
    {"children", fork_some, {}, {}},
    {"children", fork_some, {}, {}},
    {"close_all", close_all, {}, {}},
};
static const int worker_count = sizeof(workers) / sizeof(workers[0]);

inline void set_up()
{
	pthread_rwlockattr_t kind;
	pthread_rwlockattr_init(&kind);
	pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&world, &kind);
	struct sigaction action = {};
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART | SA_ONSTACK;
	sigaction(SIGALRM, &action, nullptr);
}

} // namespace storm

#endif
