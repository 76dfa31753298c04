/*
 * log.h: where finished lines go: stderr, syslog, a file, or nowhere. Never stdout.
 *
 * Sweep and constructor only, one thread at a time. Never blocks for more than a moment, never raises SIGPIPE in the
 * app, never writes into a descriptor that the app has put a socket of its own on.
 */
#ifndef CG_LOG_H
#define CG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CG_LOG_PATH_MAX = 1024 };

/* What the log needs to know of its process. */
struct cg_log_config {
	const char *target; /* CLOSEGUARD_LOG */
	const char *app, *host;
	int pid;
	unsigned mode; /* of a file that is made; 0: 0600 */
	uint64_t start_realtime_ns;
};

/*
 * Takes the target over; %p %e %h %t %% in a path are replaced (%t is "20260301T120000Z"; %e's and %h's slashes become
 * '_'); a relative path means the directory of the first call; nothing is opened yet. Returns 0 or -EINVAL (a path that
 * is too long, a %-letter that does not exist); the log then goes to stderr.
 * To be called again in a forked child, whose pid differs. Remembers what stderr is now (device and inode); a socket
 * or a file read and written at will that came there since the first call is taken for the app's.
 */
int cg_log_init(const struct cg_log_config *config);

/*
 * Writes text[0..len), whole lines. A file is opened for the batch (O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600,
 * each directory must be there) and closed again, which also follows a rotation; parts that a full disk took are not
 * left as half a line: the file is cut back to where the batch began (ftruncate, only when nobody else appended). Where
 * that does not go, stderr is told once. A hard link, a file of another user's (root's excepted) or one in a folder
 * that others may write to is refused. syslog is a datagram to /dev/log, a line each, LOG_DAEMON | LOG_WARNING, tag
 * closeguard. stderr is written only when it is what it was at cg_log_init or no socket at all, and never when it was
 * closed then, is an internet socket, or has become a file that is read and written at will; at most 4096 bytes at a
 * time after poll says there is room; gives up on a stuck pipe after 200 ms. Returns 0 or negative. errno is preserved.
 * `reserve_fd` (a close-on-exec /dev/null) is closed for the duration when open() fails with EMFILE or ENFILE, and
 * opened again, perhaps at another number; it becomes -1 where the app has taken its number. NULL or -1: none.
 */
int cg_log_write(const char *text, size_t len, int *reserve_fd);

/*
 * Does writing need the program's own table of descriptors, or that they can be taken over from it? So it is for a
 * stderr that is a socket, or a file whose offset is the program's. Any thread of the program's.
 */
bool cg_log_needs_table(void);

/*
 * The descriptors are running out: a file stays open from now on, where the thread is in the program's table, in which
 * others are quicker to take the reserve. Sweep only.
 */
void cg_log_keep_in_full_table(void);

/*
 * Does whoever reads the target later want to know when a line was written? Not at a terminal, nor of syslog, which
 * says so by itself. Sweep and constructor only.
 */
bool cg_log_takes_time(void);

/*
 * The process is about to change its user or its root: if it is root's, a file is opened now, and stays open for when
 * it cannot be opened any more. In a forked child what its parent had opened serves until then. A thread of the
 * program's, in whose table of descriptors it is.
 */
void cg_log_keep(void);

/* Bytes that could not be written since the last call, for a line that says so. */
uint64_t cg_log_lost(void);

/* Where syslog listens, "/dev/log". For tests, which leave the real one alone. */
extern const char *cg_log_syslog_path;

#endif
