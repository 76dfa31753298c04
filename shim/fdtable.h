/*
 * fdtable.h: which descriptors are sockets, without /proc: opening that costs more than all else that a program without
 * sockets pays for us. Any context.
 */
#ifndef CG_FDTABLE_H
#define CG_FDTABLE_H

#include <stdbool.h>

/* True when fd is a socket of any kind. No file system is asked, which might be one that does not answer. */
bool cg_fdtable_is_socket(int fd);

/*
 * True when there is surely no socket among the process's descriptors. False also says "I do not know": a program with
 * descriptors above 255 has to be looked at in /proc.
 */
bool cg_fdtable_no_socket(void);

#endif
