/* sweep_policy.c: finds the policy file, reads it, and reads it again when it changes. */
#include "sweep_policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "act_parts.h"
#include "arena.h"
#include "bypass.h"
#include "loader.h"
#include "policy.h"
#include "real.h"
#include "sweep_reap.h"
#include "sweep_report.h"
#include "symbol.h"
#include "sys.h"
#include "track.h"

#define ANNEX "libcloseguard-config.so"

enum { ERRORS = 12, WARNINGS = 4 };

/* Between two looks at the file, and between two tries at one that is bad: what it includes may have been mended. */
static const uint64_t check_ns = 1000000000u, retry_ns = 10000000000u;

static struct cg_options *options;
static cg_policy_load_fn *load_file; /* NULL: no policy file was found, or no annex */
static struct cg_policy *mine;       /* the newest that was good */
static char path[CG_POLICY_PATH];
static char (*complaints)[CG_POLICY_LINE];
static unsigned complaint_count;
static uint64_t checked_ns, tried_ns, fingerprint, complained_of;
static bool bad;

static void complain(const char *text)
{
	struct cg_buf line;
	if (!complaints) {
		size_t size = (size_t)(ERRORS + WARNINGS) * sizeof *complaints;
		void *room = cg_sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (cg_sys_failed(room))
			return;
		complaints = room;
	}
	if (complaint_count == ERRORS + WARNINGS)
		return;
	cg_buf_init(&line, complaints[complaint_count++], sizeof *complaints);
	cg_buf_str(&line, text);
}

bool cg_sweep_policy_complaints(void)
{
	return complaint_count > 0;
}

void cg_sweep_policy_complain(void (*warn)(const char *text))
{
	for (unsigned i = 0; i < complaint_count; i++)
		warn(complaints[i]);
	complaint_count = 0;
}

static bool is_there(const char *directory, const char *sub, const char *name)
{
	struct stat st;
	struct cg_buf text;
	cg_buf_init(&text, path, sizeof path);
	cg_buf_fmt(&text, "%s%s/closeguard/%s.cfg", directory, sub, name);
	return !text.truncated && !strchr(name, '/') && cg_sys_fstatat(AT_FDCWD, path, &st, 0) == 0;
}

/* The first of the places that INTERFACE names; path is empty where there is none. */
static void find_file(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME"), *sub = "";
	struct cg_buf text;
	if (options->policy[0]) {
		cg_buf_init(&text, path, sizeof path);
		cg_buf_str(&text, options->policy);
		return;
	}
	if (!config || config[0] != '/') {
		config = home;
		sub = "/.config";
	}
	if (config && config[0] == '/' && (is_there(config, sub, options->app) || is_there(config, sub, "default")))
		return;
	if (!is_there("/etc", "", options->app) && !is_there("/etc", "", "default"))
		path[0] = '\0';
}

/* A namespace of its own, with a libc of its own: what the program exports is not called, its files are not opened. */
static bool load_annex(void)
{
	char name[1100];
	struct cg_buf text;
	cg_buf_init(&text, name, sizeof name);
	cg_buf_fmt(&text, "%s/" ANNEX, cg_symbol_own_dir());
	unsigned before = cg_bypass_namespaces();
	CG_NEED(dlmopen);
	cg_hidden++;
	void *annex = cg_real.dlmopen ? cg_real.dlmopen(LM_ID_NEWLM, name, RTLD_NOW | RTLD_LOCAL) : NULL;
	const char *why = annex ? "it is of another version than libcloseguard.so" : dlerror();
	cg_policy_build_fn *build = annex ? (cg_policy_build_fn *)dlsym(annex, "cg_policy_build") : NULL;
	if (build && build() == ((uint64_t)CG_POLICY_VERSION << 32 | sizeof(struct cg_policy)))
		load_file = (cg_policy_load_fn *)dlsym(annex, "cg_policy_load");
	cg_hidden--;
	cg_bypass_own_namespaces(cg_bypass_namespaces() - before);
	if (load_file)
		return true;
	char line[CG_POLICY_LINE];
	cg_buf_init(&text, line, sizeof line);
	cg_buf_fmt(&text, "%s: the policy is not used: " ANNEX " cannot be loaded (%s)", path, why ? why : "?");
	complain(line);
	return false;
}

