/*
 * recorder_dir.h: the recorder's file and the directory it lives in.
 */
#ifndef CG_RECORDER_DIR_H
#define CG_RECORDER_DIR_H

#include <stdint.h>

/* Where recorders live; "" for /dev/shm/closeguard-<uid>. Copied. */
void cg_recorder_dir_set(const char *dir);

/*
 * Makes a new file (0600) in the directory (made 0700, or verified: ours, not writable by others, no symlink). Returns
 * a descriptor that is registered with ownfd, or -1, and notes why. Any context.
 */
int cg_recorder_create_file(void);

/* Removes the file that create_file made for fd, which lost a race; keeps it as the process's own; forgets it. */
void cg_recorder_remove_file(int fd);
void cg_recorder_keep_file(int fd);
void cg_recorder_remove_kept(void);

/* In a forked child: closes the parent's descriptor and forgets the name without removing it. */
void cg_recorder_forget_file(void);

/* Field 22 of /proc/self/stat, 0 when it cannot be read. */
uint64_t cg_recorder_process_start(void);

/*
 * The file that is kept once more: for a thread in another table of descriptors, taken over from the program's
 * (`programs_fd`, or negative), also when the user has changed since; else opened by its name. Returns a descriptor, at
 * any number, for the caller to close, or -errno. Any context.
 */
int cg_recorder_reopen_file(int programs_fd);

#endif
