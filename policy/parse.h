/*
 * parse.h: what the files of the annex share: one policy being read.
 *
 * Errors do not end the reading; each is noted, and the policy is used only where there is none.
 */
#ifndef CG_PARSE_H
#define CG_PARSE_H

#include <libconfig.h>
#include <stddef.h>
#include <sys/stat.h>

#include "policy.h"

enum {
	CG_PARSE_SIZE = 1 << 20, /* bytes, of a file and of all together: policies are written by hand */
	CG_PARSE_DEPTH = 16,     /* of brackets; libconfig's own recursion is bounded by it */
	CG_PARSE_INCLUDES = 8,   /* of files within files */
	CG_PARSE_SETTINGS = 8192 /* libconfig's time grows with the square of a group's */
};

struct cg_parse_place {
	uint32_t file, line; /* index into the policy's files; from 1 */
};

struct cg_parse_notes {
	char (*lines)[CG_POLICY_LINE];
	unsigned max, count; /* count may be more than max */
};

struct cg_parse {
	struct cg_policy policy;
	struct cg_parse_notes errors, warnings;
	char shown[CG_POLICY_FILES][CG_POLICY_PATH]; /* each file as the user named it */
	int parent[CG_POLICY_FILES];                 /* which file includes it; -1 */

	/* The file with what it includes in its place and without comments: what libconfig gets to see. */
	char *text;
	size_t size, room;
	struct cg_parse_place *places; /* of each line of text */
	size_t place_count, place_room;
	unsigned depth, settings;
};

/* parse_path.c */

/*
 * Opens a regular file that only root and this user can have written, replaced or redirected: every folder and symbolic
 * link on the way is looked at. `path` is absolute. Returns a descriptor, which the caller closes, with *ret_stat of
 * it; or -1 with the reason in why[0..size).
 */
int cg_parse_path_open(const char *path, struct stat *ret_stat, char *why, size_t size);

/* parse_text.c: fills in text, places and the policy's files. */
void cg_parse_text(struct cg_parse *parse, const char *path);

/* parse_complain.c: one line each, "file:line: key: ..."; a setting's place and key are its own. */
void cg_parse_error_at(struct cg_parse *parse, struct cg_parse_place place, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void cg_parse_error(struct cg_parse *parse, const config_setting_t *setting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cg_parse_warn(struct cg_parse *parse, const config_setting_t *setting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cg_parse_warn_at(struct cg_parse *parse, struct cg_parse_place place, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "KEY: VALUE WHY; it takes ALLOWED" */
void cg_parse_refuse(struct cg_parse *parse, const config_setting_t *setting, const char *why, const char *allowed);
/* The same, for a value of the wrong type. */
void cg_parse_refuse_type(struct cg_parse *parse, const config_setting_t *setting, const char *allowed);
struct cg_parse_place cg_parse_place_of(const struct cg_parse *parse, const config_setting_t *setting);

/* parse_nearest.c: a fit is better the smaller; start with an empty one, and offer all names there are. */
struct cg_parse_nearest {
	const char *name;
	unsigned distance;
};
void cg_parse_nearest(struct cg_parse_nearest *best, const char *wanted, const char *offered);

/* parse_group.c */

struct cg_parse_key;
typedef void cg_parse_reader(struct cg_parse *parse, const config_setting_t *setting, const struct cg_parse_key *key,
                             void *field);

/* A key that a group may hold. Tables end with an entry without name. */
struct cg_parse_key {
	const char *name;
	cg_parse_reader *read;
	size_t offset;       /* of the field, in what the group fills in */
	const char *allowed; /* ends "it takes ..." */
	uint64_t min, max;   /* in the reader's own measure */
};

/* Reads what the group holds into `fields`; unknown keys are errors. Returns whether it is a group at all. */
bool cg_parse_group(struct cg_parse *parse, const config_setting_t *group, const struct cg_parse_key *keys,
                    void *fields);
/* Calls `read` with each group of a list. */
typedef void cg_parse_item(struct cg_parse *parse, const config_setting_t *group);
void cg_parse_list(struct cg_parse *parse, const config_setting_t *list, cg_parse_item *read);

/* parse_values.c: readers; what min and max are is said behind each. */
cg_parse_reader cg_parse_ns;     /* uint64_t nanoseconds; milliseconds */
cg_parse_reader cg_parse_ms;     /* uint32_t; milliseconds */
cg_parse_reader cg_parse_s;      /* uint32_t, whole seconds; milliseconds */
cg_parse_reader cg_parse_integer; /* uint32_t; the number */
cg_parse_reader cg_parse_size;   /* uint32_t, bytes; bytes */
cg_parse_reader cg_parse_string; /* char[max], printable and not empty */
cg_parse_reader cg_parse_glob;   /* char[max] */

/* Milliseconds of "500ms", "10s", "5m", "1h"; -1 where it is none. */
int64_t cg_parse_time(const char *text);
/* A setting's text, or NULL with the error noted. */
const char *cg_parse_text_of(struct cg_parse *parse, const config_setting_t *setting, const char *allowed);
/* The index of a setting's text among words (up to NULL), or -1 with the error noted. */
int cg_parse_word(struct cg_parse *parse, const config_setting_t *setting, const char *const *words,
                  const char *allowed);

cg_parse_reader cg_parse_net; /* parse_net.c: struct cg_policy_net */

/* parse_rule.c, parse_close.c, parse_suppress.c, parse_settings.c, parse_top.c: the groups. */
cg_parse_item cg_parse_rule;
cg_parse_reader cg_parse_close;   /* struct cg_policy_rule */
cg_parse_reader cg_parse_options; /* struct cg_policy_rule */
cg_parse_item cg_parse_suppression;
cg_parse_reader cg_parse_setting; /* char[max]; checked as the environment's variable is */
void cg_parse_top(struct cg_parse *parse, const config_setting_t *root);

/* parse_sense.c: what only shows when all is read. */
void cg_parse_sense(struct cg_parse *parse);
/* Of a rule's match group: is there an address that both its family and its nets allow? */
void cg_parse_sense_match(struct cg_parse *parse, const config_setting_t *match, const struct cg_policy_match_on *said);

#endif