static uint64_t hash_stat(uint64_t h, const char *name)
{
	struct stat st = {0};
	uint64_t parts[6];
	if (cg_sys_fstatat(AT_FDCWD, name, &st, 0) < 0)
		return h * 31 + 1;
	parts[0] = st.st_dev;
	parts[1] = st.st_ino;
	parts[2] = (uint64_t)st.st_size;
	parts[3] = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	parts[4] = (uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec;
	parts[5] = st.st_mode;
	for (int i = 0; i < 6; i++)
		h = (h ^ parts[i]) * 0x100000001b3u;
	return h;
}

/* Of the file and all that the good one included. */
static uint64_t take_fingerprint(void)
{
	uint64_t h = hash_stat(0xcbf29ce484222325u, path);
	for (unsigned i = 0; mine && i < mine->file_count; i++)
		h = hash_stat(h, mine->files[i].path);
	return h;
}

static uint64_t hash_text(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

/* A bad file is told of once, however often it is tried. */
static void complain_of_errors(char (*errors)[CG_POLICY_LINE], int count)
{
	char line[CG_POLICY_LINE];
	struct cg_buf text;
	uint64_t about = 0;
	for (int i = 0; i < count && i < ERRORS; i++)
		about ^= hash_text(errors[i]) + (uint64_t)i;
	if (bad && about == complained_of)
		return;
	complained_of = about;
	for (int i = 0; i < count && i < ERRORS; i++)
		complain(errors[i]);
	cg_buf_init(&text, line, sizeof line);
	cg_buf_fmt(&text, "%.300s: the policy is not used: %d error%s; %s", path, count, count == 1 ? "" : "s",
	           mine ? "the rules read before stay in force" : "the program is only observed");
	complain(line);
}

/* Reads the file. True: there is a new policy, in `mine`. */
static bool read_file(void)
{
	static char errors[ERRORS][CG_POLICY_LINE] CG_LARGE, warnings[WARNINGS][CG_POLICY_LINE] CG_LARGE;
	unsigned warned = 0;
	struct cg_policy *policy =
	    cg_sys_mmap(NULL, sizeof *policy, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cg_sys_failed(policy))
		return false;
	int saved_errno = errno;
	cg_hidden++;
	cg_loader_begin(); /* the annex's libc knows nothing of the program's forks */
	int wrong = load_file(path, options->app, policy, errors, ERRORS, warnings, WARNINGS, &warned);
	cg_loader_end();
	cg_hidden--;
	errno = saved_errno;
	if (wrong) {
		complain_of_errors(errors, wrong);
		bad = true;
		cg_sys_munmap(policy, sizeof *policy);
		return false;
	}
	for (unsigned i = 0; policy->applies && i < warned && i < WARNINGS; i++)
		complain(warnings[i]);
	bad = false;
	mine = policy;
	return true;
}

static void take_setting(unsigned option, const char *text)
{
	if (text[0])
		(void)cg_options_set(options, option, text);
}

/* What can be changed at any time, and what only before anything was started. */
static void take_settings(const struct cg_policy_settings *settings, bool at_start)
{
	take_setting(CG_OPT_WARN_AFTER, settings->warn_after);
	take_setting(CG_OPT_INTERVAL, settings->interval);
	take_setting(CG_OPT_EXITCODE, settings->exitcode);
	take_setting(CG_OPT_FORMAT, settings->format);
	if (!at_start)
		return;
	take_setting(CG_OPT_STACKS, settings->stacks);
	take_setting(CG_OPT_DEPTH, settings->depth);
	take_setting(CG_OPT_LOG, settings->log);
	take_setting(CG_OPT_LOG_MODE, settings->log_mode);
	take_setting(CG_OPT_SIGNAL, settings->signal);
}

static void put_in_force(bool at_start)
{
	if (mine->applies)
		take_settings(&mine->settings, at_start);
	cg_act_set_policy(mine);
}

void cg_sweep_policy_begin(struct cg_options *from)
{
	options = from;
	find_file();
	if (!path[0] || !load_annex())
		return;
	if (read_file())
		put_in_force(true);
	fingerprint = take_fingerprint();
}

bool cg_sweep_policy_watches(void)
{
	return load_file != NULL;
}

bool cg_sweep_policy_closes(void)
{
	const struct cg_policy *policy = cg_act_enter();
	bool closes = policy && policy->enforce && policy->acts_on_close;
	cg_act_leave();
	return closes;
}

bool cg_sweep_policy_changed(void)
{
	return load_file && take_fingerprint() != fingerprint;
}

static void check_file(uint64_t now_ns)
{
	if (!load_file || now_ns - checked_ns < check_ns)
		return;
	checked_ns = now_ns;
	cg_act_collect_policies();
	uint64_t print = take_fingerprint();
	if (print == fingerprint && !(bad && now_ns - tried_ns >= retry_ns))
		return;
	tried_ns = now_ns;
	bool changed = print != fingerprint;
	if (changed)
		complained_of = 0;
	if (read_file())
		put_in_force(false);
	fingerprint = take_fingerprint();
	cg_sweep_policy_complain(cg_sweep_warn_now);
}

void cg_sweep_policy_prepare(struct cg_sweep *sweep, bool may_load)
{
	if (may_load)
		check_file(sweep->now_ns);
	cg_sweep_reap_prepare(sweep, may_load);
}

uint64_t cg_sweep_policy_patience(uint64_t standard)
{
	const struct cg_policy *policy = cg_act_enter();
	const uint64_t zero = 0, *times[] = {policy ? &policy->least_warn_after_ns : &zero,
	                                     policy ? &policy->least_reap_after_ns : &zero,
	                                     policy ? &policy->least_fin_wait2_after_ns : &zero};
	for (unsigned i = 0; i < 3; i++)
		if (*times[i] && *times[i] < standard)
			standard = *times[i];
	cg_act_leave();
	return standard;
}
