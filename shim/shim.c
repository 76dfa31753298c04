/*
 * shim.c: where it starts and ends. Read on in wrap_read.c and wrap_close.c (what is seen), track.c (what is recorded),
 * sweep.c (when it is looked at), detect.c (what is made of it) and sweep_report.c (what is said).
 */
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>

#include "arena.h"
#include "bypass.h"
#include "clock.h"
#include "closeguard.h"
#include "fmt.h"
#include "fork.h"
#include "guard.h"
#include "track_inherit.h"
#include "object.h"
#include "options.h"
#include "preload.h"
#include "procfs.h"
#include "real.h"
#include "recorder.h"
#include "sanitizer.h"
#include "stack.h"
#include "sweep.h"
#include "sweep_policy.h"
#include "sweep_report.h"
#include "sweep_thread.h"
#include "symbol.h"
#include "sys.h"
#include "track.h"
#include "unwind.h"

static struct cg_options options;
extern void *__dso_handle __attribute__((visibility("hidden"))); /* the compiler's name for this library */

/* Wrong input is told at once, but the log is not set up before all input is read. */
static char complaints[4][512] CG_LARGE;
static unsigned complaint_count;

static void keep_complaint(const char *line, void *unused)
{
	struct cg_buf text;
	(void)unused;
	if (complaint_count == sizeof complaints / sizeof complaints[0])
		return;
	cg_buf_init(&text, complaints[complaint_count++], sizeof complaints[0]);
	cg_buf_str(&text, line);
}

/* The segment of a module that holds our code, or the code of a sanitizer's runtime. */
static void find_in_segment(const ElfW(Phdr) * p, uintptr_t start, bool runtime)
{
	uintptr_t here = (uintptr_t)find_in_segment, end = start + p->p_memsz;
	if (p->p_type != PT_LOAD)
		return;
	if (here >= start && here < end)
		cg_unwind_set_own_range(start, end);
	else if (runtime && (p->p_flags & PF_X))
		cg_unwind_set_runtime_range(start, end);
}

static int find_code(struct dl_phdr_info *info, size_t size, void *unused)
{
	static const char *const names[] = {"libasan.so", "libtsan.so", "libclang_rt.asan", "libclang_rt.tsan"};
	bool runtime = false, sanitized = cg_sanitizer_is_tsan() || cg_sanitizer_is_asan();
	(void)size;
	(void)unused;
	for (unsigned i = 0; sanitized && i < sizeof names / sizeof names[0]; i++)
		runtime |= strstr(info->dlpi_name, names[i]) != NULL;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		find_in_segment(&info->dlpi_phdr[i], info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, runtime);
	return 0;
}

static void find_all_code(void)
{
	uintptr_t start, end;
	cg_object_init();
	cg_sanitizer_init();
	dl_iterate_phdr(find_code, NULL);
	if (cg_sanitizer_code(&start, &end))
		cg_unwind_set_runtime_range(start, end);
}

/*
 * CLOSEGUARD_FOLLOW=off: takes this library out of LD_PRELOAD, in place, so that every way of starting a program (also
 * those inside libc: system, popen) passes a list without us.
 */
static void leave_preload(void)
{
	char *list = getenv("LD_PRELOAD");
	if (list && !cg_preload_strip(list, list, true))
		unsetenv("LD_PRELOAD");
}

static void at_exit_status(int status, void *unused)
{
	(void)unused;
	if (status == 0 && atomic_load(&cg_self.pid) == cg_sys_getpid() && cg_sweep_outstanding()) {
		fflush(NULL);
		cg_real._exit(options.exitcode);
	}
}

static void before_fork(void)
{
	cg_fork_before(true);
}

static void new_raw_child(void)
{
	cg_fork_child(false);
}

static void new_child(void)
{
	cg_fork_child(true);
}

/*
 * Every program that a watched one starts reads the same input. Those say what is wrong with it only when they have
 * something to report: a service that runs a thousand commands is told of its mistake once.
 */
static void tell_complaints(void)
{
	void (*warn)(const char *) = cg_sweep_warn_now;
	if (!complaint_count && !cg_sweep_policy_complaints())
		return;
	if (cg_proc_is_preloaded((pid_t)CG_SYS3(SYS_getppid, 0, 0, 0)))
		warn = cg_sweep_warn_later;
	for (unsigned i = 0; i < complaint_count; i++)
		warn(complaints[i]);
	cg_sweep_policy_complain(warn);
}

