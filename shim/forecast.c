/* forecast.c: a straight line through the number of leaked sockets. */
#include "forecast.h"

#include <sys/resource.h>

#include "recorder.h"
#include "sys.h"

/* The line's base is moved on after a minute, so that it follows a load that changes. */
static const uint64_t least_ns = 1000000000u, most_ns = 60000000000u;

static struct {
	uint64_t ns;
	unsigned leaked;
} base;

static uint64_t fd_limit(void)
{
	struct rlimit limit;
	return CG_SYS(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit, 0, 0) == 0 ? limit.rlim_cur : 0;
}

void cg_forecast_note(struct cg_sweep *sweep, unsigned leaked)
{
	struct cg_header *h = cg_recorder_header();
	if (!base.ns || leaked < base.leaked) {
		base.ns = sweep->now_ns;
		base.leaked = leaked;
		sweep->forecast_ns = 0;
	}
	uint64_t passed = sweep->now_ns - base.ns;
	if (!h || passed < least_ns || leaked == base.leaked)
		return;
	uint64_t used = sweep->open_fds ? sweep->open_fds : atomic_load(&h->open_now), limit = fd_limit();
	sweep->forecast_ns = limit > used ? (limit - used) * (passed / (leaked - base.leaked)) : 0;
	if (passed > most_ns) {
		base.ns = sweep->now_ns;
		base.leaked = leaked;
	}
}

void cg_forecast_after_fork(void)
{
	base.ns = 0;
}
