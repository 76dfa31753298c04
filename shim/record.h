/*
 * record.h: the recorder, one mapped file per process, and its layout.
 *
 * Everything closeguard knows about a process is in this file, so that another process can read it after a kill -9,
 * from a deadlocked program or from a crashed one. The layout is an interface between builds: CG_RECORD_VERSION changes
 * with it. All integers are in the host's order; times are CLOCK_MONOTONIC nanoseconds unless a name says otherwise; 0
 * means "not yet" or "unknown" everywhere.
 *
 * The file is sparse and is mapped in chunks of 16 KiB as they are needed: mlockall(MCL_FUTURE) populates whatever is
 * mapped, and a store to a page that a full tmpfs cannot back is a SIGBUS, so each chunk is reserved with fallocate
 * before it is mapped. Where that fails anonymous memory takes the chunk's place and only the view from outside is
 * lost.
 */
#ifndef CG_RECORD_H
#define CG_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record_action.h"

#define CG_RECORD_MAGIC "CLOSEGD"
enum {
	CG_RECORD_VERSION = 4,
	CG_CHUNK_SHIFT = 14,
	CG_CHUNK_SIZE = 1 << CG_CHUNK_SHIFT,

	CG_MAX_FDS = 1 << 20, /* Debian's and Docker's hard limit; descriptors above are not recorded, and counted */
	CG_MAX_MODULES = 1024,
	CG_MAX_SITES = 4096,
	CG_MAX_STACKS = 16384, /* slots of the hash index; the arena holds about as many of 30 frames */
	CG_STACK_ARENA = 4 << 20,
	CG_MAX_EVENTS = 1024,
	CG_MAX_DEPARTED = 1024,
	CG_MAX_FINDINGS = 512,
	CG_MAX_ACTIONS = 512,
	CG_MAX_DEPTH = 64,
	CG_LABEL_MAX = 60,    /* bytes of a label, its end included */
	CG_DELAY_BUCKETS = 20 /* powers of two from under 1 ms to over 4 min */
};

enum cg_process_state { CG_STATE_LIVE = 1, CG_STATE_EXITED, CG_STATE_EXECED, CG_STATE_SEALED };

/* What a descriptor's slot says it is. */
enum cg_kind_of_fd {
	CG_FD_NONE, /* nothing known, or not TCP */
	CG_FD_CONN, /* a TCP socket that is or may become a connection */
	CG_FD_LISTENER,
	CG_FD_CLOSED /* was TCP; the rest of the slot tells of the connection that was closed */
};

enum cg_role { CG_ROLE_NONE, CG_ROLE_ACCEPTED, CG_ROLE_CONNECTED };
enum cg_origin { CG_ORIGIN_SEEN, CG_ORIGIN_INHERITED, CG_ORIGIN_RECEIVED, CG_ORIGIN_UNSEEN };

