/*
 * scan.h: the TCP sockets of this host's processes, as `closeguard scan` gathers, judges and tells them.
 *
 * scan_processes.c reads who holds what, scan_spaces.c goes through the network namespaces, scan_kernel.c lists their
 * sockets, scan_judge.c says what each is, scan_text.c and scan_json.c print. All memory is freed by cg_scan_free.
 * Functions return 0 or -errno.
 */
#ifndef CG_SCAN_H
#define CG_SCAN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "detect.h"
#include "tcpstate.h"

/* What is told apart; the names are in scan_judge.c. */
enum cg_scan_class {
	CG_SCAN_CLOSE_WAIT,
	CG_SCAN_LAST_ACK,
	CG_SCAN_CLOSING,
	CG_SCAN_FIN_WAIT1,
	CG_SCAN_FIN_WAIT2,
	CG_SCAN_DEAD,        /* in CLOSE, held, and it was a connection */
	CG_SCAN_UNCONNECTED, /* in CLOSE, held, and either dead or not connected yet: the kernel would not say */
	CG_SCAN_BACKLOG,     /* ESTABLISHED, and waiting for accept() */
	CG_SCAN_TIME_WAIT,   /* counted only */
	CG_SCAN_CLASSES
};

/* An owner that is no index of a process. Who closed its last descriptor left the socket to the kernel. */
enum { CG_SCAN_UNSEEN = -1, CG_SCAN_NOBODY = -2 };

/* How a network namespace could be looked into. */
enum cg_scan_way { CG_SCAN_NOT, CG_SCAN_DIAG, CG_SCAN_PROC };

struct cg_scan_space {
	uint64_t inode; /* of the namespace */
	pid_t pid;      /* a process in it; 0: it is ours */
	bool wanted;
	enum cg_scan_way way;
	int error;           /* why it was not entered, or not looked into: -errno */
	unsigned processes;  /* that are in it */
	uint64_t time_waits; /* without an owner each */
};

/* Sockets in TIME_WAIT of one service. */
struct cg_scan_wait {
	struct cg_addr peer; /* with the service's port, whichever side it was on */
	unsigned space;
	bool ours; /* the service was on this host, and the peer called */
	bool gone; /* counted in a dump that failed half way */
	uint64_t count;
};

struct cg_scan_process {
	pid_t pid;
	char name[32];
	uint64_t space; /* inode of its network namespace; 0: unknown */
	bool wanted;
};

/* A descriptor that is a socket. Sorted by inode, then by process. */
struct cg_scan_hold {
	uint64_t inode;
	unsigned process;
	int fd;
};

struct cg_scan_socket {
	struct cg_tcp tcp;
	unsigned space;
	enum cg_scan_class class;
	struct cg_judgement judgement; /* for CLOSE_WAIT and dead ones; its age also where has_age */
	bool has_age;
	bool old;          /* for at least min_age, or for nobody knows how long; not a half-close in use */
	size_t first_hold; /* which hold it: holds of them, from here on; 0: no process that can be seen */
	unsigned holds;
	long owner;    /* index of the process that it is told under, the first that is wanted; or as above */
	long listener; /* index into listeners: it waits to be accepted; -1: it does not */
};

/* A listening address, perhaps of several sockets (SO_REUSEPORT): in whose queue one waits cannot be seen. */
struct cg_scan_listener {
	struct cg_tcp tcp; /* the first of them; rqueue and wqueue are the sums */
	unsigned space;
	unsigned sockets;
	long owner;         /* as a socket's */
	unsigned waiting;   /* ESTABLISHED and not accepted */
	unsigned abandoned; /* in CLOSE_WAIT and not accepted */
};

struct cg_scan {
	uint64_t min_age_ns;
	unsigned classes; /* bit 1 << enum cg_scan_class: to be told */
	unsigned failing; /* likewise: an old one makes the answer "no" */
	bool all;         /* no process was named */

	struct cg_scan_space *spaces;
	size_t space_count;
	struct cg_scan_process *processes;
	size_t process_count;
	struct cg_scan_hold *holds;
	size_t hold_count;
	struct cg_scan_socket *sockets;
	size_t socket_count;
	struct cg_scan_listener *listeners;
	size_t listener_count;
	uint64_t *others; /* inodes of connections in other states: neither dead nor worth telling. Sorted */
	size_t other_count;

	struct cg_scan_wait *waits; /* a hash table until cg_scan_waits_sort, NULL for none */

	unsigned unreadable; /* processes whose descriptors may not be read */
	unsigned elsewhere;  /* processes in namespaces that were not asked for */
	uint64_t found;      /* old sockets of the failing classes */
};

/* Room for one more in a list of `count` elements: returns it, zeroed, or NULL without memory. */
void *cg_scan_grow(void *list_pointer, size_t *count, size_t size);
void cg_scan_free(struct cg_scan *scan);

/* Notes every process and the sockets that it holds. Named ones (`pids`) that cannot be read are an error. */
int cg_scan_processes(struct cg_scan *scan, const pid_t *pids, size_t count);

/* Lists the namespaces of the processes; `all`: to look into each, not only into ours or those of the wanted ones. */
int cg_scan_spaces(struct cg_scan *scan, bool all);

/* Gathers the sockets of all wanted namespaces. -errno only where not even our own could be looked into. */
int cg_scan_kernel(struct cg_scan *scan);

/*
 * The sockets of the network namespace of `pid` from /proc/PID/net/tcp and tcp6, for where sock_diag is refused: no
 * times, no cookies.
 */
int cg_scan_procnet(pid_t pid, cg_diag_visit *visit, void *context);

/*
 * Counts one in TIME_WAIT for its service; leaves out again what a dump that failed has counted; sorts by count and
 * returns how many services there are.
 */
void cg_scan_waits_note(struct cg_scan *scan, unsigned space, const struct cg_tcp *tcp);
void cg_scan_waits_forget(struct cg_scan *scan, unsigned space);
size_t cg_scan_waits_sort(struct cg_scan *scan);

/* After that: the one with the i-th most, or NULL. */
const struct cg_scan_wait *cg_scan_waits_at(const struct cg_scan *scan, size_t i);

/* Finds owners, listeners and dead sockets, and judges. */
int cg_scan_judge(struct cg_scan *scan);

/*
 * Adds what only the descriptors tell: TCP sockets that the kernel lists nowhere, because they are in CLOSE. Before
 * cg_scan_judge.
 */
int cg_scan_dead(struct cg_scan *scan);

/* "close_wait", "dead_socket", …; and the other way round, where '-' is as good as '_': -EINVAL for none. */
const char *cg_scan_class_name(enum cg_scan_class class);
int cg_scan_class_parse(const char *name, enum cg_scan_class *ret);

/* Index of the process that a hold is of, whose holds of one inode stand together: true for the first of them. */
bool cg_scan_is_first_hold(const struct cg_scan *scan, const struct cg_scan_socket *socket, unsigned i);

/* In how many processes a socket is held. */
unsigned cg_scan_holders(const struct cg_scan *scan, const struct cg_scan_socket *socket);

/* Prints to stdout. `limit`: sockets listed for each process. */
void cg_scan_text(const struct cg_scan *scan, unsigned limit);
int cg_scan_json(const struct cg_scan *scan, unsigned limit);

/* The sockets of one owner, by class, the oldest first: returns a list of indices to be freed. */
size_t *cg_scan_of(const struct cg_scan *scan, long owner, size_t *ret_count);

#endif
