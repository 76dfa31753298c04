/*
 * report.h: printers over struct cg_finding. Text and JSON are made from the same struct and cannot disagree on facts.
 *
 * They write into a cg_buf, take no lock, allocate nothing and make no system call; frames are named through `resolve`.
 * One file per format: report_text.c, report_json.c. What does not fit into the buffer is left out in whole lines (an
 * object with fewer frames and sockets, or none), so that a log never holds half a line; the buffer's `truncated`
 * tells.
 */
#ifndef CG_REPORT_H
#define CG_REPORT_H

#include "detect.h"
#include "fmt.h"

enum { CG_FRAMES_PER_IP = 8 }; /* inlined frames shown of one address */

/* One line of a stack: several of them share an address where functions were inlined. */
struct cg_frame {
	char module[64];      /* basename; "[jit]" for generated code, "?" unknown */
	char module_path[192];
	char build_id[41];    /* hex, "" if none */
	uint64_t offset;      /* in the module's file addressing, of the call instruction (return address - 1) */
	char function[160];   /* "" if unknown */
	char file[192];       /* "" if unknown */
	unsigned line;        /* 0 if unknown */
	bool inlined;         /* true for all but the outermost of the frames of one address */
	unsigned frames;      /* above 1: stands for a run of so many of this module; for report_stack.h */
};

/*
 * Fills frames[0..max) for the return address ip, the innermost inlined function first; returns how many (at least 1:
 * an address nobody knows gives one frame with module "?" or "[jit]").
 */
typedef unsigned cg_resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max);

struct cg_report {
	const char *app;
	const char *host;
	int pid;
	uint64_t realtime_ns; /* of the line */
	bool timed;           /* a text begins each paragraph with it; JSON always has it */
	uint64_t warn_after_ns;
	unsigned depth;       /* frames of each stack, all that there are; 0: those that are worth a line */
	bool whole;           /* JSON: everything, however long a line becomes */
	cg_resolve *resolve;
	void *resolve_context;
	/* Which frames are no place to name a finding by, besides those that never are; NULL: no others. */
	bool (*passes_over)(const struct cg_frame *frame);
};

/* What a policy did, or would have done, at one place. */
struct cg_action_view {
	struct cg_action action;    /* as it was read: a copy whose text ends */
	uint64_t count;             /* since the last line about it; in a summary, of all */
	uint64_t total, used_again; /* used_again: how many of them the program used afterwards */
	const char *option;         /* of a setsockopt: "SO_LINGER", or NULL */
	struct cg_place place;      /* where they were opened; for setsockopt, the call */
};

/* Counters of the summary. */
struct cg_summary {
	const char *reason;   /* "exit", "signal", "check" … */
	uint64_t opened, closed, eofs, open_now, closed_in_time, closed_late, double_closes, uses_after_close, adopted,
	    findings, leaks_told, sweeps, sweep_cpu_ns, uptime_ns;
	uint64_t unseen_descriptors; /* beyond CG_MAX_FDS */
	uint64_t stack_overflows;
	unsigned groups;      /* how many findings follow */
	const struct cg_action_view *actions; /* what the policy did in all */
	unsigned action_count;
};

/*
 * The event names of INTERFACE: each appends complete lines (text: a paragraph; JSON: one object and a newline).
 * `again` tells a repetition (the group doubled) from a first report.
 */
void cg_text_finding(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again);
void cg_json_finding(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again);
void cg_text_resolved(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding);
void cg_json_resolved(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding);
void cg_text_warning(struct cg_buf *out, const struct cg_report *report, const char *text);
void cg_json_warning(struct cg_buf *out, const struct cg_report *report, const char *text);

void cg_text_action(struct cg_buf *out, const struct cg_report *report, const struct cg_action_view *view);
void cg_json_action(struct cg_buf *out, const struct cg_report *report, const struct cg_action_view *view);

/*
 * What was found in one line, for a person, without program and newline: "LEAK 37 sockets in CLOSE_WAIT, oldest 5m12s:
 * read() returned 0 and they were not closed (eof_ignored, confidence 0.95) at search_stream shop.c:126".
 */
void cg_report_headline(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding,
                        bool again);

/* "127.0.0.1:7191", without port where that is 0. Returns text (buffer). */
const char *cg_report_peer(const struct cg_peer *peer, char text[64]);

/* "  peers: 127.0.0.1:7191 × 12, ..." as a line; nothing where none is known. */
void cg_report_peers(struct cg_buf *out, const struct cg_finding *finding);

/* " at search_stream shop.c:126", the place in its end; nothing where there is none. */
void cg_report_add_site(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding);

/* A text summary is begun, its groups are added one by one (not all need be in memory), and ended. */
void cg_text_summary_begin(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary);
void cg_text_summary_group(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding,
                           bool first);
void cg_text_summary_end(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary);

/*
 * JSON has a line for each group, so that none is too long for a log collector: `part` of cg_json_summary_parts(),
 * which count from 1, with one group, or none where there are none left, and some of the actions. Counters are in each.
 */
unsigned cg_json_summary_parts(const struct cg_summary *summary);
void cg_json_summary(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary,
                     unsigned part, const struct cg_finding *finding);

#endif