enum cg_slot_flags {
	CG_SLOT_EOF = 1 << 0,    /* a read returned 0 and the slot's eof_ fields tell where */
	CG_SLOT_PEEKED = 1 << 1, /* a read with MSG_PEEK returned 0: a hint, not the app being told */
	CG_SLOT_SHUT_RD = 1 << 2,
	CG_SLOT_SHUT_WR = 1 << 3,
	CG_SLOT_STDIO = 1 << 4,      /* fdopen'ed: its reads go past us */
	CG_SLOT_DUPPED = 1 << 5,     /* another descriptor of this process was made from it, or it from another */
	CG_SLOT_INHERITED = 1 << 6,  /* open at a fork or before exec; the other process may hold it too */
	CG_SLOT_UNVERIFIED = 1 << 7, /* thought to be TCP; the sweep makes sure */
	CG_SLOT_IGNORED = 1 << 8,    /* closeguard_ignore() */
	CG_SLOT_ERROR = 1 << 9,      /* a call told the app that the connection is gone: ECONNRESET, EPIPE, ETIMEDOUT */
	CG_SLOT_UNPOLLED = 1 << 10,  /* removed from an epoll set, after which nothing will tell the app of the FIN */
	CG_SLOT_USED = 1 << 11,      /* used by this process since it was inherited or received */
	CG_SLOT_LABELLED = 1 << 12,  /* closeguard_label(): the text is in the labels, by conn */
	CG_SLOT_CONSUMED = 1 << 13,  /* a sweep saw its FIN consumed, though no read of 0 was seen */
	CG_SLOT_REAPED = 1 << 14,    /* shut down by us, as a policy asked: writing to it must raise no SIGPIPE */
	CG_SLOT_ARRANGED = 1 << 15,  /* what a rule says of new connections was done */
	CG_SLOT_SENT = 1 << 16,      /* given away by SCM_RIGHTS: on its way it is somebody's, though nobody holds it */
	CG_SLOT_KIN = 1 << 17,       /* inherited by forks from the process that opened it, in one pid namespace */
	CG_SLOT_POLLED = 1 << 18,    /* in an epoll set of the program's */
	CG_SLOT_RELAYED = 1 << 19,   /* a sweep found it half-closed on purpose: its close is never late */
	CG_SLOT_CONNECT = 1 << 20,   /* its last connect() failed, or has not told its outcome to the record */
	CG_SLOT_REFUSED = 1 << 21,   /* … it failed, and told the program so */
	CG_SLOT_WATCHED = 1 << 22    /* its uses are told by stacks: one address of a library says too little */
};

/*
 * One descriptor. The first 64 bytes are all that a successful read or write touches.
 *
 * One thread at a time writes a slot: the one that opens it (the number is its own until it returns), or the one that
 * retires it before the real close. `gen` is odd while the rest is being rewritten; readers compare it before and
 * after.
 */
struct cg_slot {
	_Atomic uint32_t gen;
	_Atomic uint8_t kind;       /* enum cg_kind_of_fd */
	uint8_t role;               /* enum cg_role */
	uint8_t origin;             /* enum cg_origin */
	uint8_t open_call;          /* enum cg_call, here and below */
	_Atomic uint64_t last_use;  /* the caller's return address; the call in the top byte */
	_Atomic uint32_t last_tick; /* deciseconds since the recorder's start, as of the last sweep or event */
	_Atomic uint32_t last_tid;
	_Atomic uint32_t flags; /* enum cg_slot_flags */
	uint32_t eof_tid;
	uint64_t open_ns;
	uint64_t eof_ns;
	uint32_t open_stack; /* stack ids, here and below; 0: none */
	uint32_t eof_stack;
	uint32_t open_tid;
	uint32_t conn; /* number of the connection, the same in all its dups */

	uint64_t inode; /* taken by the sweep, or at a close that a fork or dup makes interesting */
	uint64_t cookie;
	uint64_t shut_ns;
	uint64_t close_ns;
	uint64_t first_seen_ns; /* when the sweep first saw it closable */
	uint32_t conn_stack;    /* connect() */
	uint32_t shut_stack;
	union { /* use_stack while it is open: of the last use, where it is watched; 0: none */
		uint32_t close_stack;
		_Atomic uint32_t use_stack;
	};
	uint32_t close_tid;
	uint32_t shut_tid;
	uint16_t epoch; /* how many forks and spawns there had been when it was opened, modulo 65536 */
	uint8_t eof_call;
	uint8_t close_call;
};
_Static_assert(sizeof(struct cg_slot) == 128, "a slot is two cache lines");

/* A connection closed in this process that another descriptor or process may keep alive. A ring by sequence number. */
struct cg_departed {
	_Atomic uint32_t gen; /* odd: being rewritten */
	uint32_t conn;
	int32_t fd;
	uint32_t pad;
	struct cg_slot slot; /* as it was when it was closed */
};

