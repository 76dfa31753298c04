/*
 * supervise.h: starts a program as a child, for who wants to know what one that a signal ends had left open.
 */
#ifndef CG_SUPERVISE_H
#define CG_SUPERVISE_H

/*
 * Forks. Returns -1 in the child, which is to become the program. The parent passes signals, stops and continues on,
 * and returns when the child has ended, with the status to exit with: the child's, or `exitcode` (0: none) where
 * SIGHUP, SIGINT or SIGTERM ended it and its recorder has leaks. Where another signal ended it, the parent ends by the
 * same.
 */
int cg_supervise(int exitcode);

#endif
