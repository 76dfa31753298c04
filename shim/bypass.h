/*
 * bypass.h: does something in this process call libc past our wrappers?
 *
 * A library that was loaded with RTLD_DEEPBIND finds libc's functions before ours (PHP loads every extension so), and
 * Go programs call the kernel themselves. Their sockets are seen by nobody, so in such a process the sweep has to watch
 * /proc/self/fd without having been told of a first socket.
 */
#ifndef CG_BYPASS_H
#define CG_BYPASS_H

#include <stdbool.h>

/* Looks at the modules that are there at the start, and remembers which. Constructor. */
void cg_bypass_init(void);

/* Does a module that was there at the start import connect or accept? Constructor, after cg_bypass_init. */
bool cg_bypass_imports_sockets(void);

/* The modules that are there by now belong to the start. Constructor, after the last library of our own was loaded. */
void cg_bypass_mark_start(void);

/* How many namespaces dlmopen has made, where libc tells; and so many of them are ours and not the program's. */
unsigned cg_bypass_namespaces(void);
void cg_bypass_own_namespaces(unsigned count);

/* Is it time for a look? Two loads where no module was loaded since the start; else a clock that is read from the vdso.
 */
bool cg_bypass_due(void);

/*
 * Looks at modules loaded since, when there are any. True when one of them goes past us: the sweep is needed. Called on
 * slow paths while there is no recorder yet; a few nanoseconds when nothing was loaded. Not in signal handlers inside
 * dlopen: the loader's state is asked for first.
 */
bool cg_bypass_look(void);

/* True once something was found. */
bool cg_bypass_found(void);

/*
 * The program is about to load a module that may go past us (RTLD_DEEPBIND), or surely does (`surely`: a namespace of
 * its own, or nobody may look). It may make no call that is wrapped ever after: the sweep has to look for itself, from
 * now on. Notes that only. Any context, before the constructor too.
 */
void cg_bypass_expect(bool surely);
bool cg_bypass_expected(void);

#endif
