/*
 * prog_cancel_close HOW: a close that is left in another way than by its return; the peer of the connection stays
 * silent. "wait": the thread is cancelled, if it has not ended, 150 ms after it began; "before": it had been when it
 * began; "jump": a signal handler leaves it by longjmp. Says whether the descriptor is open, and what became of the
 * thread.
 */
#include "prog.h"

#include <setjmp.h>
#include <sys/stat.h>
#include <sys/time.h>

static int fd, peer;
static sigjmp_buf out;

static void *closes(void *unused)
{
	close(fd);
	return unused;
}

static void *closes_when_cancelled(void *unused)
{
	int old;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	close(fd);
	return unused;
}

static void leaves(int number)
{
	(void)number;
	siglongjmp(out, 1);
}

static const char *jump(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 150000}};
	signal(SIGALRM, leaves);
	setitimer(ITIMER_REAL, &soon, NULL);
	if (sigsetjmp(out, 1) == 0) {
		close(fd);
		for (;;)
			pause(); /* without a drain the signal comes here */
	}
	return "jumped";
}

static const char *cancel(void *(*run)(void *))
{
	pthread_t thread;
	void *result = NULL;
	if (pthread_create(&thread, NULL, run, NULL))
		errx(3, "thread");
	doze(150);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	return result == PTHREAD_CANCELED ? "cancelled" : "returned";
}

int main(int argc, char **argv)
{
	struct stat now;
	int pair[2];
	if (argc != 2)
		return 2;
	connected_pair(pair);
	fd = pair[1];
	peer = pair[0];
	const char *end = strcmp(argv[1], "jump") == 0     ? jump()
	                  : strcmp(argv[1], "before") == 0 ? cancel(closes_when_cancelled)
	                                                   : cancel(closes);
	/* A thread of the library's may have a file open under the number for a moment: that is not the connection. */
	bool open = fstat(fd, &now) == 0 && S_ISSOCK(now.st_mode);
	say("open %d usable %d %s", open, open && send(fd, "x", 1, MSG_NOSIGNAL) == 1, end);
	say("ready");
	stay();
	return 0;
}
