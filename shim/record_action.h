/*
 * record_action.h: the part of the recorder's layout that tells what a policy did.
 */
#ifndef CG_RECORD_ACTION_H
#define CG_RECORD_ACTION_H

#include <stdatomic.h>
#include <stdint.h>

/* What a policy does, or would do. */
enum cg_action_kind {
	CG_ACTION_NONE,
	CG_ACTION_KEEPALIVE,
	CG_ACTION_USER_TIMEOUT,
	CG_ACTION_LINGER,
	CG_ACTION_DRAIN,
	CG_ACTION_FIN_TIMEOUT,
	CG_ACTION_RTO_MAX,
	CG_ACTION_REAP,
	CG_ACTION_FIN_WAIT2,
	CG_ACTION_SETSOCKOPT,
	CG_ACTION_COUNT
};
enum cg_action_phase { CG_AT_OPEN = 1, CG_AT_CLOSE, CG_AT_EOF, CG_AT_SHUTDOWN, CG_AT_SETSOCKOPT };
enum cg_action_result {
	CG_RESULT_WOULD = 1, /* observe mode: nothing was done */
	CG_RESULT_DONE,
	CG_RESULT_FAILED,  /* `error` says why */
	CG_RESULT_REFUSED, /* `reason` says why */
	CG_RESULT_COUNT
};
enum cg_action_reason {
	CG_REASON_NONE,
	CG_REASON_SHARED,     /* another descriptor or process holds the connection */
	CG_REASON_UNKNOWN,    /* who else holds it cannot be known here */
	CG_REASON_APP_LINGER, /* the program chose how to close it: it has set SO_LINGER */
	CG_REASON_BUDGET,     /* so many are being drained already */
	CG_REASON_NO_THREAD,  /* nobody is there to drain it behind the program's back */
	CG_REASON_TIME,       /* a drain that ended because its time was over */
	CG_REASON_BYTES,      /* the same, its bytes */
	CG_REASON_OLD_KERNEL, /* the kernel has no such option */
	CG_REASON_DENIED,     /* a setsockopt that was answered and not made */
	CG_REASON_STREAM,     /* stdio writes past our wrappers, which could not hold back the SIGPIPE */
	CG_REASON_COUNT
};

/* All decisions of one rule with the same outcome at one place, and the last of them as an example. */
struct cg_action {
	_Atomic uint64_t key; /* of what makes it one; 0: free */
	_Atomic uint8_t kind; /* enum cg_action_kind, … in order; set last: until then there is nothing to read */
	uint8_t phase;
	uint8_t result;
	uint8_t reason;
	int32_t error;
	uint32_t stack; /* where the connection was opened; for setsockopt, of the call */
	uint32_t rule;
	_Atomic uint64_t count;
	_Atomic uint64_t used_again; /* of those: how many the program used afterwards */
	_Atomic uint64_t last_ns;
	uint64_t logged;       /* of count, and … */
	uint64_t logged_again; /* … of used_again: what the log has. Sweep only */
	uint64_t logged_ns;
	_Atomic uint32_t gen; /* odd: the example is being rewritten */
	int32_t fd;
	uint8_t local[16], peer[16]; /* IPv4 mapped; all zero: not known */
	uint16_t local_port, peer_port;
	int32_t level, name; /* of the option, for setsockopt */
	uint32_t value;      /* seconds or milliseconds, where there is one */
	uint32_t call;       /* enum cg_call: what opened it, or the setsockopt */
	char rule_name[48];
};

#endif
