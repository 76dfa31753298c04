/*
 * sweep_look.h: one look at the program's connections.
 */
#ifndef CG_SWEEP_LOOK_H
#define CG_SWEEP_LOOK_H

#include <stdbool.h>

/* One at a time: false while another thread looks. Around each look. */
bool cg_sweep_look_begin(void);
void cg_sweep_look_end(void);

/* `summary`: its reason, or NULL. `on_thread`: by the sweep's own thread, which alone acts. */
void cg_sweep_look(bool may_load, bool final, const char *summary, bool on_thread);

/* Sockets in findings with verdict leak, and mistakes, as of the last look. Any context. */
unsigned cg_sweep_leaks(void);
unsigned cg_sweep_mistakes(void);

void cg_sweep_look_after_fork(void);

#endif