struct cg_stack {
	uint32_t hash;
	uint16_t depth;
	uint16_t flags;      /* CG_STACK_TRUNCATED … */
	uint32_t generation; /* of the module list when it was captured */
	uint32_t pad;
	uint64_t ip[]; /* return addresses, the innermost first, closeguard's own frames cut off */
};
enum { CG_STACK_TRUNCATED = 1, CG_STACK_FROM_FP = 2, CG_STACK_IN_SIGNAL = 4 };

struct cg_module {
	_Atomic uint32_t state;    /* 0 free, 1 being written, 2 valid */
	uint32_t loaded;           /* module-list generations in which it was there: [loaded, unloaded) */
	_Atomic uint32_t unloaded; /* 0: still there */
	uint8_t build_id_len;
	uint8_t build_id[20];
	_Atomic uint8_t flags; /* CG_MODULE_… */
	uint8_t pad[2];
	uint64_t start, end;      /* executable mapping's hull */
	uint64_t bias;            /* load bias: address = bias + offset in the file's own addressing */
	_Atomic uint64_t file_id; /* cg_fileid of the file that was loaded, for one without build-id; 0: not known */
	char path[184];           /* the end of it, where it is longer */
};
enum {
	CG_MODULE_MAIN = 1, /* the program itself: /proc/PID/exe */
	CG_MODULE_ASKED = 2 /* its file_id was looked for */
};
_Static_assert(sizeof(struct cg_module) == 256, "modules are found by index");

/* What has become of the connections opened at one place. */
struct cg_site {
	_Atomic uint32_t stack; /* the opening stack; 0: free */
	uint32_t pad;
	_Atomic uint64_t opened;
	_Atomic uint64_t closed;         /* however and whenever */
	_Atomic uint64_t closed_in_time; /* within warn_after of EOF */
	_Atomic uint64_t closed_late;
	_Atomic uint64_t overdue; /* open now, past warn_after: the "never closed", as of the last sweep */
	_Atomic uint64_t delays[CG_DELAY_BUCKETS]; /* EOF to close; bucket i: under 2^i ms, the last: all above */
	_Atomic uint64_t answered;    /* closed after something was sent past the end: a reply to a half-closed peer */
	_Atomic uint64_t last_use_ns; /* of a connection that is not closable, or an opening; as of the last sweep */
	_Atomic uint32_t busiest;     /* the most connections that a sweep saw in use at the same time */
	_Atomic uint32_t peers;       /* of the overdue ones: how many different ones, as of the last sweep */
	_Atomic uint32_t in_use;      /* now, as of the last sweep */
	_Atomic uint32_t most_live;   /* the most that had been opened and could not be closed yet, at the same time */
	_Atomic uint32_t watched;     /* what is opened there has its uses told by stacks */
	uint32_t pad2;
};

enum cg_event_kind {
	CG_EVENT_NONE,
	CG_EVENT_DOUBLE_CLOSE,
	CG_EVENT_USE_AFTER_CLOSE,
	CG_EVENT_LATE_CLOSE,
	CG_EVENT_FD_EXHAUSTED
};

/* Something that happened and is over, for the sweep to report: a ring by sequence number. */
struct cg_event {
	_Atomic uint64_t seq; /* written last; seq % CG_MAX_EVENTS is the index; 0: being rewritten */
	_Atomic uint32_t kind;
	int32_t fd;
	int32_t error; /* errno of the call */
	uint32_t call;
	uint32_t stack; /* of the call itself */
	uint32_t tid;
	uint64_t ns;
	struct cg_slot slot; /* the connection it is about, as it was */
};

/* How many sockets there were of something at some time. */
struct cg_count_then {
	uint64_t ns;
	uint32_t count;
	uint32_t pad;
};

/* The sockets in CLOSE_WAIT that are findings, in the course of time: a number holds until the next point. */
enum { CG_COURSE_POINTS = 256 };
struct cg_course {
	_Atomic uint32_t gen; /* odd: being rewritten */
	uint32_t count;       /* of points, the oldest first */
	uint64_t step_ns;     /* between two points, at least */
	struct cg_count_then points[CG_COURSE_POINTS];
};

