/*
 * forecast.h: when the descriptors will run out, if the leaks go on as they do.
 */
#ifndef CG_FORECAST_H
#define CG_FORECAST_H

#include "suspects.h"

/* Notes how many sockets are leaked now and sets sweep->forecast_ns. Sweep only. */
void cg_forecast_note(struct cg_sweep *sweep, unsigned leaked);

void cg_forecast_after_fork(void);

#endif
