/*
 * suspects_survey.h: the slots of one look, and what the kernel lists of them. Sweep only.
 */
#ifndef CG_SUSPECTS_SURVEY_H
#define CG_SUSPECTS_SURVEY_H

#include "suspects.h"
#include "suspects_listing.h"
#include "suspects_seen.h"

struct cg_found {
	int fd;
	struct cg_slot *slot;
	struct cg_seen *seen;
	struct cg_tcp tcp;
	bool listener, listed, missing;
	bool checked;          /* the slot was compared with /proc in this look */
	struct cg_found *next; /* with the same place in the table of inodes */
};

struct cg_survey {
	struct cg_sweep *sweep;
	struct cg_listing *list;
	struct cg_found *found;
	struct cg_found **by_inode;
	unsigned count, room, listeners, looks;
	bool answered;     /* the kernel lists sockets here */
	bool moved;        /* /proc shows the descriptors by another thread now */
	uint32_t closable; /* states that are of interest by themselves */
	uint32_t states;   /* those that were listed */
};

/* Sets of states, as sock_diag takes them. All are those of sockets that a descriptor may be of, but for CLOSE. */
static const uint32_t CG_SURVEY_CLOSE_WAIT = 1u << CG_TCP_CLOSE_WAIT, CG_SURVEY_LISTEN = 1u << CG_TCP_LISTEN,
                      CG_SURVEY_ALL = 1u << CG_TCP_ESTABLISHED | 1u << CG_TCP_SYN_SENT | 1u << CG_TCP_FIN_WAIT1 |
                                      1u << CG_TCP_FIN_WAIT2 | 1u << CG_TCP_CLOSE_WAIT | 1u << CG_TCP_LAST_ACK |
                                      1u << CG_TCP_LISTEN | 1u << CG_TCP_CLOSING;

/*
 * Asks the kernel about what was found, in the cheapest way that tells: of each `listed` and `tcp`, or `missing` where
 * it was asked for alone and is not there. `departed`: the sockets in CLOSE_WAIT are to be listed too. False when it
 * does not answer.
 */
bool cg_survey_ask(struct cg_survey *s, bool departed);

/* The same for one whose addresses were seen. */
void cg_survey_query(struct cg_survey *s, struct cg_found *f);

void cg_survey_ask_after_fork(void);

#endif
