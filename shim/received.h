/*
 * received.h: descriptors that come and go in control messages.
 */
#ifndef CG_RECEIVED_H
#define CG_RECEIVED_H

#include <sys/socket.h>

/* Records the TCP sockets among the descriptors that a message brought. After the real call, inside CG_EVENT. */
void cg_received_take(struct msghdr *msg);

/* Marks the TCP sockets that a message passes on: another process holds them from now on. Inside CG_EVENT. */
void cg_received_give(const struct msghdr *msg);

#endif