static void start_watching(void)
{
	struct utsname names;
	const char *host = CG_SYS3(SYS_uname, &names, 0, 0) == 0 ? names.nodename : "?";
	cg_guard_own();
	cg_guard_new_child = new_raw_child;
	cg_recorder_configure(options.dir, options.app, options.warn_after_ns);
	cg_sweep_report_init(&options, host);
	tell_complaints();
	find_all_code();
	cg_stack_set_depth(options.depth);
	cg_bypass_init();
	cg_unwind_init(options.stacks, cg_bypass_imports_sockets());
	cg_bypass_mark_start();
	(void)cg_symbol_own_dir(); /* while a relative path still leads there */
	cg_sweep_thread_init();
	cg_sweep_init(&options);
	cg_track_wake = cg_sweep_wake;
	cg_track_exiting = cg_sweep_last;
	cg_track_sealing = cg_sweep_seal;
	cg_track_giving_up = cg_sweep_giving_up;
	cg_track_main_left = cg_sweep_main_left;
	cg_track_ending = cg_sweep_ending;
	cg_fork_child_hook = cg_sweep_after_fork;
	__register_atfork(before_fork, cg_fork_parent, new_child, &__dso_handle);
	if (options.exitcode)
		on_exit(at_exit_status, NULL);
	cg_sweep_take_signal(&options);
	cg_inherit_scan();
	atomic_store(&cg_guard.enabled, true);
	if (cg_bypass_found() || cg_bypass_expected())
		cg_sweep_wake(false); /* a Go program, or a plugin of a constructor's: no wrapper may ever be called */
}

__attribute__((constructor)) static void start(void)
{
	int saved_errno = errno;
	extern char **environ;
	(void)cg_real_resolve();
	cg_clock_init();
	cg_preload_init();
	if (cg_real_is_glibc() && !getauxval(AT_SECURE)) {
		cg_options_read(environ, &options, keep_complaint, NULL);
		if (!options.follow)
			leave_preload();
		if (options.on) {
			cg_sweep_policy_begin(&options);
			start_watching();
		}
	}
	errno = saved_errno;
}

__attribute__((destructor)) static void finish(void)
{
	CG_EVENT(cg_sweep_last("exit"));
}

CG_EXPORT int closeguard_api_present(void)
{
	return options.on;
}

CG_EXPORT int closeguard_api_ignore(int fd, const char *reason)
{
	struct cg_slot *slot = cg_slot_at(fd);
	(void)reason;
	if (!slot || atomic_load(&slot->kind) != CG_FD_CONN)
		return -1;
	atomic_fetch_or(&slot->flags, CG_SLOT_IGNORED);
	return 0;
}

CG_EXPORT int closeguard_api_label(int fd, const char *text)
{
	struct cg_slot *slot = cg_slot_at(fd);
	for (unsigned i = 0; slot && text && atomic_load(&slot->kind) == CG_FD_CONN && i < CG_MAX_LABELS; i++) {
		struct cg_label *label = cg_recorder_label((slot->conn + i) % CG_MAX_LABELS, true);
		uint32_t there = 0;
		struct cg_buf copy;
		if (!label ||
		    (!atomic_compare_exchange_strong(&label->conn, &there, slot->conn) && there != slot->conn && i < 8))
			continue;
		atomic_store(&label->conn, slot->conn); /* after eight strangers, the last one gives way */
		cg_buf_init(&copy, label->text, sizeof label->text);
		cg_buf_str(&copy, text);
		atomic_fetch_or(&slot->flags, CG_SLOT_LABELLED);
		return 0;
	}
	return -1;
}

CG_EXPORT size_t closeguard_api_check(void)
{
	size_t leaks = 0;
	CG_EVENT(leaks = cg_sweep_check(CG_CHECK_STRICT));
	return leaks;
}

CG_EXPORT size_t closeguard_api_check_older(unsigned milliseconds)
{
	size_t leaks = 0;
	CG_EVENT(leaks = cg_sweep_check(milliseconds * 1000000ull));
	return leaks;
}