/* The one on the other side of most of a finding's sockets. Port 0: any of that address. */
struct cg_kept_peer {
	uint16_t family, port;
	uint8_t bytes[16];
	uint32_t count; /* 0: none is known */
};

/* The findings as last reported, so that a reader can tell what the log would have. */
struct cg_kept_finding {
	_Atomic uint32_t gen; /* odd: being rewritten */
	uint32_t kind, cause, verdict;
	uint32_t count;      /* now; 0: resolved */
	uint32_t reported;   /* when it was last written to the log */
	uint32_t confidence; /* thousandths */
	uint32_t open_stack, eof_stack;
	uint32_t open_call, eof_call;
	uint32_t origin;
	uint64_t last_use;
	uint64_t oldest_ns; /* age at the last sweep */
	uint64_t last_seen_ns;
	uint64_t total;               /* for events: how many there were in all */
	uint32_t suppressed;          /* enum cg_suppressed */
	uint32_t leaked;              /* the most sockets that were told of it as a leak; they may be closed by now */
	char label[CG_LABEL_MAX];     /* what closeguard_label() said of its sockets, or "" */
	uint32_t hint;                /* enum cg_hint */
	uint64_t first_ns;            /* for events: when the first one was */
	struct cg_count_then then[2]; /* earlier counts, the older one first: how it grows */
	uint64_t site_ip;             /* the one place that a line has room for, as it was told; 0: not told */
	uint32_t site_generation;     /* of the module list it is of */
	struct cg_kept_peer peer;
};

/* What only the process itself could find out, and the advice depends on. */
enum cg_hint {
	CG_HINT_UNKNOWN, /* the finding was never told */
	CG_HINT_NOT_POLLED,
	CG_HINT_POLLED,
	CG_HINT_FORKED,      /* meant for a child, perhaps */
	CG_HINT_UNUSED,      /* accepted and never read from */
	CG_HINT_HANDLER_BUSY, /* accepted, used, and its end not looked at */
	CG_HINT_STRAY_FIRST, /* of two closes by two threads this is the wrong one; here and below */
	CG_HINT_STRAY_SECOND,
	CG_HINT_STRAY_UNKNOWN,
	CG_HINT_SPINNING /* its end is read again and again */
};

struct cg_label {
	_Atomic uint32_t conn;
	char text[CG_LABEL_MAX];
};
enum { CG_MAX_LABELS = 256 };

struct cg_counters {
	_Atomic uint64_t opened; /* TCP descriptors */
	_Atomic uint64_t closed;
	_Atomic uint64_t eofs;
	_Atomic uint64_t double_closes;
	_Atomic uint64_t uses_after_close;
	_Atomic uint64_t late_closes;
	_Atomic uint64_t exhausted; /* EMFILE or ENFILE from accept or socket */
	_Atomic uint64_t adopted;
	_Atomic uint64_t beyond_limit;    /* descriptors at or above CG_MAX_FDS */
	_Atomic uint64_t stack_overflows; /* stacks that found no room */
	_Atomic uint64_t site_overflows;
	_Atomic uint64_t sweeps;
	_Atomic uint64_t sweep_ns;     /* CPU time of the sweeps */
	_Atomic uint64_t findings;     /* reported in all */
	_Atomic uint64_t leaked_now;   /* sockets in findings with verdict leak, at the last sweep */
	_Atomic uint64_t departed_seq; /* next place in the ring of the departed */
	_Atomic uint64_t event_seq;    /* next place in the ring of events; starts at 1 */
	_Atomic uint64_t leaks_told;   /* sockets that were told as leaked in all, be they closed by now or not */
	_Atomic uint64_t spare[14];
};

