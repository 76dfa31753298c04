/*
 * verdict.h: whether a program is or would be watched, with the reasons and what to do.
 */
#ifndef CG_VERDICT_H
#define CG_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

enum cg_answer { CG_ANSWER_YES, CG_ANSWER_PARTLY, CG_ANSWER_NO };
enum cg_remark { CG_REMARK_FACT, CG_REMARK_REASON, CG_REMARK_ADVICE, CG_REMARKS };
enum { CG_REMARKS_MAX = 24 };

struct cg_verdict {
	const char *subject; /* as it was asked for; the caller's */
	bool running;        /* of a process, not of a command */
	enum cg_answer answer;
	unsigned count;
	struct {
		enum cg_remark sort;
		char *text;
	} remarks[CG_REMARKS_MAX];
};

/* Adds a sentence; one that finds no room is left out. */
void cg_verdict_say(struct cg_verdict *verdict, enum cg_remark sort, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a reason why it is watched no better than this; an answer never gets better again. */
void cg_verdict_lower(struct cg_verdict *verdict, enum cg_answer to, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints to stdout, and frees what was said. */
void cg_verdict_print(struct cg_verdict *verdict, bool json);

/* Prints text in lines of a readable width: `label` before the first, an indentation as wide before the others. */
void cg_verdict_wrap(const char *label, const char *text);

#endif
