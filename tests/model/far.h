/* far.h: what the model asks of the peer process, one message each way over a SOCK_SEQPACKET pair. */
#ifndef FAR_H
#define FAR_H

/*
 * op: 'l' the port of the peer's listener; 'c' connect to port arg, the answer is the far end's id; 'a' the id of the
 * connection that came from port arg; 'w' write arg bytes; 'd' drain; 's' shutdown for writing; 'f' drain and close;
 * 'r' reset by SO_LINGER 0. The answer is -errno on failure.
 */
struct far_request {
	char op;
	int id;
	int arg;
};

#endif
