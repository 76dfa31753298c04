/*
 * top_terminal.h: takes the terminal, and gives it back as it was however this ends.
 */
#ifndef CG_TOP_TERMINAL_H
#define CG_TOP_TERMINAL_H

#include "top_columns.h"

/* Returns 0, or -ENOTTY where this terminal cannot show a screen; nothing has been written then. */
int cg_top_terminal_begin(void);
void cg_top_terminal_end(void);

/* Waits for a key, a wake, a signal or so many milliseconds. */
void cg_top_terminal_wait(unsigned milliseconds);

/* Ends a wait. Any thread, and signal handlers; context is not used. */
void cg_top_terminal_wake(void *context);

/* The signal that asks to end this (SIGHUP for a terminal that has gone), or 0. */
int cg_top_terminal_ending(void);

/* How a tone is drawn here: in colour, or without. */
int cg_top_terminal_attributes(enum cg_top_tone tone);

#endif
