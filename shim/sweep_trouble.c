/* sweep_trouble.c: what is off, in one line each. */
#include "sweep_trouble.h"

#include "fmt.h"
#include "suspects_parts.h"
#include "sweep_report.h"
#include "unshare.h"

static bool told_netlink, told_sockets, told_all;

/* The times are the sockets' own, where they can be asked. */
static void note_netlink(const struct cg_sweep *sweep)
{
	if (!sweep->netlink_refused || told_netlink)
		return;
	told_netlink = true;
	cg_sweep_warn_later(
	    cg_unshare_takes() && !cg_suspects_sockets_are_mute()
	        ? "sock_diag is refused here: /proc/net/tcp is read instead, which is slower"
	        : "sock_diag is refused here: /proc/net/tcp is read instead, which is slower, and ages are "
	          "counted from when a connection was first seen so");
}

static void note_sockets(void)
{
	if (!cg_suspects_sockets_are_mute() || told_sockets)
		return;
	told_sockets = true;
	cg_sweep_warn_later(
	    "TCP_INFO is refused here: connections that were reset are told only if they were listed before");
}

static void note_unanswered(const struct cg_sweep *sweep)
{
	char line[160];
	struct cg_buf text;
	if (!sweep->unanswered || !sweep->final || told_all)
		return;
	told_all = true;
	cg_buf_init(&text, line, sizeof line);
	cg_buf_fmt(
	    &text,
	    "%u open connection%s could not be looked at: sock_diag, /proc/net/tcp and TCP_INFO are all refused here",
	    sweep->unanswered, sweep->unanswered == 1 ? "" : "s");
	cg_sweep_warn_now(line);
}

void cg_sweep_note_troubles(const struct cg_sweep *sweep)
{
	note_netlink(sweep);
	note_sockets();
	note_unanswered(sweep);
}

void cg_sweep_trouble_after_fork(void)
{
	told_netlink = told_sockets = told_all = false;
}
