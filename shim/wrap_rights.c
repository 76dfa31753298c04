/*
 * wrap_rights.c: calls by which a process gives up what it began with. A log that it cannot open afterwards is opened
 * before.
 */
#include "real.h"
#include "track.h"

static void giving_up(bool root)
{
	if (cg_track_giving_up)
		CG_EVENT(cg_track_giving_up(root));
}

CG_EXPORT int chroot(const char *path)
{
	CG_NEED(chroot);
	giving_up(true);
	return cg_real.chroot(path);
}

CG_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	CG_NEED(setresuid);
	giving_up(false);
	return cg_real.setresuid(real, effective, saved);
}

CG_EXPORT int setreuid(uid_t real, uid_t effective)
{
	CG_NEED(setreuid);
	giving_up(false);
	return cg_real.setreuid(real, effective);
}

CG_EXPORT int setuid(uid_t user)
{
	CG_NEED(setuid);
	giving_up(false);
	return cg_real.setuid(user);
}
