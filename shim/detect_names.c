/* detect_names.c: what findings are called, and what a person should do about them. */
#include <errno.h>

#include "detect.h"

static const char *const kinds[CG_KIND_COUNT] = {
    [CG_KIND_NONE] = "",
    [CG_KIND_CLOSE_WAIT] = "close_wait",
    [CG_KIND_DEAD_SOCKET] = "dead_socket",
    [CG_KIND_FIN_WAIT1] = "fin_wait1",
    [CG_KIND_FIN_WAIT2] = "fin_wait2",
    [CG_KIND_RESET_ON_CLOSE] = "reset_on_close",
    [CG_KIND_DOUBLE_CLOSE] = "double_close",
    [CG_KIND_USE_AFTER_CLOSE] = "use_after_close",
    [CG_KIND_FD_EXHAUSTION] = "fd_exhaustion",
};

static const char *const causes[CG_CAUSE_COUNT] = {
    [CG_CAUSE_NONE] = "",
    [CG_CAUSE_EOF_IGNORED] = "eof_ignored",
    [CG_CAUSE_DATA_UNREAD] = "data_unread",
    [CG_CAUSE_FIN_UNREAD] = "fin_unread",
    [CG_CAUSE_SHARED] = "shared",
    [CG_CAUSE_NEVER_ACCEPTED] = "never_accepted",
    [CG_CAUSE_HALF_CLOSE] = "half_close",
    [CG_CAUSE_LATE_CLOSE] = "late_close",
    [CG_CAUSE_HALF_CLOSED] = "half_closed",
    [CG_CAUSE_UNREAD_DATA] = "unread_data",
    [CG_CAUSE_LINGER_ZERO] = "linger_zero",
    [CG_CAUSE_CONNECT_FAILED] = "connect_failed",
};

static const char *const verdicts[] = {
    [CG_VERDICT_LEAK] = "leak",
    [CG_VERDICT_LATE] = "late",
    [CG_VERDICT_INFO] = "info",
};

static const char *const age_sources[] = {
    [CG_AGE_EOF] = "eof",
    [CG_AGE_KERNEL] = "kernel",
    [CG_AGE_FIRST_SEEN] = "first_seen",
};

static const char *const origins[] = {
    [CG_ORIGIN_SEEN] = "seen",
    [CG_ORIGIN_INHERITED] = "inherited",
    [CG_ORIGIN_RECEIVED] = "received",
    [CG_ORIGIN_UNSEEN] = "unseen",
};

static const char *const errors[] = {
    [EBADF] = "EBADF",
    [ECONNABORTED] = "ECONNABORTED",
    [ECONNREFUSED] = "ECONNREFUSED",
    [ECONNRESET] = "ECONNRESET",
    [EINTR] = "EINTR",
    [EINVAL] = "EINVAL",
    [EIO] = "EIO",
    [EMFILE] = "EMFILE",
    [ENFILE] = "ENFILE",
    [ENOTCONN] = "ENOTCONN",
    [ENOTSOCK] = "ENOTSOCK",
    [EPIPE] = "EPIPE",
    [ETIMEDOUT] = "ETIMEDOUT",
};

#define NAME_OF(names, value)                                                                                          \
	((unsigned)(value) < sizeof(names) / sizeof(*(names)) && (names)[value] ? (names)[value] : "")

const char *cg_kind_name(enum cg_kind kind)
{
	return (unsigned)kind < CG_KIND_COUNT ? kinds[kind] : "unknown";
}

const char *cg_cause_name(enum cg_cause cause)
{
	return (unsigned)cause < CG_CAUSE_COUNT ? causes[cause] : "unknown";
}

const char *cg_verdict_name(enum cg_verdict verdict)
{
	return NAME_OF(verdicts, verdict);
}

const char *cg_age_source_name(enum cg_age_source source)
{
	return NAME_OF(age_sources, source);
}

const char *cg_origin_name(unsigned origin)
{
	return NAME_OF(origins, origin);
}

