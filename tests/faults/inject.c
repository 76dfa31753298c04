/*
 * inject.c: runs a program and lets chosen system calls of closeguard's fail, without touching its other calls.
 *
 *   inject LIST [CLASS,CALL,MODULE,OFFSET,FIRST,LAST,RESULT]... -- PROGRAM [ARG...]
 *
 * A seccomp filter hands every system call of the program and its children to this supervisor, which sees the address
 * of the instruction and so knows the calls that are made by the library's own text. Three classes are ours:
 *
 *   own    the instruction is in libcloseguard*.so (all calls of shim/sys.h)
 *   sweep  the library's thread, anywhere: in libc, the loader, libdw, libunwind
 *   thread a thread of the program inside the pthread_create that we called
 *   app    the main thread inside libc and the loader while the library is set up, and after main. Only right for a
 *          program that says where its main begins and ends (mark.h)
 *
 * All others go on untouched. A specification chooses by class, name of the call, module and offset of the instruction
 * (each may be "*"), from the FIRST to the LAST such call, and RESULT is what is answered instead: -errno, or a length.
 * The last matching one holds. LIST gets "CLASS CALL MODULE OFFSET COUNT FAILED" for each place that was seen. The
 * exit status is the program's; 125 when there is no such filter here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mark.h"
#include "names.h"
#include "where.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { MAX_PLACES = 4096, MAX_SPECS = 16, UNSUPPORTED = 125 };

struct place {
	char class[8], call[24], module[MAX_NAME];
	uint64_t offset;
	unsigned long count, failed;
};

struct spec {
	char class[8], call[24], module[MAX_NAME], offset[24];
	unsigned long first, last, count;
	long result;
};

static struct place places[MAX_PLACES];
static struct spec specs[MAX_SPECS];
static int place_count, spec_count;
static pid_t root;
static bool setting_up, ending;

static const char *name_of(long number)
{
	static char text[24];
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == number)
			return names[i].name;
	snprintf(text, sizeof(text), "%ld", number);
	return text;
}

static struct place *place_of(const char *class, const char *call, const struct module *module, uint64_t ip)
{
	uint64_t offset = ip - module->start + module->offset;
	for (int i = 0; i < place_count; i++)
		if (places[i].offset == offset && !strcmp(places[i].module, module->name) &&
		    !strcmp(places[i].call, call) && !strcmp(places[i].class, class))
			return &places[i];
	if (place_count == MAX_PLACES)
		abort();
	struct place *place = &places[place_count++];
	*place = (struct place){.offset = offset};
	snprintf(place->class, sizeof(place->class), "%s", class);
	snprintf(place->call, sizeof(place->call), "%s", call);
	snprintf(place->module, sizeof(place->module), "%s", module->name);
	return place;
}

/* Returns the class of a call, or NULL where it is the program's own. */
static const char *class_of(struct task *task, const struct seccomp_notif *n, const struct module *module)
{
	bool own = strncmp(module->name, "libcloseguard", 13) == 0;
	if (n->data.nr == SYS_getppid && n->data.args[0] == FAULTS_MARK) {
		setting_up = false;
		ending = n->data.args[1] == FAULTS_END;
		return NULL;
	}
	if (own && n->data.nr == SYS_prctl && n->data.args[0] == PR_SET_NAME)
		task->sweeps = true;
	if (own && n->data.nr == SYS_rt_sigprocmask && n->data.args[0] == SIG_SETMASK)
		task->creating = n->data.args[2] != 0;
	if (own)
		return "own";
	if (task->sweeps)
		return "sweep";
	if (task->creating)
		return "thread";
	return task->tid == root && (setting_up || ending) ? "app" : NULL;
}

static bool is(const char *wanted, const char *got)
{
	return !strcmp(wanted, "*") || !strcmp(wanted, got);
}

