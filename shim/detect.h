/*
 * detect.h: the judgement. A pure function from what is known of one socket to a verdict, and the finding that reports
 * are printed from.
 */
#ifndef CG_DETECT_H
#define CG_DETECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record.h"
#include "tcpstate.h"

enum cg_kind {
	CG_KIND_NONE,
	CG_KIND_CLOSE_WAIT,
	CG_KIND_DEAD_SOCKET,
	CG_KIND_FIN_WAIT1,
	CG_KIND_FIN_WAIT2,
	CG_KIND_RESET_ON_CLOSE,
	CG_KIND_DOUBLE_CLOSE,
	CG_KIND_USE_AFTER_CLOSE,
	CG_KIND_FD_EXHAUSTION,
	CG_KIND_COUNT
};

enum cg_cause {
	CG_CAUSE_NONE,
	CG_CAUSE_EOF_IGNORED,
	CG_CAUSE_DATA_UNREAD,
	CG_CAUSE_FIN_UNREAD,
	CG_CAUSE_SHARED,
	CG_CAUSE_NEVER_ACCEPTED,
	CG_CAUSE_HALF_CLOSE,
	CG_CAUSE_LATE_CLOSE,
	CG_CAUSE_HALF_CLOSED,
	CG_CAUSE_UNREAD_DATA,
	CG_CAUSE_LINGER_ZERO,
	CG_CAUSE_CONNECT_FAILED,
	CG_CAUSE_COUNT
};

enum cg_verdict { CG_VERDICT_LEAK, CG_VERDICT_LATE, CG_VERDICT_INFO };
/* By whom a finding is borne. */
enum cg_suppressed { CG_SUPPRESSED_NOT, CG_SUPPRESSED_BY_POLICY, CG_SUPPRESSED_AS_SHIPPED };
enum cg_age_source { CG_AGE_EOF, CG_AGE_KERNEL, CG_AGE_FIRST_SEEN };

/*
 * The names of INTERFACE's fields: "close_wait", "eof_ignored", "leak", "eof", "seen", … "" for NONE; "unknown" for a
 * kind or cause that a newer build has put into a recorder.
 */
const char *cg_kind_name(enum cg_kind kind);
const char *cg_cause_name(enum cg_cause cause);
const char *cg_verdict_name(enum cg_verdict verdict);
const char *cg_age_source_name(enum cg_age_source source);
const char *cg_origin_name(unsigned origin); /* enum cg_origin */

/* "ECONNRESET" for the errors that findings carry; "" for any other, whose number is shown instead. */
const char *cg_error_name(int error);

/* What became of the connections of the same opening stack so far. */
struct cg_history {
	uint64_t opened;
	uint64_t closed;
	uint64_t closed_in_time;
	uint64_t closed_late;
	uint64_t never_closed; /* open and overdue now, this socket included */
	uint64_t answered;     /* closed after a reply that was sent past the end */
	unsigned busiest;      /* the most that were in use at the same time */
	unsigned most_live;    /* the most that were open, and could not be closed yet, at the same time */
	unsigned peers;        /* of those never closed, how many different ones */
	uint64_t delays[CG_DELAY_BUCKETS];
};

/* Everything that may be known of one socket at the moment of judging it. */
struct cg_facts {
	int fd;        /* -1: not held by this process */
	bool has_slot; /* slot is a copy of the record of the connection */
	struct cg_slot slot;
	struct cg_tcp tcp;   /* the kernel's word, tcp.state 0 if there is none */
	bool departed;       /* closed here; slot tells of it as it was */
	bool in_backlog;     /* waits in the accept queue of a listener of ours */
	bool other_holders;  /* another process holds the socket too */
	bool held_by_opener; /* the process this one inherited it from is watched and still there: it reports */
	bool relayed;        /* after its EOF this thread half-closed another socket, which is still open */
	bool place_in_use;   /* other connections of its place were opened or used since it became closable */
	bool reader_apart;   /* that thread is not the main one: as a rule it was made to serve somebody */
	bool reader_at_work; /* the thread that read its end is busy, and has touched no other connection since */
	bool passing_by;     /* the process ends, and this is the first look at it */
	bool strict;         /* a gate asks: what the program was told the end of counts, whatever its age */
	uint64_t now_ns;
	uint64_t warn_after_ns;
	uint64_t last_use_ns;        /* when the program last read or wrote; 0: not known */
	uint64_t fin_wait2_after_ns; /* how long a half-closed connection may wait for the peer's FIN; 0: for ever */
	struct cg_history history;
};

struct cg_judgement {
	enum cg_kind kind; /* CG_KIND_NONE: nothing to say */
	enum cg_cause cause;
	enum cg_verdict verdict;
	unsigned confidence; /* thousandths */
	uint64_t age_ns;     /* a lower bound: it has been closable at least so long */
	uint64_t age_max_ns; /* an upper bound; 0: unknown */
	enum cg_age_source age_source;
	bool mature;  /* old enough to be told */
	bool quiet;   /* for summaries only: well-behaved (a half-close that is still sending) */
	bool pending; /* quiet for the time being: an answer may come, and if none does its close may still be late */
};

/* Judges one socket. Pure: no clock, no system call, no state. Any context. */
void cg_detect(const struct cg_facts *facts, struct cg_judgement *ret);

