/*
 * prog_reap_storm OPERATIONS: a reaper's worst day. Threads put healthy and leaked connections under the same few
 * numbers at full speed, by calls that can be seen and by system calls that cannot, while new ones are made and old
 * ones closed; some leaked ones are shared with a child. At the end every healthy connection must carry data both ways,
 * and those of the child must be as they were.
 */
#include <stdatomic.h>
#include <sys/syscall.h>

#include "prog.h"

enum { HEALTHY = 64, LEAKED = 64, SHARED = 8, THREADS = 3, FIRST = 400, NUMBERS = 64, COOL = FIRST + NUMBERS };

static _Atomic int healthy[HEALTHY], peers[HEALTHY], leaked[LEAKED];
static int from, port, shared[SHARED];
static _Atomic unsigned long done;
static unsigned long wanted;
static _Atomic unsigned touched;
static _Atomic bool enough; /* time for the reaper */

static long raw(long number, long a, long b, long c)
{
#if defined(__x86_64__)
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#endif
}

/* From an address of its own: what lingers in TIME_WAIT would use up one address's ports. */
static int connect_from_anywhere(void)
{
	static _Atomic uint32_t count;
	struct sockaddr_in at = {.sin_family = AF_INET,
	                         .sin_addr.s_addr = htonl(0x7f010001 + atomic_fetch_add(&count, 1) % 0x10000)},
	                   to = {.sin_family = AF_INET,
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	                         .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(3, "connect");
	return fd;
}

static void reset(int fd)
{
	struct linger at_once = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static int leak_one(void)
{
	char byte;
	int far = connect_from_anywhere(), fd = accept_from(from);
	close(far);
	if (read(fd, &byte, 1) != 0)
		errx(3, "no end of file");
	return fd;
}

static bool carries(int one, int other)
{
	char byte = 0;
	return send(one, "x", 1, MSG_NOSIGNAL) == 1 && recv(other, &byte, 1, 0) == 1 && byte == 'x';
}

static void check(int i)
{
	int fd = atomic_load(&healthy[i]), peer = atomic_load(&peers[i]);
	if (!carries(fd, peer) || !carries(peer, fd))
		atomic_fetch_add(&touched, 1);
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void *shuffle(void *context)
{
	unsigned seed = (unsigned)(uintptr_t)context;
	while (atomic_fetch_add(&done, 1) < wanted || !enough) {
		unsigned r = next(&seed);
		int number = FIRST + (int)(r % NUMBERS), good = atomic_load(&healthy[r / 64 % HEALTHY]),
		    bad = atomic_load(&leaked[r / 64 % (LEAKED / 4)]);
		switch (r / 4096 % 6) {
		case 0:
			dup2(good, number);
			break;
		case 1:
			dup2(bad, number);
			break;
		case 2:
			raw(SYS_dup3, good, number, 0);
			break;
		case 3:
			raw(SYS_dup3, bad, number, 0);
			break;
		case 4:
			close(number);
			break;
		default:
			raw(SYS_close, number, 0, 0);
		}
	}
	return NULL;
}

/* New connections in the place of old ones, each leaked one after a time that is enough to be reaped. */
static void *renew(void *unused)
{
	(void)unused;
	for (unsigned i = 0; atomic_load(&done) < wanted || !enough; i++) {
		int pair[2] = {connect_from_anywhere(), accept_from(from)}, place = (int)(i % HEALTHY);
		check(place);
		reset(atomic_exchange(&peers[place], pair[0]));
		close(atomic_exchange(&healthy[place], pair[1]));
		if (i % 8 == 0)
			close(atomic_exchange(&leaked[i / 8 % LEAKED], leak_one()));
		doze(2);
	}
	return NULL;
}

/*
 * Not the first quarter of the leaked ones, which are never left alone, nor the last, which always are. A leaked one is
 * under a number for about as long as the reaper needs to make up its mind, and then a healthy
 * one is put there past every wrapper.
 */
static void *take_over(void *unused)
{
	unsigned seed = 7;
	(void)unused;
	while (atomic_load(&done) < wanted || !enough) {
		for (int i = 0; i < NUMBERS; i++)
			dup2(atomic_load(&leaked[LEAKED / 4 + next(&seed) % (LEAKED / 2)]), COOL + i);
		doze(20 + next(&seed) % 40);
		for (int i = 0; i < NUMBERS; i++)
			raw(SYS_dup3, atomic_load(&healthy[next(&seed) % HEALTHY]), COOL + i, 0);
		doze(next(&seed) % 20);
	}
	return NULL;
}

static void share_with_child(void)
{
	for (int i = 0; i < SHARED; i++)
		shared[i] = leak_one();
	if (fork() == 0) {
		stay();
		_exit(0);
	}
}

static int state_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_state : -1;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS + 2];
	unsigned cut = 0;
	wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	signal(SIGPIPE, SIG_IGN);
	from = listener(512, false);
	port = port_of(from);
	share_with_child();
	for (int i = 0; i < HEALTHY; i++) {
		atomic_store(&peers[i], connect_from_anywhere());
		atomic_store(&healthy[i], accept_from(from));
	}
	for (int i = 0; i < LEAKED; i++)
		atomic_store(&leaked[i], leak_one());
	say("started");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, shuffle, (void *)(uintptr_t)(i + 1));
	pthread_create(&threads[THREADS], NULL, renew, NULL);
	pthread_create(&threads[THREADS + 1], NULL, take_over, NULL);
	doze(5000);
	atomic_store(&enough, true);
	for (int i = 0; i < THREADS + 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < HEALTHY; i++)
		check(i);
	for (int i = 0; i < SHARED; i++)
		cut += state_of(shared[i]) != TCP_CLOSE_WAIT;
	say("touched %u", atomic_load(&touched));
	say("cut %u", cut);
	stay();
	return 0;
}
