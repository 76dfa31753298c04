/*
 * sweep_policy.h: the policy as the sweep sees it: found, read again when it changes, asked about each suspect, carried
 * out, told of.
 */
#ifndef CG_SWEEP_POLICY_H
#define CG_SWEEP_POLICY_H

#include "group.h"
#include "options.h"
#include "report.h"

/*
 * Finds the policy file of this program and reads it; settings that the environment does not name are taken from it.
 * What is wrong is kept for cg_sweep_policy_complain, since where to say it is a setting too. Constructor only: the
 * annex is brought in by dlmopen, which fails later in some programs. `options` are kept by reference.
 */
void cg_sweep_policy_begin(struct cg_options *options);

/* Was anything wrong? And hands each line about it to `warn`, once. Constructor. */
bool cg_sweep_policy_complaints(void);
void cg_sweep_policy_complain(void (*warn)(const char *text));

/* Is there a file that may change; and has it? A stat of each file, far cheaper than a look. Sweep only. */
bool cg_sweep_policy_watches(void);
bool cg_sweep_policy_changed(void);

/* Does the one in force act on closes? Those that take long are handed over, by duplicates. Any context. */
bool cg_sweep_policy_closes(void);

/* Reads the file again when it has changed; names the places in the code that rules ask for. Before suspects are
 * judged. */
void cg_sweep_policy_prepare(struct cg_sweep *sweep, bool may_load);

/* Reaps, ends, or notes that it would have. After the suspects are judged; `acts`: on the sweep thread only. */
void cg_sweep_policy_act(struct cg_sweep *sweep, bool acts);

/* The shortest time that a rule speaks of, or `standard` where that is shorter: the sweep has to look more often. */
uint64_t cg_sweep_policy_patience(uint64_t standard);

/* Why the policy bears so many sockets of this finding, or NULL. */
const char *cg_sweep_policy_suppresses(const struct cg_finding *finding, const struct cg_report *report);

/*
 * By the suppressions that come with the library: where what would be a leak or late is nobody's bug, it becomes a
 * finding for information, with the reason, that no gate counts. Sweep only.
 */
bool cg_sweep_bears(struct cg_kept_finding *kept, struct cg_finding *finding, const struct cg_report *report);

/* Does the policy pass over this frame where a finding's place is chosen? */
bool cg_sweep_policy_passes_over(const struct cg_frame *frame);

/* Writes into the finding what rule would deal with it, where one would. */
void cg_sweep_policy_suggest(struct cg_finding *finding, const struct cg_report *report);

/* Is there anything for the next one to tell? */
bool cg_sweep_policy_has_news(const struct cg_sweep *sweep, bool all);

/*
 * Decisions that the log does not have yet and that are due: fills ret[0..max) and says how many; `all`: every one of
 * them, whether due or not. They count as told then.
 */
unsigned cg_sweep_policy_news(struct cg_sweep *sweep, bool all, struct cg_action_view *ret, unsigned max);

/* All decisions so far, for a summary. */
unsigned cg_sweep_policy_totals(struct cg_action_view *ret, unsigned max);

/* A write to a reaped connection failed. Any context. */
void cg_sweep_policy_used(int fd);

/* Drains what was handed over. Returns ns until the next turn, 0: nothing to do. Sweep thread. */
uint64_t cg_sweep_policy_drain(void);

void cg_sweep_policy_after_fork(void);

#endif