/*
 * A verdict on the code from its history: bug or overload, how sure. `told`: a read returned 0; for `shared` that it
 * was closed here, for a dead socket (no cause) that a call said so. Any context.
 */
void cg_detect_verdict(const struct cg_history *history, enum cg_cause cause, bool told, enum cg_verdict *ret_verdict,
                       unsigned *ret_confidence);

/* What a site of the recorder says. Any context. */
void cg_detect_history(const struct cg_site *site, struct cg_history *ret);

/* One sentence on what to do. `polled` tells a stuck loop from an idle pool in fin_unread. Never NULL. */
const char *cg_detect_advice(enum cg_kind kind, enum cg_cause cause, enum cg_verdict verdict, bool polled);

/* The same for one that nobody here was seen to read from, and a child forked since may have been meant to. */
const char *cg_detect_advice_forked(void);

/* Which close of a double close is the stray one: an enum cg_hint. `slot`: as it was closed; `tid`: the second's. */
unsigned cg_detect_stray_close(const struct cg_slot *slot, uint32_t tid);

/* The one that fits what the process found out: `hint` is an enum cg_hint. */
const char *cg_detect_advice_hinted(enum cg_kind kind, enum cg_cause cause, enum cg_verdict verdict, unsigned hint);

/* The same for an accepted connection whose end nobody has looked at: `used` where something was read before. */
const char *cg_detect_advice_handler(bool used);

enum { CG_SOCKETS_SHOWN = 16, CG_HOLDERS_SHOWN = 8, CG_PEERS_SHOWN = 8 };

/* One socket of a finding. */
struct cg_socket_view {
	int fd; /* -1: not in this process */
	struct cg_tcp tcp;
	uint64_t age_ns, age_max_ns;
	enum cg_age_source age_source;
	bool has_unread; /* unread_bytes is known; the FIN is not counted in it */
	uint32_t unread_bytes;
	bool has_unsent;
	uint32_t unsent_bytes;
	int polled_by;        /* -1: no epoll set; -2: unknown */
	bool holders_unknown; /* none was seen, and not all could be */
	unsigned holders;     /* other processes, in shared_with; more than CG_HOLDERS_SHOWN are only counted */
	pid_t shared_with[CG_HOLDERS_SHOWN];
	char commands[CG_HOLDERS_SHOWN][16]; /* of those; "": not known */
};

/* Who is on the other side of how many of a finding's sockets. */
struct cg_peer {
	struct cg_addr addr; /* port 0: of connections that were accepted, where it says nothing */
	uint32_t count;
};

/* A place in the code: one of the three stacks of a finding. */
struct cg_place {
	bool known;
	unsigned call; /* enum cg_call */
	char thread[32];
	uint64_t age_ns;
	unsigned depth;            /* frames in ip */
	unsigned stack_flags;      /* CG_STACK_TRUNCATED … */
	uint32_t generation;       /* of the module list */
	uint64_t ip[CG_MAX_DEPTH]; /* return addresses */
};

enum { CG_OPEN_PLACES = 5 };

/* Where connections were opened that are open now, healthy or not. */
struct cg_open_place {
	uint64_t open;
	struct cg_place place;
};

/* What text, JSON and HTML are printed from. */
struct cg_finding {
	enum cg_kind kind;
	enum cg_cause cause;
	enum cg_verdict verdict;
	unsigned confidence; /* thousandths */
	uint32_t count;
	uint64_t oldest_age_ns;
	const char *advice;
	unsigned origin; /* enum cg_origin */
	unsigned hint;   /* enum cg_hint */
	struct cg_place opened, eof, last_use;
	struct cg_place connected, shut, closed, here; /* where they add something */
	struct cg_history history;
	bool has_history;
	unsigned socket_count; /* in sockets, at most CG_SOCKETS_SHOWN */
	struct cg_socket_view sockets[CG_SOCKETS_SHOWN];
	unsigned peer_count; /* in peers, the most frequent first */
	struct cg_peer peers[CG_PEERS_SHOWN];
	uint32_t other_peers;        /* sockets whose peers are not among them */
	int error;                   /* errno of the call, for events; 0: none */
	uint32_t open_fds, fd_limit; /* fd_exhaustion, and what follows */
	unsigned open_place_count;
	struct cg_open_place open_places[CG_OPEN_PLACES]; /* those that hold the most, the heaviest first */
	uint64_t forecast_ns;        /* until the descriptors run out at the present rate; 0: none */
	bool has_growth;             /* how fast it grows is known … */
	int64_t growth;              /* … in tenths a minute */
	uint64_t site_ip;            /* the one place that a line has room for: a return address; 0: not chosen yet */
	uint32_t site_generation;    /* of the module list it is of */
	bool names_pending;          /* some functions could not be looked up yet */
	char label[CG_LABEL_MAX];    /* closeguard_label(), or "" */
	char suppressed[128];        /* why the policy bears it, or "" */
	char suggested_rule[400];    /* what a policy could do about it, or "" */
};

/*
 * One sentence on what to do about a finding whose places are filled in: it names no stack that is not there, and says
 * why there is none. `hint`: enum cg_hint.
 */
const char *cg_finding_advice(const struct cg_finding *finding, unsigned hint);

#endif
