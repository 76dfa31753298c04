/*
 * policy.h: what a policy file says, compiled: facts in, decision out.
 *
 * A compiled policy is one flat structure without pointers. The annex that parses files (parse*.c, the only user of
 * libconfig) fills it in, in a namespace of its own; afterwards it is only read. Nothing here includes anything of the
 * library around it, makes a system call, allocates or locks, but for cg_policy_load.
 *
 * 0 means "not said" wherever a comment names no other value.
 */
#ifndef CG_POLICY_H
#define CG_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CG_POLICY_VERSION = 1, /* of this structure: library and annex must be of one build */
	CG_POLICY_RULES = 64,
	CG_POLICY_SUPPRESSIONS = 64,
	CG_POLICY_PASS_OVER = 16, /* patterns */
	CG_POLICY_GLOBS = 8,      /* of one suppression */
	CG_POLICY_OPTIONS = 32,   /* setsockopt entries of one rule */
	CG_POLICY_FILES = 16,     /* the file and what it includes */
	CG_POLICY_NAME = 48,
	CG_POLICY_GLOB = 128,
	CG_POLICY_PATH = 1024
};

enum cg_policy_role { CG_POLICY_ANY_ROLE, CG_POLICY_ACCEPTED, CG_POLICY_CONNECTED };
enum cg_policy_linger { CG_LINGER_UNSAID, CG_LINGER_DEFAULT, CG_LINGER_OFF, CG_LINGER_RESET, CG_LINGER_TIME };
enum cg_policy_verb { CG_OPTION_ALLOW, CG_OPTION_LOG, CG_OPTION_DENY };

/* Addresses are 16 bytes; IPv4 is mapped (::ffff:a.b.c.d), so that a dual-stack socket's peer matches what it is. */
struct cg_policy_net {
	uint8_t bytes[16];
	uint8_t prefix; /* bits that must agree, of the 128; 0: any address */
	bool said;
	uint16_t port_first, port_last; /* 0, 0: any port */
};

struct cg_policy_match_on {
	uint8_t role;   /* enum cg_policy_role */
	uint8_t family; /* 0: any; 4; 6 (an IPv4 peer of a dual-stack socket is 4) */
	struct cg_policy_net local, peer;
	char site[CG_POLICY_GLOB]; /* glob on a function or module of the opening stack; "": any */
};

struct cg_policy_keepalive {
	bool said;
	uint32_t idle_s, interval_s, count; /* 0: the system's */
};

struct cg_policy_option {
	int32_t level, name; /* SOL_SOCKET, SO_LINGER, … */
	uint8_t verb;        /* enum cg_policy_verb */
};

struct cg_policy_rule {
	char name[CG_POLICY_NAME]; /* "rule 3" where the file gives none */
	uint32_t line;             /* where it begins, in file `file` of the policy's files */
	uint32_t file;
	struct cg_policy_match_on match;

	struct cg_policy_keepalive keepalive; /* open */
	uint32_t open_user_timeout_ms;

	uint64_t warn_after_ns; /* eof */
	uint64_t reap_after_ns;

	uint8_t linger; /* close; enum cg_policy_linger */
	uint16_t linger_s;
	uint32_t drain_ms; /* 0: no drain */
	uint32_t drain_bytes;
	int32_t fin_timeout_s; /* TCP_LINGER2: 1 to 120; -1: reset on reaching FIN_WAIT2; 0: not said */
	uint32_t close_user_timeout_ms;
	uint32_t rto_max_ms;

	uint64_t fin_wait2_after_ns; /* shutdown */

	uint32_t option_count;
	struct cg_policy_option options[CG_POLICY_OPTIONS];
};

struct cg_policy_suppression {
	char kind[24];  /* "": any; else a kind's name as in a finding */
	char cause[24]; /* the same */
	uint32_t glob_count;
	/* Each matches a frame of one stack, in this order, from the innermost outwards. */
	char stack[CG_POLICY_GLOBS][CG_POLICY_GLOB];
	uint32_t max; /* so many sockets are borne, one more is told; UINT32_MAX: any number */
	char reason[128];
};

/* Settings that may stand in a policy file as well as in the environment, as the text that the variable would have. */
struct cg_policy_settings {
	char warn_after[24], interval[24], stacks[8], depth[8], format[8], log[1024], log_mode[8];
	char exitcode[8], signal[16];
};

/* A file that the policy was read from, to notice that it changed. */
struct cg_policy_file {
	char path[CG_POLICY_PATH];
	uint64_t dev, inode, size;
	int64_t mtime_ns, ctime_ns;
};

struct cg_policy {
	uint32_t version; /* CG_POLICY_VERSION */
	uint32_t size;    /* of this structure */
	bool enforce;
	bool applies; /* false: `app` does not match this program; the rest is as the file says all the same */
	char app[CG_POLICY_GLOB];
	struct cg_policy_settings settings;
	uint32_t rule_count, suppression_count, file_count;
	uint32_t pass_over_count;
	char pass_over[CG_POLICY_PASS_OVER][CG_POLICY_GLOB]; /* frames that are no place to name in a finding */

