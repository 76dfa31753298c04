/*
 * suspects.h: what the pieces of a sweep hand to each other. One sweep at a time; sweep thread or exiting thread.
 */
#ifndef CG_SUSPECTS_H
#define CG_SUSPECTS_H

#include "act_parts.h"
#include "arena.h"
#include "detect.h"
#include "procfs_holders.h"
#include "track_claims.h"

/* One socket that may have something wrong with it. */
struct cg_suspect {
	struct cg_suspect *next;
	struct cg_suspect *next_of_group; /* of those that are old enough to be told; after groups were built */
	struct cg_facts facts;
	struct cg_judgement judgement;
	int rule;            /* of the policy, or negative */
	unsigned own_fds;    /* descriptors of this process that refer to it */
	enum cg_held held;   /* by others, where asked */
	bool opener_unseen;  /* and a process that this one was forked from could not be looked into */
	enum cg_claim claim; /* of a shared listener's backlog */
	bool asked;
	int polled_by;    /* the epoll descriptor that watches it, -1: none, -2: not known; after find_polls */
	unsigned holders; /* other processes that were seen to hold it */
	pid_t shared_with[CG_HOLDERS_SHOWN];
};

struct cg_sweep {
	struct cg_arena arena; /* reset after each sweep */
	bool netlink_refused;
	uint64_t now_ns;
	uint64_t warn_after_ns;
	struct cg_suspect *suspects;
	unsigned suspect_count;
	unsigned open_fds;    /* of any kind, as of the last look at /proc/self/fd; 0: not looked */
	uint64_t ripe_in_ns;  /* until the next suspect is old enough to be told; 0: there is none */
	bool thorough;        /* asked for: nothing is put off */
	bool final;           /* nothing will be looked at later: what is ripe is told at once */
	bool ending;          /* the same, and the program is about to end */
	bool strict;          /* a gate asks, the exit code or closeguard_check: enough that the end was read */
	bool one_age;         /* warn_after_ns is for all, whatever the policy says of some */
	bool exhausted;       /* descriptors have run out, which is about to be told, and all suspects, however young */
	uint64_t usual_ns;    /* warn_after_ns as it would be otherwise */
	bool outdated;        /* slots told of sockets that are gone: what has their numbers now is to be adopted */
	bool doubted;         /* an end that was read unseen may have been read just now: another look tells */
	bool waiting;         /* a listener has a backlog, or something is on its way to being a finding */
	uint64_t adopted_ns;  /* when /proc/self/fd was last gone through, or 0 */
	uint64_t departed_ns; /* when the departed were last looked for, or 0 */
	bool departed_found;  /* and there were some */
	uint64_t looked_ns;   /* when this look began, */
	uint64_t before_ns;   /* and the one before it; 0: there was none */
	bool spared;          /* some was passed over in this look, since it was in use */
	uint64_t around_ns;   /* when the uses of all connections were last looked at */
	bool blind;           /* nothing could be seen of the program's descriptors from the thread's own table */
	unsigned unanswered;  /* connections of which the kernel would say nothing in this look */
	uint64_t rest_ns;     /* what was listed was so dear that the next look is not to come before that */
	unsigned rotor;       /* where the walk over quiet sockets stopped */
	uint64_t forecast_ns; /* until the descriptors run out at the rate of the leaks; 0: no such rate */
	bool polls_found;     /* polled_by of the suspects is filled in */
	bool fin_wait2;       /* the policy asks for connections that wait in FIN_WAIT2 */
	/* Fills in what the policy says of a suspect: rule, warn_after, fin_wait2_after. NULL: there is none. */
	void (*decide)(const struct cg_sweep *sweep, struct cg_suspect *suspect);
	pid_t parent; /* the process that this one was forked from; 0: not known to be forked */
};

/* A look begins: sweep->now_ns is set. From here on walks over /proc leave busy connections alone. */
void cg_suspects_begin(struct cg_sweep *sweep);

/*
 * Adopts sockets that nobody told us of, when it is time for that, and resurrects slots whose close did not happen. A
 * socket is adopted when it was there in two looks running, so that a wrapper that is about to record it is not
 * overtaken.
 */
void cg_adopt_look(struct cg_sweep *sweep, bool now);

/* Was something found that the next look will adopt? */
bool cg_adopt_pending(void);

/* Finds the suspects and everything that the kernel says of them. */
void cg_suspects_collect(struct cg_sweep *sweep);

/*
 * Notes which places are in use, and of suspects whose end was read whether the reading thread is still at it or relays
 * between two connections. Before the judgement.
 */
void cg_suspects_look_around(struct cg_sweep *sweep);

/*
 * Notes for each place how many of its suspects were in use, and how many were alive, at the same time. Looks may be
 * seconds apart, so what was between two of them is told from when each was opened, last used, and closable. The ages
 * have to be judged.
 */
void cg_suspects_note_peaks(struct cg_sweep *sweep);

/* Counts for each place how many peers its overdue sockets have, and tells each whether its place was used since. */
void cg_suspects_count_peers(struct cg_sweep *sweep);

/* When the connection was last used, to a tenth of a second; 0: not since it is known. */
uint64_t cg_suspects_last_use(const struct cg_slot *slot);

/*
 * Which other processes hold the suspects' sockets: from /proc, remembered for some seconds. held is CG_HELD_NOT_YET
 * where there was no time for an answer.
 */
void cg_suspects_find_holders(struct cg_sweep *sweep, struct cg_suspect *const *suspects, unsigned count);

/* Decides of all suspects that will be told which are another process's to tell: one walk of /proc is enough. */
void cg_suspects_settle_shared(struct cg_sweep *sweep);
void cg_suspects_shared_after_fork(void);

/* Could another process hold it, by what the record knows? */
bool cg_suspects_may_be_shared(const struct cg_suspect *suspect);

/* Answers questions before something is done to connections; walks /proc for a bounded time. */
void cg_suspects_ask_holders(const struct cg_act_question *questions, unsigned count, enum cg_held *ret);

/* What follows from a walk and from what the record knows. No system call. */
enum cg_held cg_holders_judge(const struct cg_holders *found, const struct cg_holders_view *view,
                              const struct cg_share *share);

/* Which epoll set watches each suspect: one look at all sets, once in a sweep, when something is to be told. */
void cg_suspects_find_polls(struct cg_sweep *sweep);

/* Fills in what needs a look at several sockets (relays, closed siblings, histories) and judges every suspect. */
void cg_suspects_judge(struct cg_sweep *sweep);

#endif
