/*
 * log_target.h: what log.c and the files of its targets share; the quiet below also serves act_quiet.c.
 *
 * Each writer takes whole lines, returns 0 or -errno (or a reason below) and adds what did not arrive to *lost, but
 * nothing for -EMFILE and -ENFILE: then it has not begun and may be called again.
 */
#ifndef CG_LOG_TARGET_H
#define CG_LOG_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;

/* Why a file is refused, where the kernel has no errno for it: as negative as one. */
enum { CG_LOG_HARD_LINK = 5001, CG_LOG_FOREIGN_FILE, CG_LOG_FOREIGN_FOLDER, CG_LOG_SHARED_FOLDER };

/*
 * The folder of a log: owned by this process's user or root, and writable by nobody else: its own groups and whoever
 * may write to a folder with the sticky bit excepted. Before the file is opened, and perhaps made. Returns 0, -errno,
 * or one of the reasons above. Sweep and constructor only, like all here.
 */
int cg_log_trust_folder(const char *path);

/* The file itself, opened: owned by this process's user or root, without a second name. Returns as above. */
int cg_log_trust_file(const struct stat *st);

/* Remembers what stderr is. */
void cg_log_stderr_remember(void);
/* Can stderr not be opened anew, as it is now, from another table of descriptors? Any thread of the program's. */
bool cg_log_stderr_needs_table(void);
/* Is it shown on a terminal? */
bool cg_log_stderr_is_terminal(void);
int cg_log_stderr_write(const char *text, size_t len, uint64_t *lost);

/* Opens, and makes with this mode, what may be appended to. Returns a registered descriptor, or as above. */
int cg_log_file_open(const char *path, unsigned mode, struct stat *ret);
int cg_log_file_append(const char *path, unsigned mode, const char *text, size_t len, uint64_t *lost);

/* Keeps the file of that name open. A thread of the program's. */
void cg_log_kept_open(const char *path, unsigned mode);
/* The name of the file that is kept open; NULL: none. */
const char *cg_log_kept_path(void);
int cg_log_kept_append(const char *text, size_t len, uint64_t *lost);

int cg_log_syslog_send(const char *text, size_t len, int pid, uint64_t *lost);

/*
 * Writes to what may be full or abandoned (pipe, terminal, socket, and a file as well): at most 4096 bytes at a time,
 * lines kept whole where they fit, and gives up 200 ms after it began. *ret_written is set on failure too.
 */
int cg_log_pipe_write(int fd, bool is_socket, const char *text, size_t len, size_t *ret_written);

/* Sends one datagram; waits at most 200 ms for room. */
int cg_log_pipe_send(int fd, const char *text, size_t len);

/*
 * Between these two the thread receives none of the signals that a write may raise: SIGPIPE, SIGXFSZ at a file size
 * limit, SIGTTOU from a background job's terminal. What was raised in between is taken away, what was pending before
 * stays.
 */
struct cg_log_quiet {
	uint64_t mask, pending;
};
void cg_log_pipe_begin_quiet(struct cg_log_quiet *ret);
void cg_log_pipe_end_quiet(const struct cg_log_quiet *quiet);

#endif
