/* sweep_thread.c: one small thread that the app does not notice. */
#include "sweep_thread.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>

#include "clock.h"
#include "guard.h"
#include "loader.h"
#include "ownfd.h"
#include "procfs.h"
#include "sanitizer.h"
#include "sigbus.h"
#include "sweep.h"
#include "sweep_report.h"
#include "symbol.h"
#include "sys.h"

enum { NONE, STARTING, RUNS, IMPOSSIBLE };
enum { STACK_SIZE = 512 << 10 }; /* libdw's lookups need up to 200 KiB */

static _Atomic int state;
static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static int (*set_stack_size)(pthread_attr_t *, size_t);
static size_t (*smallest_stack)(const pthread_attr_t *);
static int (*join)(pthread_t, void **);
static int (*detach)(pthread_t);
static pthread_t thread, previous;
static bool follows; /* on a thread that ends at its next opportunity, `previous` */
static bool signal_told;

static void find(const char *name, void *pointer)
{
	void *found = dlsym(RTLD_DEFAULT, name);
	memcpy(pointer, &found, sizeof found);
}

bool cg_sweep_thread_runs(void)
{
	return atomic_load(&state) == RUNS;
}

bool cg_sweep_thread_possible(void)
{
	return atomic_load(&state) != IMPOSSIBLE;
}

void cg_sweep_thread_forget(void)
{
	atomic_store(&state, NONE);
}

void cg_sweep_thread_leave(void)
{
	if (detach)
		detach(thread);
	cg_sweep_thread_forget();
}

void cg_sweep_thread_join(void)
{
	if (atomic_exchange(&state, IMPOSSIBLE) == RUNS && join)
		join(thread, NULL);
}

static void *run(void *unused)
{
	(void)unused;
	cg_loader_thread_begun();
	(void)CG_SYS3(SYS_prctl, PR_SET_NAME, "closeguard", 0);
	cg_sigbus_guard();
	if (follows && join)
		join(previous, NULL);
	follows = false;
	cg_sweep_loop();
	cg_loader_own_thread(-1);
	return NULL;
}

static int create_thread(pthread_t *ret, void *(*routine)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	/* Thread-local storage of all libraries is taken from the stack: a sanitizer's is larger than our part. */
	size_t taken = smallest_stack ? smallest_stack(&attributes) : 0;
	if (set_stack_size)
		set_stack_size(&attributes, taken + STACK_SIZE);
	int r = create ? create(ret, &attributes, routine, argument) : ENOSYS;
	pthread_attr_destroy(&attributes);
	/* Thread-local storage of the app's may not leave enough of so small a stack. */
	return r == EINVAL ? create(ret, NULL, routine, argument) : r;
}

/*
 * A thread needs malloc, which the child of a fork that libc does not know of may have locked for ever; and
 * ThreadSanitizer ends a child of several threads that makes one, which the program's own may do.
 */
static bool is_possible(void)
{
	return cg_loader_has_malloc() && cg_sanitizer_bears_a_thread() &&
	       !(cg_loader_is_orphan() && cg_sanitizer_is_tsan());
}

static bool aside_unshared; /* a thread is in the table of the one that made it */

static void *run_aside(void *work)
{
	void (*function)(void);
	cg_ownfd_unshared = aside_unshared;
	memcpy(&function, &work, sizeof function);
	cg_hidden = 1;
	function();
	return NULL;
}

/* From the sweep's own thread, whose signals are blocked already. */
static bool start_aside(void (*work)(void))
{
	pthread_t aside;
	void *argument;
	memcpy(&argument, &work, sizeof argument);
	aside_unshared = cg_ownfd_unshared;
	return is_possible() && create_thread(&aside, run_aside, argument) == 0;
}

void cg_sweep_thread_init(void)
{
	find("pthread_create", &create);
	find("pthread_attr_setstacksize", &set_stack_size);
	find("__pthread_get_minstack", &smallest_stack); /* of libc's private ones, which others go by too */
	find("pthread_join", &join);
	find("pthread_detach", &detach);
	cg_symbol_in_thread = start_aside;
}

static void launch(void)
{
	/* But for libc's own two: setuid waits until every thread has answered the second, with locks in its hands. */
	static const uint64_t of_libc = 1ull << (32 - 1) | 1ull << (33 - 1);
	uint64_t all = ~of_libc, before;
	(void)CG_SYS(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8, 0, 0);
	cg_hidden++;
	cg_loader_thread_begins();
	int r = is_possible() ? create_thread(&thread, run, NULL) : EPERM;
	cg_hidden--;
	(void)CG_SYS(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, 8, 0, 0);
	if (r == 0) {
		cg_loader_own_thread(1);
		atomic_store(&state, RUNS);
		return;
	}
	cg_loader_thread_begun();
	atomic_store(&state, IMPOSSIBLE);
	cg_sweep_warn_later(
	    "no thread can be made here: connections are looked at when the program ends and on the dump signal only");
}

void cg_sweep_thread_start(void)
{
	int none = NONE;
	if (atomic_compare_exchange_strong(&state, &none, STARTING))
		launch();
}

void cg_sweep_thread_replace(void)
{
	int runs = RUNS;
	if (!atomic_compare_exchange_strong(&state, &runs, STARTING))
		return;
	previous = thread;
	follows = true;
	launch();
}

int cg_sweep_open_reserve(void)
{
	int fd = cg_sys_open("/dev/null", O_RDWR, 0);
	return fd >= 0 ? cg_ownfd_take(fd) : -1;
}

bool cg_sweep_alone(void)
{
	return cg_proc_threads() <= 2; /* the zombie of main, and this one */
}

uint64_t cg_sweep_cpu_ns(void)
{
	return cg_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void on_signal(int number)
{
	int saved_errno = errno;
	(void)number;
	cg_sweep_request_dump();
	errno = saved_errno;
}

static const char refusal[] = "CLOSEGUARD_SIGNAL: the program handles this signal itself; there is no dump signal";

void cg_sweep_take_signal(const struct cg_options *options)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;
	if (!options->signal)
		return;
	sigfillset(&action.sa_mask);
	if (sigaction(options->signal, NULL, &before) < 0 || before.sa_handler != SIG_DFL) {
		signal_told = true;
		cg_sweep_warn_now(refusal);
		return;
	}
	sigaction(options->signal, &action, NULL);
}

void cg_sweep_watch_signal(const struct cg_options *options)
{
	struct sigaction now;
	if (!options->signal || signal_told || sigaction(options->signal, NULL, &now) < 0 ||
	    now.sa_handler == on_signal)
		return;
	signal_told = true;
	cg_sweep_warn_now(refusal);
}
