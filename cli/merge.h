/*
 * merge.h: what any number of processes said, on any number of hosts, as one report.
 *
 * Everything comes in as the JSON lines of INTERFACE: a log has them, a recorder is retold as them, a saved report is
 * taken apart into them. A finding is the same in two processes where kind, cause and stacks are: by build-id and
 * offset, not by names and pids. Of each process the latest word on a finding counts. Memory is bounded: the
 * lightest findings, and those that find no room, are counted and left out.
 *
 * merge.c finds and makes things; merge_line.c takes in a line, merge_finding.c and merge_member.c a finding,
 * merge_action.c an action, merge_saved.c a saved report; merge_weight.c leaves out the lightest, merge_backlog.c what
 * is told twice, merge_timeline.c keeps the course of time, merge_document*.c makes the result.
 */
#ifndef CG_MERGE_H
#define CG_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "merge_code.h"
#include "record.h"

/* A summary has up to as many findings as a recorder. */
enum { CG_MERGE_COUNTERS = 32, CG_MERGE_RAW = 512 };

/* The text of an array of sockets in the line that is being taken in, where a number stands in its place. */
struct cg_merge_raw {
	const char *text;
	size_t size;
};

/* A process's life under one name: an exec and the next user of its pid begin another. */
struct cg_merge_process {
	const char *host, *app;
	json_int_t pid;
	int64_t start_ms;          /* since 1970, here and below; INT64_MIN: unknown */
	int64_t from_ms, to_ms;    /* the first and the last word of it */
	int64_t ended_ms;          /* its exit; INT64_MAX: none was told */
	uint32_t index;            /* in the merge's processes */
	uint32_t restating;        /* number of its summary that is being taken in, or was last */
	json_int_t part;           /* of that summary, which has a line for each group */
	bool whole;                /* all of it until now, and nothing was without a kind */
	json_int_t close_wait;     /* sockets in CLOSE_WAIT by its last word */
	json_int_t leaked_dropped; /* sockets that were told as leaked of findings that are left out */
	uint32_t points;           /* of the timeline, thinned ones included */
	int64_t point_ms;          /* of the latest point */
	int64_t kept_ms;           /* of the latest that was kept; INT64_MIN: none */
	const char *state;         /* NULL: unknown */
	const char *path;          /* its latest source's */
	double *counters;          /* by the merge's names of them, NAN for those not told; NULL: none */
	struct cg_merge_member *members;
};

struct cg_merge_history {
	json_int_t opened, closed, closed_in_time, closed_late, never_closed;
	json_int_t delays[CG_DELAY_BUCKETS];
};

enum { CG_MERGE_PEERS = 8 };

/* Who is on the other side of how many sockets, the most frequent first. */
struct cg_merge_peers {
	unsigned known;
	const char *peer[CG_MERGE_PEERS];
	json_int_t count[CG_MERGE_PEERS];
};

/* One process's part in a finding. */
struct cg_merge_member {
	struct cg_merge_finding *finding;
	struct cg_merge_process *process;
	struct cg_merge_member *next_of_finding, *next_of_process;
	json_int_t count, total; /* now, and the least that there ever were */
	json_int_t leaked;       /* the most that were told as a leak, and no policy bore */
	int64_t first_ms, last_ms;
	double oldest_s, confidence;
	double growth;                    /* a minute; NAN: unknown */
	const char *verdict, *suppressed; /* suppressed NULL: no policy bears it */
	uint32_t restated;                /* in which of its process's summaries */
	struct cg_merge_history *history;
	struct cg_merge_peers *peers; /* NULL: none are known */
	bool repeats;  /* all of it is another member's too, and is counted there */
	char *sockets; /* a JSON array's text; NULL: none, or no room */
	size_t sockets_size;
};

struct cg_merge_place {
	bool known;
	const char *call, *thread;
	double age_s;
	const struct cg_code_stack *stack; /* as much of it as was told */
	const char *stack_id;              /* of the whole; NULL: there is none */
};

enum cg_merge_places { CG_OPENED, CG_EOF, CG_LAST_USE, CG_CONNECTED, CG_SHUT, CG_CLOSED, CG_HERE, CG_PLACES };

struct cg_merge_finding {
	const char *kind, *cause, *label; /* cause, label NULL: none */
	const char *key[CG_PLACES];       /* the stacks' ids, of the places that tell findings apart; … */
	const char *last_use;             /* … the address's of a last use, whose callers are not always known */
	struct cg_merge_place places[CG_PLACES];                   /* as of the latest word */
	const struct cg_code_stack *site;                          /* of one address; NULL: none was told */
	struct cg_code_name site_name;                             /* of the function there that is meant */
	const char *id, *advice, *origin, *error, *suggested_rule; /* NULL: none */
	const char *open_places;                                   /* a JSON array's text; NULL: none */
	json_int_t open_fds, fd_limit;                             /* 0: none */
	double forecast_s;                                         /* 0: none */
	int64_t first_ms, last_ms;
	struct cg_merge_member *members;
	uint32_t index;
	bool dropped; /* left out: on its way out of the merge */
};

/* What a policy did, by rule and outcome. */
struct cg_merge_what {
	const char *rule, *action, *at, *result, *reason; /* NULL: not told */
	uint64_t dry_run;                                 /* as wide as the others: it is hashed with them */
};

/* One process's part of that. */
struct cg_merge_action {
	struct cg_merge_what what;
	struct cg_merge_process *process; /* NULL: of a saved report, which has only sums */
	json_int_t count, used_again;
	int64_t first_ms, last_ms;
};

