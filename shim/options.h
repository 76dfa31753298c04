/*
 * options.h: the settings, read once from the environment and copied, never read from there again (programs clear or
 * move their environment).
 */
#ifndef CG_OPTIONS_H
#define CG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum cg_format { CG_FORMAT_TEXT, CG_FORMAT_JSON };
enum cg_stacks { CG_STACKS_FULL, CG_STACKS_FP, CG_STACKS_OFF };

enum { CG_OPTION_TEXT_MAX = 1024 }; /* longest path or name kept; longer ones are refused with a warning */

/* The settings' numbers, CG_OPT_ON, CG_OPT_POLICY and so on in options.def's order. */
enum {
#define CG_OPTION(name, kind, standard, values, meaning) CG_OPT_##name,
#include "options.def"
#undef CG_OPTION
	CG_OPT_COUNT
};

struct cg_options {
	/*
	 * Bit 1u << CG_OPT_…: the environment names it, so the policy file must not replace it. Also set where the
	 * value was refused: the warning then said that the default is used.
	 */
	uint32_t from_environment;
	bool on;
	bool thread;
	bool follow;
	bool suppress;
	enum cg_format format;
	enum cg_stacks stacks;
	unsigned depth;
	unsigned log_mode;
	int signal;   /* 0: none */
	int exitcode; /* 0: leave the app's own */
	uint64_t warn_after_ns;
	uint64_t interval_ns;
	char policy[CG_OPTION_TEXT_MAX]; /* "" where unset, here and below */
	char app[256];                   /* basename of the executable unless set */
	char log[CG_OPTION_TEXT_MAX];
	char dir[CG_OPTION_TEXT_MAX];
};

struct cg_option_info {
	const char *variable; /* "CLOSEGUARD_LOG" */
	const char *standard; /* the default, as text */
	const char *values;
	const char *meaning;
};

/* The table, in options.def's order; *ret_count is its length. For --help and the manual's check. */
const struct cg_option_info *cg_options_table(unsigned *ret_count);

/* Told once for each value that cannot be understood; `line` is one line without newline. */
typedef void cg_option_warn(const char *line, void *context);

/*
 * Fills *ret with defaults, then with what `environ_` (NULL-terminated, "NAME=value") sets. A value that cannot be
 * understood leaves its default and calls warn with the variable, the value and what is used instead, as does a
 * CLOSEGUARD_… variable that does not exist (the nearest name is given; CLOSEGUARD_TEST_… is left to tests). An empty
 * value is none, of two entries the first counts, `warn` may be NULL. No allocation, no locale; constructor only.
 */
void cg_options_read(char *const *environ_, struct cg_options *ret, cg_option_warn *warn, void *context);

/*
 * Was a depth asked for? Then lines have all frames that are kept; else those that are worth a line, and the recorder
 * has the rest.
 */
bool cg_options_depth_chosen(const struct cg_options *options);

/* Sets one option (CG_OPT_…) from a text that a policy file gives, unless the environment named it. 0 or -errno. */
int cg_options_set(struct cg_options *options, unsigned option, const char *text);

#endif