struct cg_header {
	char magic[8];
	uint32_t version;
	uint32_t header_size;
	uint32_t chunk_size;
	uint32_t slot_size;
	_Atomic uint32_t state; /* enum cg_process_state */
	int32_t pid;
	uint32_t uid;
	_Atomic uint32_t anonymous; /* chunks that are not in this file, because it could not grow */
	uint64_t start_ns;          /* of the recorder, CLOCK_MONOTONIC */
	uint64_t start_realtime_ns;
	uint64_t process_start; /* field 22 of /proc/self/stat: tells a pid from its next user */
	uint64_t warn_after_ns;
	uint64_t off_modules, off_sites, off_stack_index, off_stack_arena, off_events, off_departed, off_findings,
	    off_labels, off_actions, off_slots;
	_Atomic uint32_t module_generation;
	_Atomic uint32_t stack_used; /* bytes of the arena handed out */
	_Atomic uint32_t next_conn;
	_Atomic uint32_t highest_fd; /* ever used */
	_Atomic uint32_t open_now;   /* TCP descriptors */
	_Atomic uint32_t tick;       /* deciseconds since start_ns, as of the last sweep or event */
	_Atomic uint64_t last_sweep_ns;
	_Atomic uint64_t state_ns; /* when state was last changed */
	_Atomic uint32_t spoken;   /* something was reported, or is outstanding: the file outlives a clean exit */
	_Atomic int32_t fd;        /* of this file in the process itself; -1: memory only */
	struct cg_counters count;
	char app[64];
	char host[64];
	char exe[256];
};

/* Where things are in the file. Regions start at chunk boundaries. */
#define CG_ROUND(n) (((uint64_t)(n) + CG_CHUNK_SIZE - 1) & ~(uint64_t)(CG_CHUNK_SIZE - 1))
#define CG_OFF_COURSE ((uint64_t)8192) /* the second half of the header's chunk */
#define CG_OFF_MODULES ((uint64_t)CG_CHUNK_SIZE)
#define CG_OFF_SITES (CG_OFF_MODULES + CG_ROUND(CG_MAX_MODULES * sizeof(struct cg_module)))
#define CG_OFF_STACK_INDEX (CG_OFF_SITES + CG_ROUND(CG_MAX_SITES * 256))
#define CG_OFF_STACK_ARENA (CG_OFF_STACK_INDEX + CG_ROUND(CG_MAX_STACKS * sizeof(uint32_t)))
#define CG_OFF_EVENTS (CG_OFF_STACK_ARENA + CG_STACK_ARENA)
#define CG_OFF_DEPARTED (CG_OFF_EVENTS + CG_ROUND(CG_MAX_EVENTS * 256))
#define CG_OFF_FINDINGS (CG_OFF_DEPARTED + CG_ROUND(CG_MAX_DEPARTED * 256))
#define CG_OFF_LABELS (CG_OFF_FINDINGS + CG_ROUND(CG_MAX_FINDINGS * 256))
#define CG_OFF_ACTIONS (CG_OFF_LABELS + CG_ROUND(CG_MAX_LABELS * sizeof(struct cg_label)))
#define CG_OFF_SLOTS (CG_OFF_ACTIONS + CG_ROUND(CG_MAX_ACTIONS * 256))
#define CG_RECORD_SIZE (CG_OFF_SLOTS + (uint64_t)CG_MAX_FDS * sizeof(struct cg_slot))
enum { CG_RECORD_CHUNKS = (int)(CG_RECORD_SIZE >> CG_CHUNK_SHIFT) };
_Static_assert(sizeof(struct cg_header) <= CG_OFF_COURSE && CG_OFF_COURSE + sizeof(struct cg_course) <= CG_CHUNK_SIZE,
               "the header and the course are the first chunk");
_Static_assert(sizeof(struct cg_site) == 248, "sites stand 256 bytes apart");
_Static_assert(sizeof(struct cg_departed) == 144 && sizeof(struct cg_event) <= 256, "ring places are 256 bytes");
_Static_assert(sizeof(struct cg_action) <= 256, "actions stand 256 bytes apart");
_Static_assert(sizeof(struct cg_kept_finding) <= 256, "kept findings stand 256 bytes apart");

#endif
