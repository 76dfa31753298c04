/*
 * preload.h: our own entry in LD_PRELOAD, and the programs that it is not for.
 *
 * The loader of a program of another class (32 bits) or machine cannot take this library, and says so on the program's
 * stderr; so such a program is handed a list without us, and is not watched, nor is what it starts. Whatever is not
 * certain (a file that cannot be read, a format that is not known) keeps the list.
 *
 * All of it may be called in any context, in the child of a vfork too: nothing is allocated, no lock is taken, errno is
 * kept. The system calls are those that every loader makes at its start; in a sandbox there are none.
 */
#ifndef CG_PRELOAD_H
#define CG_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/* By which name the loader knows this library: read once, in the constructor. */
void cg_preload_init(void);

/*
 * How many bytes a copy of the environment without us takes, where the program at this path (as for execveat) is one
 * that we are not for; 0: it is to be handed over as it is.
 */
size_t cg_preload_room(int dir, const char *path, int flags, char *const envp[]);

/* The same for a program that is searched for in PATH, as execvp does. */
size_t cg_preload_room_in_path(const char *file, char *const envp[]);

/*
 * Makes that copy in a place of that size, aligned for pointers. Strings are shared with envp, but for LD_PRELOAD's.
 * What another thread adds meanwhile is left out.
 */
char *const *cg_preload_without(char *const envp[], void *place, size_t room);

/*
 * Copies a list of libraries without us to `out`, which may be the list itself. Returns the length; NUL comes after.
 * `tokens`: entries with $LIB and its like too, which a program of another class takes for another file, by the will of
 * whoever wrote them.
 */
size_t cg_preload_strip(const char *list, char *out, bool tokens);

#endif