	/* Compiled: what the rules need and do at all, so that what no rule asks for costs nothing. */
	bool needs_addresses; /* some rule asks for local, peer or family */
	bool needs_site;      /* some rule has a site glob */
	bool acts_on_open, acts_on_close, acts_on_eof, acts_on_shutdown, acts_on_options;
	bool drains;
	bool warns; /* some rule has a warn_after of its own */
	uint64_t least_warn_after_ns, least_reap_after_ns, least_fin_wait2_after_ns; /* 0: none */

	struct cg_policy_rule rules[CG_POLICY_RULES];
	struct cg_policy_suppression suppressions[CG_POLICY_SUPPRESSIONS];
	struct cg_policy_file files[CG_POLICY_FILES];
};

/* What is known of a connection when a rule is looked for. */
struct cg_policy_facts {
	uint8_t role; /* enum cg_policy_role; CG_POLICY_ANY_ROLE: unknown, which no rule with a role matches */
	bool has_addresses;
	uint8_t local[16], peer[16]; /* mapped, as above */
	uint16_t local_port, peer_port;
	bool has_sites; /* the opening stack has been named */
	uint64_t sites; /* bit i: rule i's site glob matches it (see cg_policy_site_bits) */
};

/* Instead of a rule's index. UNDECIDED: whether a rule applies needs what is not known yet; nothing is to be done. */
enum { CG_POLICY_NO_RULE = -1, CG_POLICY_UNDECIDED = -2 };

/* The first rule that matches: its index, or one of the above. Any context: no lock, no call, bounded time. */
int cg_policy_match(const struct cg_policy *policy, const struct cg_policy_facts *facts);

/* Sets bit i where the glob of rule i matches `name` (a function or module of the opening stack). Any context. */
uint64_t cg_policy_site_bits(const struct cg_policy *policy, const char *name);

/* The verdict of a rule on setting an option; ALLOW where it says nothing. Any context. */
enum cg_policy_verb cg_policy_option_verb(const struct cg_policy_rule *rule, int level, int name);

/*
 * The suppression that fits kind, cause and one of the stacks, or -1. A stack is `count` names from the innermost frame
 * outwards; a frame has a function ("" unknown) and a module. Any context.
 */
struct cg_policy_frame {
	const char *function, *module;
};
int cg_policy_suppressed(const struct cg_policy *policy, const char *kind, const char *cause,
                         const struct cg_policy_frame *const stacks[], const unsigned counts[], unsigned stack_count);

/* Is a frame of this function ("" unknown) and module none to name as a finding's place? Any context. */
bool cg_policy_passes_over(const struct cg_policy *policy, const char *function, const char *module);

/* The same, of a list of suppressions. Any context. */
int cg_policy_suppressed_by(const struct cg_policy_suppression *list, unsigned count, const char *kind,
                            const char *cause, const struct cg_policy_frame *const stacks[], const unsigned counts[],
                            unsigned stack_count);

/*
 * Suppressions from a text that is a policy of nothing else, each with kind, stack, max and reason, and no comment in
 * it. What is not understood is passed over. Needs no libconfig. Fills ret[0..max) and returns how many. No allocation;
 * any context.
 */
unsigned cg_policy_read_suppressions(const char *text, size_t size, struct cg_policy_suppression *ret, unsigned max);

/* Shell-like: * ? [a-z] [!a-z], backslash escapes; the whole text. Linear in text times pattern. Any context. */
bool cg_policy_glob(const char *pattern, const char *text);

/* "SO_LINGER" … ; NULL where no policy can name it. Any context. */
const char *cg_policy_option_name(int level, int name);

/* Fills in the compiled part. Called by cg_policy_load; for tests that make a policy by hand. */
void cg_policy_compile(struct cg_policy *policy);

/*
 * The annex's one function, exported from libcloseguard-config.so. Reads and checks the file and what it includes, and
 * fills *ret for the program called `app` (NULL: any). Returns 0, or how many errors there are (at most `max` texts are
 * kept, each one line "file:line: key: what is wrong, what is allowed" without newline); *ret is then untouched. Files
 * and folders that others can write to are refused. Warnings (a linger time blocks) go to `warnings` in the same way,
 * *ret_warnings counts them. Allocates and opens files: constructor and sweep thread only, one caller at a time.
 */
enum { CG_POLICY_LINE = 512 };
typedef int cg_policy_load_fn(const char *path, const char *app, struct cg_policy *ret, char (*errors)[CG_POLICY_LINE],
                              unsigned max, char (*warnings)[CG_POLICY_LINE], unsigned max_warnings,
                              unsigned *ret_warnings);
cg_policy_load_fn cg_policy_load;

/* CG_POLICY_VERSION << 32 | sizeof(struct cg_policy): where it differs from the caller's, the annex is of another
 * build. */
typedef uint64_t cg_policy_build_fn(void);
cg_policy_build_fn cg_policy_build;

#endif