/* True when the call is to be answered with *ret_result instead of being made. */
static bool decide(struct place *place, long *ret_result)
{
	char offset[24];
	bool fails = false;
	snprintf(offset, sizeof(offset), "%lx", place->offset);
	place->count++;
	for (int i = 0; i < spec_count; i++) {
		struct spec *s = &specs[i];
		if (!is(s->class, place->class) || !is(s->call, place->call) || !is(s->module, place->module) ||
		    !is(s->offset, offset))
			continue;
		s->count++;
		if (s->count < s->first || s->count > s->last)
			continue;
		*ret_result = s->result;
		fails = true;
	}
	place->failed += fails;
	return fails;
}

static void answer(int listener, const struct seccomp_notif *n)
{
	struct seccomp_notif_resp r = {.id = n->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	struct task *task = task_of((pid_t)n->pid);
	const struct module *module = module_at(task, n->data.instruction_pointer);
	const char *class = module ? class_of(task, n, module) : NULL;
	long result;
	if (class && !strcmp(class, "own") && (pid_t)n->pid == root && !setting_up && !ending && !task->creating)
		setting_up = place_count == 0;
	if (class && decide(place_of(class, name_of(n->data.nr), module, n->data.instruction_pointer), &result)) {
		r.flags = 0;
		r.error = result < 0 ? (int)result : 0;
		r.val = result < 0 ? 0 : result;
	}
	if (n->data.nr == SYS_execve || n->data.nr == SYS_execveat)
		forget_maps(task);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static int install(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	/* A signal does not interrupt a call that waits for us. */
	long fd =
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &filter);
	return (int)(fd >= 0 ? fd : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter));
}

/* The child shares our table of descriptors until its exec: so the listener, which it makes, is ours too. */
static int start(char **argv)
{
	volatile int *listener = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*listener = -2;
	root = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (root == 0) {
		*listener = install();
		if (*listener >= 0)
			execv(argv[0], argv);
		_exit(UNSUPPORTED);
	}
	while (*listener == -2 && waitpid(root, NULL, WNOHANG) == 0)
		usleep(100);
	return *listener;
}

static void read_spec(const char *text)
{
	struct spec *s = &specs[spec_count++];
	if (spec_count > MAX_SPECS || sscanf(text, "%7[^,],%23[^,],%47[^,],%23[^,],%lu,%lu,%ld", s->class, s->call,
	                                     s->module, s->offset, &s->first, &s->last, &s->result) != 7) {
		fprintf(stderr, "inject: what is \"%s\"?\n", text);
		exit(2);
	}
}

static void write_list(FILE *list)
{
	for (int i = 0; i < place_count; i++)
		fprintf(list, "%s %s %s %lx %lu %lu\n", places[i].class, places[i].call, places[i].module,
		        places[i].offset, places[i].count, places[i].failed);
	fclose(list);
}

static void serve(int listener, int *status)
{
	struct pollfd one = {listener, POLLIN, 0};
	struct seccomp_notif n;
	while (poll(&one, 1, 1000) >= 0 || errno == EINTR) {
		if (one.revents & POLLIN) {
			memset(&n, 0, sizeof(n));
			if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0)
				answer(listener, &n);
		} else if (one.revents & POLLHUP) {
			break; /* all that ran under the filter are gone */
		}
		while (waitpid(-1, status, WNOHANG) > 0)
			;
	}
	while (waitpid(-1, status, 0) > 0)
		;
}

int main(int argc, char **argv)
{
	int i = 2, status = 0;
	FILE *list = argc > 1 ? fopen(argv[1], "we") : NULL;
	for (; i < argc && strcmp(argv[i], "--"); i++)
		read_spec(argv[i]);
	if (!list || i + 1 >= argc) {
		fprintf(stderr, "usage: inject LIST [SPECIFICATION]... -- PROGRAM [ARG...]\n");
		return 2;
	}
	int listener = start(argv + i + 1);
	if (listener < 0)
		return UNSUPPORTED;
	serve(listener, &status);
	write_list(list);
	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		kill(getpid(), WTERMSIG(status));
	}
	return WEXITSTATUS(status);
}
