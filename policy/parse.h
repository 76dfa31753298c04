/*
 * parse.h: what the files of the annex share: one policy being read.
 *
 * Errors do not end the reading; each is noted, and the policy is used only where there is none.
 */
#ifndef CG_CONFIG_H
#define CG_CONFIG_H

#include <libconfig.h>
#include <stddef.h>
#include <sys/stat.h>

#include "policy.h"

enum {
	CG_CONFIG_SIZE = 1 << 20, /* bytes, of a file and of all together: policies are written by hand */
	CG_CONFIG_DEPTH = 16,     /* of brackets; libconfig's own recursion is bounded by it */
	CG_CONFIG_INCLUDES = 8,   /* of files within files */
	CG_CONFIG_SETTINGS = 8192 /* libconfig's time grows with the square of a group's */
};

struct cg_config_place {
	uint32_t file, line; /* index into the policy's files; from 1 */
};

struct cg_config_notes {
	char (*lines)[CG_POLICY_LINE];
	unsigned max, count; /* count may be more than max */
};

struct cg_config {
	struct cg_policy policy;
	struct cg_config_notes errors, warnings;
	char shown[CG_POLICY_FILES][CG_POLICY_PATH]; /* each file as the user named it */
	int parent[CG_POLICY_FILES];                 /* which file includes it; -1 */

	/* The file with what it includes in its place and without comments: what libconfig gets to see. */
	char *text;
	size_t size, room;
	struct cg_config_place *places; /* of each line of text */
	size_t place_count, place_room;
	unsigned depth, settings;
};

/* parse_path.c */

/*
 * Opens a regular file that only root and this user can have written, replaced or redirected: every folder and symbolic
 * link on the way is looked at. `path` is absolute. Returns a descriptor, which the caller closes, with *ret_stat of
 * it; or -1 with the reason in why[0..size).
 */
int cg_config_path_open(const char *path, struct stat *ret_stat, char *why, size_t size);

/* parse_text.c: fills in text, places and the policy's files. */
void cg_config_text(struct cg_config *parse, const char *path);

/* parse_complain.c: one line each, "file:line: key: ..."; a setting's place and key are its own. */
void cg_config_error_at(struct cg_config *parse, struct cg_config_place place, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void cg_config_error(struct cg_config *parse, const config_setting_t *setting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cg_config_warn(struct cg_config *parse, const config_setting_t *setting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cg_config_warn_at(struct cg_config *parse, struct cg_config_place place, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "KEY: VALUE WHY; it takes ALLOWED" */
void cg_config_refuse(struct cg_config *parse, const config_setting_t *setting, const char *why, const char *allowed);
/* The same, for a value of the wrong type. */
void cg_config_refuse_type(struct cg_config *parse, const config_setting_t *setting, const char *allowed);
struct cg_config_place cg_config_place_of(const struct cg_config *parse, const config_setting_t *setting);

/* parse_nearest.c: a fit is better the smaller; start with an empty one, and offer all names there are. */
struct cg_config_nearest {
	const char *name;
	unsigned distance;
};
void cg_config_nearest(struct cg_config_nearest *best, const char *wanted, const char *offered);

/* parse_group.c */

struct cg_config_key;
typedef void cg_config_reader(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                              void *field);

/* A key that a group may hold. Tables end with an entry without name. */
struct cg_config_key {
	const char *name;
	cg_config_reader *read;
	size_t offset;       /* of the field, in what the group fills in */
	const char *allowed; /* ends "it takes ..." */
	uint64_t min, max;   /* in the reader's own measure */
};

/* Reads what the group holds into `fields`; unknown keys are errors. Returns whether it is a group at all. */
bool cg_config_group(struct cg_config *parse, const config_setting_t *group, const struct cg_config_key *keys,
                     void *fields);
/* Calls `read` with each group of a list. */
typedef void cg_config_item(struct cg_config *parse, const config_setting_t *group);
void cg_config_list(struct cg_config *parse, const config_setting_t *list, cg_config_item *read);

/* parse_values.c: readers; what min and max are is said behind each. */
cg_config_reader cg_config_ns;     /* uint64_t nanoseconds; milliseconds */
cg_config_reader cg_config_ms;     /* uint32_t; milliseconds */
cg_config_reader cg_config_s;      /* uint32_t, whole seconds; milliseconds */
cg_config_reader cg_config_number; /* uint32_t; the number */
cg_config_reader cg_config_size;   /* uint32_t, bytes; bytes */
cg_config_reader cg_config_string; /* char[max], printable and not empty */
cg_config_reader cg_config_glob;   /* char[max] */

/*
 * Reads an array of 1 to `most` patterns, each as `one` says, into char[most][CG_POLICY_GLOB]. Returns how many; 0 with
 * the error noted.
 */
int cg_config_patterns(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       const struct cg_config_key *one, int most, char (*ret)[CG_POLICY_GLOB]);

/* Milliseconds of "500ms", "10s", "5m", "1h"; -1 where it is none. */
int64_t cg_config_duration(const char *text);
/* A setting's text, or NULL with the error noted. */
const char *cg_config_text_of(struct cg_config *parse, const config_setting_t *setting, const char *allowed);
/* The index of a setting's text among words (up to NULL), or -1 with the error noted. */
int cg_config_word(struct cg_config *parse, const config_setting_t *setting, const char *const *words,
                   const char *allowed);

cg_config_reader cg_config_net; /* parse_net.c: struct cg_policy_net */

/* parse_rule.c, parse_close.c, parse_suppress.c, parse_settings.c, parse_top.c: the groups. */
cg_config_item cg_config_rule;
cg_config_reader cg_config_close;   /* struct cg_policy_rule */
cg_config_reader cg_config_options; /* struct cg_policy_rule */
cg_config_item cg_config_suppression;
cg_config_reader cg_config_setting; /* char[max]; checked as the environment's variable is */
void cg_config_top(struct cg_config *parse, const config_setting_t *root);

/* parse_sense.c: what only shows when all is read. */
void cg_config_sense(struct cg_config *parse);
/* Of a rule's match group: is there an address that both its family and its nets allow? */
void cg_config_sense_match(struct cg_config *parse, const config_setting_t *match,
                           const struct cg_policy_match_on *said);

#endif
