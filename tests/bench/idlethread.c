/*
 * idlethread.c: what a second thread by itself costs, which a watched program of one thread gets too: the kernel then
 * counts references to the descriptor's file in every call, and libc leaves its single-threaded short cuts.
 *
 * build flags: -shared -fPIC -pthread
 */
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

__attribute__((constructor)) static void start(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, sleep_for_ever, NULL);
}