const char *cg_error_name(int error)
{
	return NAME_OF(errors, error);
}

static const char *const cause_advice[CG_CAUSE_COUNT] = {
    [CG_CAUSE_EOF_IGNORED] = "close the socket where read returned 0: the path at `EOF seen` returns without close() "
                             "(where no EOF was seen, the path at `last used` is the nearest)",
    [CG_CAUSE_DATA_UNREAD] = "the code at `last used` stopped reading before the end and kept the socket: read on to "
                             "the end, or close the socket where the reading is given up",
    [CG_CAUSE_SHARED] = "close the copies too: look for a dup or a child that keeps the descriptor, open sockets with "
                        "SOCK_CLOEXEC, and close them in the child after fork",
    [CG_CAUSE_NEVER_ACCEPTED] = "the server has stopped calling accept() on this listener: look for a blocked accept "
                                "loop, busy workers, or accept() failing for want of descriptors",
    [CG_CAUSE_HALF_CLOSE] = "nothing to do while the other direction is in use; if this one stays, give the relay or "
                            "the reply a timeout",
    [CG_CAUSE_LATE_CLOSE] = "overload, not a bug: the socket was closed in the end; look for what kept the thread busy "
                            "between `EOF seen` and the close",
    [CG_CAUSE_HALF_CLOSED] =
        "after shutdown() only the peer's FIN or keepalive ends this connection: close the socket, "
        "or set a timeout for the peer's answer",
    [CG_CAUSE_UNREAD_DATA] = "read what is left before close(): unread data turns the close into a reset, and the peer "
                             "may lose the end of what was sent",
    [CG_CAUSE_LINGER_ZERO] =
        "SO_LINGER with a time of 0 resets the connection at close(): remove it unless the peer is "
        "meant to lose what it has not read",
    [CG_CAUSE_CONNECT_FAILED] =
        "connect() failed and the socket was kept: close it where connect() fails (where it does "
        "not block, where poll and SO_ERROR say so), before the next attempt",
};

static const char *const kind_advice[CG_KIND_COUNT] = {
    [CG_KIND_CLOSE_WAIT] = "close the socket when the peer has closed: in CLOSE_WAIT there is no time limit",
    [CG_KIND_DEAD_SOCKET] = "the connection is gone and only the descriptor is left: close it on the error or "
                            "end-of-file path too",
    [CG_KIND_FIN_WAIT1] = "the peer acknowledges nothing: set TCP_USER_TIMEOUT before the close, so that the kernel "
                          "gives up sooner",
    [CG_KIND_FIN_WAIT2] = "the peer does not close its side: close the socket instead of only shutting it down, or "
                          "turn keepalive on",
    [CG_KIND_RESET_ON_CLOSE] = "the close reset the connection and the peer may have lost data: read to the end and do "
                               "not use SO_LINGER 0",
    [CG_KIND_DOUBLE_CLOSE] =
        "remove the second close(), shown as `called here`: in a threaded program it closes somebody "
        "else's new descriptor",
    [CG_KIND_USE_AFTER_CLOSE] = "the descriptor at `called here` had been closed at `closed by`: set it to -1 after "
                                "close() and do not share it without a lock",
    [CG_KIND_FD_EXHAUSTION] = "mend the largest leak first and raise RLIMIT_NOFILE (ulimit -n) only to win time",
};

/* fin_unread: nobody has looked at the end. The two ways to get there want opposite cures. */
static const char *fin_unread_advice(bool polled)
{
	if (polled)
		return "the event loop is registered for it but does not get to it: look for a blocked loop or handler";
	return "an idle pool or cache keeps it: set an idle timeout below the peer's, or close it before the peer does";
}

