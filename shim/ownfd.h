/*
 * ownfd.h: closeguard's own descriptors, and those of the libraries it brought.
 *
 * They live at high numbers so that the app's own numbers are what they would be without us, are spared when the app
 * closes a range of descriptors it does not know, and look closed to it. An app that puts a file of its own over one
 * wins, and the number is forgotten.
 */
#ifndef CG_OWNFD_H
#define CG_OWNFD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True in a thread that has left the program's table of descriptors (unshare.h). Whatever it has open there is its own:
 * for such a thread taking is handing through, closing is closing, and all is valid. What is asked of a number
 * (cg_ownfd_is, cg_ownfd_next) is about the program's table in every thread.
 */
extern __thread bool cg_ownfd_unshared;

enum { CG_OWNFD_MAX = 192 }; /* 128 of them for connections that are being drained */

/*
 * Moves fd to a high number (close-on-exec) and registers it; the low one is closed. Returns the new number; fd itself,
 * registered, where nothing higher can be had; -EMFILE, fd closed, where the table is full. Any context.
 */
int cg_ownfd_take(int fd);

/* The same for a descriptor of a library that closeguard brought (libunwind's pipe): losing it matters to that library.
 */
int cg_ownfd_take_library(int fd);

/*
 * A registered duplicate of fd at a high number, at no time at a low one. Returns it or -errno. Any context.
 */
int cg_ownfd_dup(int fd);

/* Is this number one of ours? Any context. */
bool cg_ownfd_is(int fd);

/* Forgets the number without closing it: the app has put something else there. True when it was a library's. */
bool cg_ownfd_lose(int fd);

/* Closes and forgets. fd < 0 is fine. */
void cg_ownfd_close(int fd);

/* True while fd is registered and still the same file: device and inode as they were when it was taken. */
bool cg_ownfd_valid(int fd);

/* The lowest of our numbers within [from, to]; -1 for none. For closing ranges around them. Any context. */
int cg_ownfd_next(unsigned from, unsigned to);

#endif
