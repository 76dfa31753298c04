/*
 * symbol_lsan.h: whether LeakSanitizer will search this process for leaks.
 */
#ifndef CG_SYMBOL_LSAN_H
#define CG_SYMBOL_LSAN_H

#include <stdbool.h>

/* True also where that cannot be told. Sweep thread, or the exiting thread. */
bool cg_symbol_lsan_searches(void);

#endif
