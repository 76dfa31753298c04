/*
 * act_parts.h: what the files of the actions share with each other and with the sweep.
 */
#ifndef CG_ACT_PARTS_H
#define CG_ACT_PARTS_H

#include "act.h"
#include "tcpstate.h"
#include "track_share.h"

#include <sys/types.h>

struct cg_policy_rule;

/*
 * The policy in force, or NULL; what it points to stays until the leave. Rules that are needed longer are copied: a
 * policy that was replaced is given back once nobody is between these two.
 */
const struct cg_policy *cg_act_enter(void);
void cg_act_leave(void);

/*
 * Puts another policy in force; it was mapped by the caller, and is unmapped here some time after its turn. NULL: none.
 * Constructor and sweep.
 */
void cg_act_set_policy(struct cg_policy *policy);

/* Gives back policies that were replaced. Sweep only. */
void cg_act_collect_policies(void);

/* Counts up with each policy that comes into force. */
uint32_t cg_act_serial(void);

/* Which rule is for the connection behind fd: its index, CG_POLICY_NO_RULE or CG_POLICY_UNDECIDED. */
int cg_act_rule(const struct cg_policy *policy, int fd, const struct cg_slot *slot);

/* The same for a connection whose addresses the sweep has: no system call. */
int cg_act_rule_of(const struct cg_policy *policy, const struct cg_slot *slot, const struct cg_tcp *tcp);

/*
 * For rules that ask for the site: which of them fit the opening stack. The sweep fills in what it has named; `final`
 * says that no more names will come. Forgotten when another policy comes into force.
 */
bool cg_act_site_known(uint32_t stack);
void cg_act_site_set(uint32_t stack, uint64_t bits);

/* An address as rules compare it: IPv4 mapped. */
void cg_act_map_address(const struct cg_addr *from, uint8_t ret[16]);

/* One decision. */
struct cg_act_note {
	enum cg_action_kind kind;
	enum cg_action_phase phase;
	enum cg_action_result result;
	enum cg_action_reason reason;
	int error; /* errno, for FAILED */
	unsigned rule;
	const char *rule_name;
	uint32_t stack;
	unsigned call; /* enum cg_call */
	int fd;
	const struct cg_tcp *tcp; /* addresses of the example, or NULL: asked for, at the first of a kind */
	int level, name;
	uint32_t value;
};

/* Counts it. Returns its place, NULL where there is no recorder or no room. */
struct cg_action *cg_act_note(const struct cg_act_note *note);

/* What a rule wants of a close; copied, since the policy may be replaced while a drain lasts. */
struct cg_act_plan {
	unsigned rule;
	char rule_name[48];
	uint32_t stack;
	unsigned call;
	uint8_t linger; /* enum cg_policy_linger */
	uint16_t linger_s;
	int32_t fin_timeout_s;
	uint32_t user_timeout_ms, rto_max_ms;
	uint32_t drain_ms, drain_bytes;
	bool enforce;
};

/* Sets what the plan says on a socket that is about to be closed. `lingers`: a linger time may be set, which blocks. */
void cg_act_apply_close(int fd, const struct cg_act_plan *plan, bool lingers);

/* Notes an outcome of the plan's drain. */
void cg_act_note_drain(const struct cg_act_plan *plan, int fd, enum cg_action_result result,
                       enum cg_action_reason reason);

/* Nothing of the plan is carried out: notes each of its parts as refused. */
void cg_act_note_refused(const struct cg_act_plan *plan, int fd, enum cg_action_reason reason);

/*
 * Drains a socket of a thread that may block: half-closes, reads and discards until the end, the time or the bytes are
 * over.
 */
void cg_act_drain_here(int fd, const struct cg_act_plan *plan);

/*
 * Takes a duplicate of fd into the table, to be drained by the sweep thread, or by the caller's own where `here`.
 * `ask`: who else holds the connection has to be found out first, `share` being what is known of that. `renamed`: it
 * has had another number. Returns its place + 1, or 0 and why not.
 */
struct cg_act_drain {
	bool ask, here, inherited, renamed;
	struct cg_share share;
};
int cg_act_drain_take(int fd, const struct cg_act_plan *plan, struct cg_act_drain how, enum cg_action_reason *ret_why);

/* The descriptor is closed: the drain begins. Not closed: it is called off. */
void cg_act_drain_begin(int place, bool closed);

/* Does another process hold the connection? What cannot be known is no "no"; not yet: ask again. */
enum cg_held { CG_HELD_NO, CG_HELD_YES, CG_HELD_UNKNOWN, CG_HELD_NOT_YET };

/*
 * The turn to ask who else holds the connection behind fd, a duplicate of ours: false while another process has it. It
 * ends by leave, or when fd is closed. Sweep thread only.
 */
bool cg_act_turn_take(int fd);
void cg_act_turn_leave(int fd);

/* An answer that is older than since_ns (CLOCK_MONOTONIC) is none. */
struct cg_act_question {
	uint64_t inode, since_ns;
	struct cg_share share;
};
typedef void cg_act_holders(const struct cg_act_question *questions, unsigned count, enum cg_held *ret);

/*
 * What there is to do for drains now; `holders` answers questions. Returns the time until it should be called again in
 * ns, 0 where there is none. Sweep thread only.
 */
uint64_t cg_act_drain_run(cg_act_holders *holders);

/* Waits until one of them has something to read, at most so long. Sweep thread only. */
void cg_act_drain_wait(uint64_t most_ns);

/* Set by the sweep: can its thread drain what is handed over? Any context. */
extern bool (*cg_act_has_thread)(void);
/* The same: there is something to drain. */
extern void (*cg_act_wake)(void);

/* Are any under way? Any context. */
bool cg_act_draining(void);

/* In the child of a fork: the duplicates are the parent's business. */
void cg_act_after_fork(void);

/*
 * Takes fd out of the epoll sets that it may be in: a duplicate would keep it there. `inherited`: sets that came with
 * it from the parent are the parent's. False: which sets there are cannot be known.
 */
bool cg_act_unpoll(int fd, bool inherited);

/*
 * Is the connection behind fd in a set still, under a number that it no longer has? Nobody could take it out of there.
 * True where that cannot be known.
 */
bool cg_act_polled_by_another_name(int fd);
void cg_act_poll_after_fork(void);
/* The epoll descriptors of this process, as of the last look. Sweep only. */
void cg_act_set_epolls(const int *fds, unsigned count);

/*
 * Ends the connection behind fd for good, after making sure that it still is the one with this identity and in this
 * state, on a private duplicate. FIN_WAIT2 is ended by a reset, CLOSE_WAIT by shutdown. Returns 0 or -errno: -ESTALE
 * for another socket, -EALREADY for another state. Sweep thread only.
 */
int cg_act_end_connection(int fd, uint64_t inode, uint64_t cookie, int state, uint32_t user_timeout_ms);

#endif
