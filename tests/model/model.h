/*
 * model.h: what the parts of the model test share: the sockets it owns and the actors that work on them.
 *
 * The program holds no opinion of what closeguard should say; it knows only which descriptors are its own, so that it
 * never touches one that another thread has just been given.
 */
#ifndef MODEL_H
#define MODEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	MAX_ITEMS = 20, /* descriptors in a set: few enough that a finding can name all its sockets */
	MAX_PENDING = 6,
	MAX_GONE = 32,
	MAX_CHILDREN = 4,
	MAX_ACTORS = 8,
	HIGH_BASE = 400, /* above what the sets hold, below the smallest usual limit of 1024 */
	HIGH_SPAN = 60
};

enum what { FRESH, CONNECTED, LISTENING };

/* One socket, however many descriptors it has. All of them are in the same set. */
struct conn {
	int refs;
	enum what what;
	bool was_connected, refused;
	int peer; /* the far end's number at the peer process; -1: it is ours, closed or was never there */
	uint16_t port;
	int pending[MAX_PENDING]; /* far ends of the connections in the backlog, oldest first */
	int pendings;
};

struct item {
	int fd;
	FILE *file; /* fdopen'ed: to be closed by fclose */
	struct conn *conn;
};

struct set {
	pthread_mutex_t lock; /* held for a whole operation; uncontended in an actor's own set */
	struct item items[MAX_ITEMS];
	int count;
	int high; /* [high, high + HIGH_SPAN) are numbers that only this set uses */
};

struct actor {
	unsigned id;
	uint64_t random;
	unsigned step, steps;
	struct set own;
	int carrier[2];     /* a Unix socket pair for SCM_RIGHTS */
	int gone[MAX_GONE]; /* far ends of sockets that are closed here */
	int gones;
};

extern struct set shared;
extern bool verbose, with_unseen;

/* set.c: repeatable random numbers of an actor, and the bookkeeping. */
uint64_t pick(struct actor *a, uint64_t below);
bool chance(struct actor *a, unsigned percent);
struct item *set_add(struct set *s, int fd, struct conn *conn);
struct item *set_find(struct set *s, int fd);
void set_remove(struct actor *a, struct set *s, struct item *item);
void set_repoint(struct actor *a, struct item *item, struct conn *conn);
bool set_full(const struct set *s);
struct item *any_item(struct actor *a, struct set *s);
struct item *any_of(struct actor *a, struct set *s, enum what what);
struct item *any_with_peer(struct actor *a, struct set *s);
struct conn *conn_new(enum what what, int peer);

/* far.c: the peer process, asked and answered one request at a time. Results are -errno on failure. */
void far_init(int fd);
int far_ask(char op, int id, int arg);

/*
 * unseen.c: system calls that no preload library sees. Each number they touch is marked until a wrapped call gets it
 * again: what a recorder says of it may be stale. unseen_clear is for the result of a wrapped call.
 */
int unseen_close(int fd);
int unseen_dup3(int fd, int target);
int unseen_accept(int fd);
void unseen_clear(int fd);
void unseen_list(void);

/* children.c: forks. A child that stays ends when it is told to, or when the standard input of the model ends. */
void child_exits(struct actor *a);
void child_execs(struct actor *a);
void child_stays(struct actor *a);
void child_stop_one(struct actor *a);
void child_stop_all(void);
void child_list(void);

/* model.c: one line per operation with --verbose. */
void say(const struct actor *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void die(const char *what) __attribute__((noreturn)); /* for trouble of the test itself */

/* op_*.c: the operations. */
typedef void operation(struct actor *a, struct set *s);
operation op_listen, op_peer_connect, op_self_connect, op_accept, op_connect, op_fresh, op_refused;
operation op_dup, op_dup_high, op_dup_over, op_carry, op_cloexec, op_nonblock, op_linger, op_move;
operation op_close, op_close_high, op_shutdown;
operation op_read, op_read_to_end, op_write, op_stdio;
operation op_peer_write, op_peer_fin, op_peer_shut, op_peer_reset, op_peer_drain, op_peer_gone;
operation op_fork_exit, op_spawn, op_fork_stay, op_child_stop;

#endif