struct cg_merge_source {
	struct cg_merge_process *process;
	const char *path, *kind;
	json_t *about; /* what a recorder says of its process; NULL: nothing */
};

struct cg_merge_point {
	int64_t ms;
	struct cg_merge_process *process;
	json_int_t count;
};

struct cg_merge {
	struct cg_memory memory;
	struct cg_code code;
	struct cg_merge_process **processes;
	struct cg_merge_finding **findings;
	struct cg_merge_member **members;
	struct cg_merge_action *actions;
	struct cg_merge_source *sources;
	struct cg_merge_point *points;
	size_t process_count, process_room, finding_count, finding_room, member_count, member_room, action_count,
	    action_room, source_count, source_room, point_count, point_room;
	struct cg_table process_table, finding_table, member_table, action_table;
	const char *counters[CG_MERGE_COUNTERS];
	size_t counter_count;
	struct cg_merge_raw raw[CG_MERGE_RAW];
	size_t raw_count;
	size_t sockets_size; /* bytes of the members' */
	uint32_t stride;     /* every so many-th point of a process is kept */
	bool points_full;    /* there are so many processes that only first and last points are */
	json_int_t left_out; /* findings that found no room */
	json_int_t unlisted; /* sources that are not in the list */
	json_t *warnings;    /* an array of strings */
	bool failed;         /* something could not be told that may have been a leak */
};

/* How a line was understood. */
enum cg_merge_answer {
	CG_LINE_TAKEN,
	CG_LINE_FOREIGN, /* none of closeguard's */
	CG_LINE_VERSION, /* of a `v` that is not known */
	CG_LINE_BROKEN   /* ours, without what it needs */
};

/* Returns 0 or -ENOMEM. */
int cg_merge_begin(struct cg_merge *merge);
void cg_merge_end(struct cg_merge *merge);

/* Takes in an object. `path` and `kind` say where it came from; `clock` is the file's time for lines without one. */
enum cg_merge_answer cg_merge_line(struct cg_merge *merge, const json_t *line, const char *path, const char *kind,
                                   int64_t *clock);

/* Takes in a saved report. Returns 0, or -EINVAL where it is none of our version. */
int cg_merge_report(struct cg_merge *merge, const json_t *document, const char *path);

/* A sentence for the report's warnings. */
void cg_merge_warn(struct cg_merge *merge, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The process that was under this name at that time; a new one where none was. start_ms: INT64_MIN where not known.
 * NULL where there is no room.
 */
struct cg_merge_process *cg_merge_process(struct cg_merge *merge, const char *host, json_int_t pid, const char *app,
                                          int64_t ms, int64_t start_ms);

/* Notes where a process was told of; `about` is borrowed. Each pair of process and path makes one source. */
void cg_merge_source(struct cg_merge *merge, struct cg_merge_process *process, const char *path, const char *kind,
                     json_t *about);

/* Begins and ends the restating of all of a process's findings: those that were not restated are over. */
void cg_merge_restate(struct cg_merge_process *process);
void cg_merge_restated(struct cg_merge *merge, struct cg_merge_process *process, int64_t ms);

/* The numbers among the members of an object, but those of every line. */
void cg_merge_counters(struct cg_merge *merge, struct cg_merge_process *process, const json_t *object);

/*
 * Takes in a finding as a process told it at that time. `count` is its number of sockets, `restated` whether this is
 * within a restating. Returns false where it has no kind; one that finds no room is counted.
 */
bool cg_merge_finding(struct cg_merge *merge, struct cg_merge_process *process, const json_t *finding, int64_t ms,
                      json_int_t count, bool restated);

/* A process's part in a finding, a new one where there was none. NULL where there is no room. */
struct cg_merge_member *cg_merge_member(struct cg_merge *merge, struct cg_merge_finding *finding,
                                        struct cg_merge_process *process);

/* Takes the members of dropped findings out, and finds each finding of the merge's list by its new index. */
void cg_merge_members_drop(struct cg_merge *merge);
void cg_merge_findings_rehash(struct cg_merge *merge);

/*
 * What a process said of its part at that time; of what was said later nothing changes. The same stacks may be two of a
 * process's findings, where a module was loaded twice: within a restating their counts are added.
 */
void cg_merge_member_set(struct cg_merge *merge, struct cg_merge_member *member, const json_t *json, int64_t ms,
                         json_int_t count, bool restated);

/*
 * Takes in an `action`: as many as it has of `total` in this process; without that, `count` more. process NULL: a saved
 * report's.
 */
void cg_merge_action(struct cg_merge *merge, struct cg_merge_process *process, const json_t *line, int64_t ms);

/* Notes how many sockets of a process are in CLOSE_WAIT, by its last word, or were at some time. */
void cg_merge_timeline(struct cg_merge *merge, struct cg_merge_process *process, int64_t ms);
void cg_merge_timeline_at(struct cg_merge *merge, struct cg_merge_process *process, int64_t ms, json_int_t count);

/* The last points, of which thinning may have left none. For before the document is made. */
void cg_merge_timeline_end(struct cg_merge *merge);

/* The merged document of `closeguard report --format json`: a new object, or NULL without memory. */
json_t *cg_merge_document(struct cg_merge *merge);

/* The time of a line in milliseconds since 1970, INT64_MIN where it is none. */
int64_t cg_merge_time(const char *text);

#endif
