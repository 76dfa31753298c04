/*
 * witness.h: tells at the end of a program that could not tell it itself, because a signal ended it.
 */
#ifndef CG_WITNESS_H
#define CG_WITNESS_H

/*
 * Leaves a process behind that waits for the end of this one, which is about to become another program, and then prints
 * what its recorder has outstanding on this stderr: as JSON where the log is. Says nothing where the program ended by
 * itself, or has nothing outstanding. Does nothing where findings do not go to stderr, or it cannot be done.
 */
void cg_witness_leave(void);

#endif
