/*
 * detect_verdict.c: bug or overload, and how sure, from what became of the other connections of the same place.
 *
 * All steps are monotonic: more connections never closed never make a leak less sure, more closed late never make it
 * surer. Confidences are thousandths.
 */
#include "detect.h"

/* A place of more closes than this is known well enough; the limit keeps products within 64 bits. */
static const uint64_t ENOUGH = 1000000;

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

struct judged {
	enum cg_verdict verdict;
	unsigned confidence;
};

/* `base` for the first socket, `step` more for each further one, up to `limit`. */
static unsigned rising(uint64_t never_closed, unsigned base, unsigned step, unsigned limit)
{
	uint64_t more = never_closed > 1 ? at_most(never_closed - 1, ENOUGH) : 0;
	return (unsigned)at_most(base + step * more, limit);
}

/* Sockets of this place do get closed, only late: the program has not the time, or not the workers. */
static bool is_overload(const struct cg_history *history)
{
	return history->closed_late > 0 && history->never_closed <= history->closed_late;
}

/* As many late as never: 500. Never a forgotten one: 950. */
static struct judged overload(const struct cg_history *history)
{
	uint64_t late = at_most(history->closed_late, ENOUGH), never = at_most(history->never_closed, ENOUGH);
	return (struct judged){CG_VERDICT_LATE, (unsigned)(50 + 900 * late / (late + never))};
}

/* Late closes speak against a leak: by up to 200, where nearly as many were closed late as were never closed. */
static unsigned doubt(const struct cg_history *history)
{
	uint64_t late = at_most(history->closed_late, ENOUGH), never = at_most(history->never_closed, ENOUGH);
	return late + never ? (unsigned)(400 * late / (late + never)) : 0;
}

static struct judged judge_eof_ignored(const struct cg_history *history, bool told)
{
	if (is_overload(history))
		return overload(history);
	uint64_t never = history->never_closed;
	unsigned confidence = told ? rising(never, 850, 10, 950) : rising(never, 600, 15, 750);
	/* One that was forgotten among many that were closed is most likely an error path: a leak, a little less sure.
	 */
	unsigned closed_well = never <= 1 ? (unsigned)at_most(history->closed_in_time, 50) : 0;
	return (struct judged){CG_VERDICT_LEAK, confidence - closed_well - doubt(history)};
}

/* A pool keeps an idle socket per host until its next request, so one at a place is no news; a growing number is. */
static struct judged judge_fin_unread(const struct cg_history *history)
{
	if (history->never_closed <= 1)
		return (struct judged){CG_VERDICT_INFO, 500};
	if (is_overload(history))
		return overload(history);
	return (struct judged){CG_VERDICT_LEAK, rising(history->never_closed, 500, 50, 900) - doubt(history)};
}

static struct judged judge_data_unread(const struct cg_history *history)
{
	if (is_overload(history))
		return overload(history);
	return (struct judged){CG_VERDICT_LEAK, rising(history->never_closed, 700, 20, 900) - doubt(history)};
}

static struct judged judge(const struct cg_history *history, enum cg_cause cause, bool told)
{
	switch (cause) {
	case CG_CAUSE_EOF_IGNORED:
		return judge_eof_ignored(history, told);
	case CG_CAUSE_FIN_UNREAD:
		return judge_fin_unread(history);
	case CG_CAUSE_DATA_UNREAD:
		return judge_data_unread(history);
	case CG_CAUSE_CONNECT_FAILED:
		return (struct judged){CG_VERDICT_LEAK, rising(history->never_closed, told ? 700 : 600, 50, 900)};
	case CG_CAUSE_SHARED:
		return (struct judged){CG_VERDICT_LEAK, told ? 800 : 600};
	case CG_CAUSE_NEVER_ACCEPTED:
		return (struct judged){CG_VERDICT_LEAK, 700};
	case CG_CAUSE_NONE:
		return (struct judged){CG_VERDICT_LEAK, told ? 900 : 700};
	case CG_CAUSE_LATE_CLOSE:
		return (struct judged){CG_VERDICT_LATE, 900};
	default:
		return (struct judged){CG_VERDICT_INFO, 900};
	}
}

void cg_detect_verdict(const struct cg_history *history, enum cg_cause cause, bool told, enum cg_verdict *ret_verdict,
                       unsigned *ret_confidence)
{
	struct judged judged = judge(history, cause, told);
	*ret_verdict = judged.verdict;
	*ret_confidence = judged.confidence;
}

void cg_detect_history(const struct cg_site *site, struct cg_history *ret)
{
	ret->opened = atomic_load(&site->opened);
	ret->closed = atomic_load(&site->closed);
	ret->closed_in_time = atomic_load(&site->closed_in_time);
	ret->closed_late = atomic_load(&site->closed_late);
	ret->never_closed = atomic_load(&site->overdue);
	ret->answered = atomic_load(&site->answered);
	ret->busiest = atomic_load(&site->busiest);
	ret->most_live = atomic_load(&site->most_live);
	ret->peers = atomic_load(&site->peers);
	for (unsigned i = 0; i < CG_DELAY_BUCKETS; i++)
		ret->delays[i] = atomic_load(&site->delays[i]);
}