const char *cg_detect_advice(enum cg_kind kind, enum cg_cause cause, enum cg_verdict verdict, bool polled)
{
	if (verdict == CG_VERDICT_LATE && cause != CG_CAUSE_LATE_CLOSE)
		return "overload, not a bug: this place does close its sockets, only late; look for a blocked loop, a "
		       "slow "
		       "backend or too few workers";
	bool pooled = cause == CG_CAUSE_FIN_UNREAD || kind == CG_KIND_DEAD_SOCKET;
	if (verdict == CG_VERDICT_INFO && pooled && !polled)
		return "nothing to do: a pool or cache keeps idle connections until their next use; where its place is "
		       "used again and they stay, they are told as a leak";
	if (cause == CG_CAUSE_FIN_UNREAD)
		return fin_unread_advice(polled);
	const char *advice = NAME_OF(cause_advice, cause);
	if (!advice || !*advice)
		advice = NAME_OF(kind_advice, kind);
	return advice ? advice : "";
}

const char *cg_detect_advice_handler(bool used)
{
	if (!used)
		return "accepted, and never read from: look at what stands between accept and the workers (a queue, a "
		       "pool that is busy), and at where the workers are now";
	return "its handler is busy or blocked: look at where its thread is now (gdb, jstack, py-spy); what it waits "
	       "for needs a timeout";
}

const char *cg_detect_advice_forked(void)
{
	return "no read of it was seen here, and a child has been forked since: where the child serves it, close the "
	       "parent's copy right after fork()";
}

/* By the last use and the read of the end: of earlier users nothing is known. */
static bool has_used(const struct cg_slot *slot, uint32_t tid)
{
	return (atomic_load(&slot->last_use) && atomic_load(&slot->last_tid) == tid) ||
	       (slot->eof_call && slot->eof_tid == tid);
}

unsigned cg_detect_stray_close(const struct cg_slot *slot, uint32_t tid)
{
	bool first = has_used(slot, slot->close_tid), second = has_used(slot, tid);
	if (slot->close_tid == tid)
		return CG_HINT_UNKNOWN; /* one thread: the second is one too many, whoever used it */
	if (second && !first && slot->open_tid != slot->close_tid)
		return CG_HINT_STRAY_FIRST;
	if (first && !second && slot->open_tid != tid)
		return CG_HINT_STRAY_SECOND;
	return CG_HINT_STRAY_UNKNOWN;
}

static const char *advice_on_stray(unsigned hint)
{
	if (hint == CG_HINT_STRAY_FIRST)
		return "remove the first close(), at `closed by`: its thread neither opened nor used this connection, "
		       "and "
		       "closed a number that had become this connection's; the close at `called here`, by the thread "
		       "that used it, is right";
	if (hint == CG_HINT_STRAY_SECOND)
		return "remove the second close(), at `called here`: its thread neither opened nor used this "
		       "connection, "
		       "which the thread at `closed by` used and closed";
	return "two threads have closed it, and which of them is wrong cannot be told: neither is known to have used "
	       "it "
	       "alone; let one own the descriptor, and set it to -1 where it is closed";
}

const char *cg_detect_advice_hinted(enum cg_kind kind, enum cg_cause cause, enum cg_verdict verdict, unsigned hint)
{
	if (hint == CG_HINT_FORKED)
		return cg_detect_advice_forked();
	if (hint == CG_HINT_UNUSED || hint == CG_HINT_HANDLER_BUSY)
		return cg_detect_advice_handler(hint == CG_HINT_HANDLER_BUSY);
	if (cause == CG_CAUSE_EOF_IGNORED && hint == CG_HINT_SPINNING)
		return "the loop at `EOF seen` goes on after the end: its read has returned 0 more than a thousand "
		       "times and "
		       "takes a processor; leave the loop at 0, and close the socket";
	if (kind == CG_KIND_DOUBLE_CLOSE && hint >= CG_HINT_STRAY_FIRST && hint <= CG_HINT_STRAY_UNKNOWN)
		return advice_on_stray(hint);
	return cg_detect_advice(kind, cause, verdict, hint == CG_HINT_POLLED);
}
