/* run_log.h: can a log be written where it was asked for? */
#ifndef CG_RUN_LOG_H
#define CG_RUN_LOG_H

#include "target.h"

/*
 * The absolute path of a log, as CLOSEGUARD_LOG takes it. Nothing is made; a name that is not known yet, with a
 * %-letter in a folder's part, is believed. Returns 0, or -1 and why this user's process could not write to it.
 */
int cg_run_log_check(const char *path, char ret_why[CG_WHY_MAX]);

#endif
