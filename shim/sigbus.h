/*
 * sigbus.h: a guard against a recorder that is cut short while it is mapped.
 */
#ifndef CG_SIGBUS_H
#define CG_SIGBUS_H

#include <stdbool.h>

/* Takes SIGBUS where it has its default action, and lets this thread receive it. Sweep thread, at its start. */
void cg_sigbus_guard(void);

/* Was the recorder found cut short? What is in it is of no use then. Any context. */
bool cg_sigbus_was_cut(void);

#endif
