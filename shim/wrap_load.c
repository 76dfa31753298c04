/*
 * wrap_load.c: loading a module whose calls will not reach our wrappers.
 *
 * libc's dlopen goes by the place that it was called from: the caller's search path, its $ORIGIN, its namespace. So
 * nothing may stand between the program and it. What is exported (wrap_load_*.S) calls one of these with the program's
 * own arguments and then jumps to what it returns: libc sees the program's call.
 */
#include "bypass.h"
#include "guard.h"
#include "loader.h"
#include "real.h"
#include "track.h"
#include "unwind.h"

typedef void *loads(const char *path, int flags);
typedef void *loads_apart(Lmid_t space, const char *path, int flags);

#pragma GCC visibility push(hidden)
loads *cg_load_before(const char *path, int flags);
loads_apart *cg_load_apart_before(Lmid_t space, const char *path, int flags);
#pragma GCC visibility pop

/* Before our constructor it is noted only, and where no thread may be made now. */
static void expect(bool surely)
{
	if (!atomic_load_explicit(&cg_guard.enabled, memory_order_relaxed)) {
		cg_bypass_expect(surely);
		return;
	}
	CG_EVENT(cg_bypass_expect(surely || cg_loader_is_orphan());
	         if (cg_track_wake) cg_track_wake(cg_unwind_is_cramped()));
}

static void *load_nothing(const char *path, int flags)
{
	(void)path;
	(void)flags;
	return NULL;
}

static void *load_nothing_apart(Lmid_t space, const char *path, int flags)
{
	(void)space;
	(void)path;
	(void)flags;
	return NULL;
}

loads *cg_load_before(const char *path, int flags)
{
	(void)path;
	CG_NEED(dlopen);
	if (flags & RTLD_DEEPBIND)
		expect(false);
	return cg_real.dlopen ? cg_real.dlopen : load_nothing;
}

loads_apart *cg_load_apart_before(Lmid_t space, const char *path, int flags)
{
	(void)path;
	CG_NEED(dlmopen);
	if (space != LM_ID_BASE || (flags & RTLD_DEEPBIND))
		expect(space != LM_ID_BASE);
	return cg_real.dlmopen ? cg_real.dlmopen : load_nothing_apart;
}
