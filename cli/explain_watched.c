/*
 * explain_watched.c: how well a process is watched that the library is in.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "environ.h"
#include "explain.h"
#include "fmt.h"
#include "procfs.h"
#include "watched.h"

/* The sweep calls its thread so. */
static const char sweep_name[] = "closeguard\n";

static int is_sweep(int dir, const char *name, unsigned number, void *context)
{
	char path[64], comm[32] = "";
	(void)number, (void)context;
	cg_common_print(path, sizeof path, "%s/comm", name);
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, comm, sizeof comm - 1);
	if (fd >= 0)
		close(fd);
	return n > 0 && strcmp(comm, sweep_name) == 0;
}

static bool has_sweep(pid_t pid)
{
	char path[64];
	cg_common_print(path, sizeof path, "/proc/%d/task", pid);
	return cg_proc_entries(AT_FDCWD, path, is_sweep, NULL) == 1;
}

static void tell_sweep(pid_t pid, const struct cg_header *header, struct cg_verdict *verdict)
{
	char text[64], thread[16];
	struct cg_buf age;
	uint64_t now = cg_clock_ns(CLOCK_MONOTONIC);
	if (header->last_sweep_ns && header->last_sweep_ns <= now) {
		cg_buf_init(&age, text, sizeof text);
		cg_buf_age(&age, now - header->last_sweep_ns);
		cg_verdict_say(verdict, CG_REMARK_FACT, "the last of its %" PRIu64 " sweeps was %s ago",
		               (uint64_t)header->count.sweeps, text);
	}
	if (has_sweep(pid))
		return;
	if (cg_environ_get(pid, "CLOSEGUARD_THREAD", thread, sizeof thread) == 0 && strcmp(thread, "off") == 0)
		cg_verdict_lower(verdict, CG_ANSWER_PARTLY,
		                 "CLOSEGUARD_THREAD=off: it looks at exit and on the dump signal only");
	else if (header->open_now)
		cg_verdict_lower(verdict, CG_ANSWER_PARTLY,
		                 "it has no sweep thread (a sandbox may have refused it): it looks at exit only");
}

static void tell_coverage(const struct cg_header *header, struct cg_verdict *verdict)
{
	const struct cg_counters *count = &header->count;
	cg_verdict_say(verdict, CG_REMARK_FACT,
	               "%" PRIu64 " TCP descriptors opened, %" PRIu64 " closed, %" PRIu64 " ends of file seen",
	               (uint64_t)count->opened, (uint64_t)count->closed, (uint64_t)count->eofs);
	if (count->adopted)
		cg_verdict_say(verdict, CG_REMARK_REASON,
		               "%" PRIu64 " sockets were opened where no wrapper saw it (origin \"unseen\"): they are "
		               "judged, without the stack that opened them",
		               (uint64_t)count->adopted);
	if (count->beyond_limit)
		cg_verdict_lower(verdict, CG_ANSWER_PARTLY,
		                 "%" PRIu64 " descriptors had numbers of %d and more, which are not recorded",
		                 (uint64_t)count->beyond_limit, CG_MAX_FDS);
	if (count->stack_overflows)
		cg_verdict_lower(verdict, CG_ANSWER_PARTLY, "%" PRIu64 " stacks found no room in the recorder",
		                 (uint64_t)count->stack_overflows);
	if (header->anonymous)
		cg_verdict_lower(verdict, CG_ANSWER_PARTLY,
		                 "parts of its recorder are in its memory only, because the file could not grow");
}

/* Without a recorder there is nothing wrong where there was no socket yet. */
static void tell_unrecorded(struct cg_verdict *verdict)
{
	cg_verdict_say(
	    verdict, CG_REMARK_FACT,
	    "it has no recorder that can be found: it had no TCP socket yet, or could not make the file (its "
	    "/dev/shm is full, or missing)");
}

void cg_explain_watched(pid_t pid, const struct cg_watched *watched, struct cg_verdict *verdict)
{
	char on[16];
	cg_verdict_say(verdict, CG_REMARK_FACT, "library %s", watched->library);
	if (watched->replaced)
		cg_verdict_say(verdict, CG_REMARK_FACT,
		               "the library's file has been replaced since: the process runs the older one");
	if (cg_environ_get(pid, "CLOSEGUARD", on, sizeof on) == 0 && strcmp(on, "off") == 0) {
		cg_verdict_lower(verdict, CG_ANSWER_NO,
		                 "it was started with CLOSEGUARD=off: every wrapper is a plain pass-through");
		cg_verdict_say(verdict, CG_REMARK_ADVICE, "restart it without CLOSEGUARD=off");
		return;
	}
	if (!watched->recorded) {
		tell_unrecorded(verdict);
		return;
	}
	cg_verdict_say(verdict, CG_REMARK_FACT, "recorder %s", watched->recorder);
	if (watched->header.state == CG_STATE_SEALED) {
		cg_verdict_lower(
		    verdict, CG_ANSWER_PARTLY,
		    "it entered a seccomp sandbox, in which the library makes no system call any more: what "
		    "was known by then is in the recorder");
		cg_verdict_say(verdict, CG_REMARK_ADVICE, "closeguard scan %d looks from outside", pid);
	} else {
		tell_sweep(pid, &watched->header, verdict);
	}
	tell_coverage(&watched->header, verdict);
	cg_verdict_say(verdict, CG_REMARK_ADVICE, "closeguard report %s", watched->recorder);
}
