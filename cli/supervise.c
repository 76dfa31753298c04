/*
 * supervise.c: a parent that is not there, as far as that goes: what is sent to it comes to the child, and what becomes
 * of the child becomes of it.
 */
#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "procfs.h"
#include "recorders.h"
#include "recording.h"

/* Used after its end was read: it may be about to be answered. Ticks are tenths of a second. */
static const uint64_t slack_ns = 300000000;

struct leaks {
	const struct cg_recording *recording;
	unsigned count;
};

/* Of what a look had seen as closable, so that one that was just being closed is not counted. */
static void count_slot(int fd, const struct cg_slot *slot, void *context)
{
	struct leaks *leaks = context;
	uint32_t healthy = CG_SLOT_IGNORED | CG_SLOT_RELAYED | CG_SLOT_INHERITED;
	uint64_t used_ns = leaks->recording->header.start_ns + slot->last_tick * 100000000ull;
	(void)fd;
	if (slot->kind == CG_FD_CONN && (slot->flags & CG_SLOT_EOF) && !(slot->flags & healthy) &&
	    slot->first_seen_ns && used_ns < slot->eof_ns + slack_ns)
		leaks->count++;
}

/* A policy that bears a leak bears it here too; which of the young ones it means is not recorded. */
static bool bears_some(struct cg_recording *recording)
{
	struct cg_kept_finding kept;
	bool bears = false;
	for (unsigned i = 0; i < CG_MAX_FINDINGS && !bears; i++)
		bears = cg_recording_finding(recording, i, &kept) && kept.suppressed;
	return bears;
}

static bool has_leaks(const char *path, pid_t pid, uint64_t start)
{
	static struct cg_recording recording;
	char why[CG_RECORDING_WHY];
	if (cg_recording_open(path, &recording, why) < 0)
		return false;
	const struct cg_header *h = &recording.header;
	const struct cg_counters *count = &h->count;
	struct leaks leaks = {.recording = &recording};
	bool is_its = h->pid == pid && h->process_start == start;
	if (is_its && !bears_some(&recording))
		cg_recording_slots(&recording, count_slot, &leaks);
	bool any =
	    leaks.count || count->leaks_told || count->leaked_now || count->double_closes || count->uses_after_close;
	cg_recording_close(&recording);
	return is_its && any;
}

static bool has_left_leaks(pid_t pid, uint64_t start)
{
	struct cg_recorders found = {0};
	bool any = false;
	if (cg_recorders_find(cg_recorders_dir(), cg_recorders_dir_owner(), pid, &found) == 0)
		for (size_t i = 0; i < found.count && !any; i++)
			any = has_leaks(found.list[i].path, pid, start);
	cg_recorders_free(&found);
	return any;
}

/* Ends as the child did, without a core of our own. Returns where the signal does not end us. */
static int end_by(int number)
{
	struct rlimit none = {0, 0};
	sigset_t mask;
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(number, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, number);
	(void)raise(number);
	(void)sigprocmask(SIG_UNBLOCK, &mask, NULL);
	return 128 + number;
}

static int outcome(int status, pid_t pid, uint64_t start, int exitcode)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	int number = WTERMSIG(status);
	bool asked = number == SIGTERM || number == SIGINT || number == SIGHUP;
	if (asked && exitcode && has_left_leaks(pid, start))
		return exitcode;
	return end_by(number);
}

/* What the terminal sends, its whole group gets. */
static void pass_on(pid_t pid, const siginfo_t *info)
{
	if (info->si_code != SI_KERNEL)
		(void)kill(pid, info->si_signo);
}

/* Whoever waits for us is to see that the child has stopped. Returns whether it has ended, and how. */
static bool has_ended(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, WNOHANG | WUNTRACED) == pid) {
		if (!WIFSTOPPED(*ret_status))
			return true;
		(void)raise(SIGSTOP);
		(void)kill(pid, SIGCONT);
	}
	return false;
}

static int wait_for(pid_t pid, const sigset_t *signals, int exitcode)
{
	uint64_t start = cg_proc_start_time(pid);
	siginfo_t info;
	int status = 0;
	while (!has_ended(pid, &status)) {
		int number = sigwaitinfo(signals, &info);
		if (number > 0 && number != SIGCHLD && number != SIGCONT)
			pass_on(pid, &info);
	}
	return outcome(status, pid, start, exitcode);
}

int cg_supervise(int exitcode)
{
	sigset_t all, before;
	/* One that was ignored here stays so in the program, but an ignored SIGCHLD would leave nothing to wait for. */
	void (*chld)(int) = signal(SIGCHLD, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) {
		(void)signal(SIGCHLD, chld);
		sigprocmask(SIG_SETMASK, &before, NULL);
		return -1;
	}
	if (pid < 0) {
		cg_common_complain("run", "no process could be made: %s", strerror(errno));
		return CG_EXIT_FAILED;
	}
	return wait_for(pid, &all, exitcode);
}
