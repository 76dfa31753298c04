/*
 * procfs_tcp.h: what sock_diag tells, but for the times, from /proc/net/tcp and tcp6. Dearer: see cg_diag_dump for the
 * rest.
 */
#ifndef CG_PROCFS_TCP_H
#define CG_PROCFS_TCP_H

#include "tcpstate.h"

/* Calls visit for each TCP socket of this network namespace, in any state. Returns 0, visit's value or -errno. */
int cg_proc_tcp(cg_diag_visit *visit, void *context);

#endif
