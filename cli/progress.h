/*
 * progress.h: one line on a terminal that says what takes so long, and is gone afterwards.
 *
 * Nothing is written where standard error is no terminal, in the first half second, or oftener than five times a
 * second.
 */
#ifndef CG_PROGRESS_H
#define CG_PROGRESS_H

/* Takes the line's place. Cheap when there is nothing to write. */
void cg_progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes the line away; before anything else is written. */
void cg_progress_end(void);

#endif
