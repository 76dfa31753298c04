/*
 * suspects_parts.h: what the files that find suspects share. Sweep only.
 */
#ifndef CG_SUSPECTS_PARTS_H
#define CG_SUSPECTS_PARTS_H

#include "suspects.h"

struct cg_listing;

/* Adds a suspect. NULL where there is no memory. */
struct cg_suspect *cg_suspects_add(struct cg_sweep *sweep, int fd, const struct cg_slot *slot,
                                   const struct cg_tcp *tcp);

/*
 * The slot tells of a descriptor that is not open any more, or is no socket: closed past us. `gen` is the slot's from
 * before that was asked: one that was opened since is left alone.
 */
void cg_suspects_closed_unseen(struct cg_sweep *sweep, struct cg_slot *slot, uint32_t gen);

/* States that may be worth a finding. */
bool cg_suspects_state_matters(const struct cg_sweep *sweep, int state);

/*
 * The two ways to find suspects among the slots: by asking each descriptor, and by what sock_diag or /proc list. Both
 * fill in all that the kernel says of each, and *list where the sockets in CLOSE_WAIT were listed, which is the result;
 * `departed`: they are to be.
 */
bool cg_suspects_walk(struct cg_sweep *sweep, bool departed, struct cg_listing *list);
bool cg_suspects_survey(struct cg_sweep *sweep, bool departed, struct cg_listing *list);

/*
 * Was it opened or used just now, so that the program may be closing it at this moment? Whoever asks a descriptor, by a
 * call on it or by its link in /proc, holds the file while the kernel answers. A close in between is not the last one:
 * the FIN waits for us, and an epoll set goes on telling of a descriptor whose memory the program has freed. What is
 * busy is looked at in the next look; one that is thorough leaves nothing out.
 */
bool cg_suspects_is_busy(struct cg_sweep *sweep, const struct cg_slot *slot);

/* Is it the second way here? In a table of our own, or where descriptors do not answer. */
bool cg_suspects_are_surveyed(void);

/* The state of a connection that may be no suspect: enum cg_tcp_state, or 0 or -errno where it is not known. */
int cg_suspects_state_of(struct cg_sweep *sweep, int fd, struct cg_slot *slot);

/* Sockets do not answer, in this process, from now on; do they? */
void cg_suspects_survey_when_mute(void);
bool cg_suspects_sockets_are_mute(void);

void cg_suspects_survey_after_fork(void);

#endif
