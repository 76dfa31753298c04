/* unwind_walk.c: from frame to frame. */
#include "unwind_walk.h"

#include <stdint.h>

#include "unwind_arch.h"
#include "unwind_memcheck.h"
#include "unwind_memory.h"
#include "unwind_rule.h"

enum { LOWEST_CODE = 4096 };

struct frame {
	uintptr_t ip, sp, fp, lr;
	bool is_exact; /* ip was interrupted, it is no return address */
	bool cut;
	struct cg_stack_bounds stack;
};

static bool load(struct frame *frame, uintptr_t address, uintptr_t *ret)
{
	if (!cg_unwind_memory_reach(&frame->stack, address))
		return false;
	*ret = *(const volatile uintptr_t *)address; // NOLINT(performance-no-int-to-ptr)
	return true;
}

/* Everything that a table cannot tell is told by the kernel's own frame. */
static bool step_signal(struct frame *frame)
{
	uintptr_t registers = frame->sp + CG_SIGNAL_REGISTERS, ip, sp, fp, lr = 0;
	if (!load(frame, registers + CG_SIGNAL_FP, &fp) || !load(frame, registers + CG_SIGNAL_SP, &sp) ||
	    !load(frame, registers + CG_SIGNAL_IP, &ip) ||
	    (CG_SIGNAL_LR >= 0 && !load(frame, registers + (uintptr_t)CG_SIGNAL_LR, &lr)))
		return false;
	*frame = (struct frame){ip, sp, fp, lr, true, false, cg_unwind_memory_around(sp)};
	return true;
}

/* A frame pointer is believed when it leads up this stack, to what may be code. */
static bool guess(struct frame *frame)
{
	uintptr_t ip, fp;
	if (frame->fp < frame->sp || !load(frame, frame->fp, &fp) ||
	    !load(frame, frame->fp + sizeof(uintptr_t), &ip) || cg_unwind_plain(ip) < LOWEST_CODE)
		return false;
	frame->sp = frame->fp + 2 * sizeof(uintptr_t);
	frame->fp = fp;
	frame->ip = cg_unwind_plain(ip);
	return true;
}

static bool step_guessed(struct frame *frame)
{
	cg_memcheck_begin();
	bool moved = guess(frame);
	cg_memcheck_defined(&moved, sizeof moved);
	cg_memcheck_defined(frame, sizeof *frame);
	cg_memcheck_end();
	return moved;
}

static bool step_by(struct frame *frame, struct cg_rule rule)
{
	uintptr_t base = rule.kind == CG_RULE_FROM_SP ? frame->sp : frame->fp, cfa = base + (uintptr_t)(long)rule.cfa;
	uintptr_t ip = frame->lr, fp = frame->fp;
	if (rule.kind == CG_RULE_LOADED && !load(frame, cfa, &cfa))
		return false;
	if (cfa < frame->sp || (cfa == frame->sp && !frame->is_exact))
		return false;
	if (!rule.ra_in_lr && !load(frame, cfa + (uintptr_t)(long)rule.ra, &ip))
		return false;
	if (rule.fp_kind == CG_FP_AT_CFA && !load(frame, cfa + (uintptr_t)(long)rule.fp, &fp))
		return false;
	if (rule.fp_kind == CG_FP_AT_FP && !load(frame, frame->fp + (uintptr_t)(long)rule.fp, &fp))
		return false;
	frame->sp = cfa;
	frame->fp = fp;
	frame->ip = rule.is_signed ? cg_unwind_plain(ip) : ip;
	return true;
}

/* False at the outermost frame, and where it goes no further. */
static bool step(struct frame *frame)
{
	struct cg_rule rule = cg_rule_find(frame->ip - !frame->is_exact);
	bool moved = false;
	switch (rule.kind) {
	case CG_RULE_OUTERMOST:
		return false;
	case CG_RULE_SIGNAL:
		moved = step_signal(frame);
		break;
	case CG_RULE_NONE:
	case CG_RULE_NO_ENTRY:
		if (rule.kind == CG_RULE_NO_ENTRY && cg_unwind_is_sigreturn(frame->ip))
			moved = step_signal(frame);
		else if ((moved = step_guessed(frame)))
			frame->is_exact = false;
		break;
	case CG_RULE_TOO_HARD:
		break;
	default:
		if ((moved = step_by(frame, rule)))
			frame->is_exact = false;
	}
	frame->cut = rule.kind == CG_RULE_TOO_HARD;
	return moved && frame->ip >= LOWEST_CODE;
}

unsigned __attribute__((noinline)) cg_unwind_walk(void **ip, unsigned max, bool *ret_cut)
{
	uintptr_t own = (uintptr_t)__builtin_frame_address(0);
	struct frame frame = {.ip = cg_unwind_plain((uintptr_t)__builtin_return_address(0)),
	                      .sp = (uintptr_t)__builtin_dwarf_cfa(),
	                      .fp = *(const uintptr_t *)own}; // NOLINT(performance-no-int-to-ptr)
	unsigned n = 0;
	frame.stack = cg_unwind_memory_around(frame.sp);
	while (n < max) {
		ip[n++] = (void *)frame.ip; // NOLINT(performance-no-int-to-ptr)
		if (!step(&frame))
			break;
	}
	*ret_cut = frame.cut;
	return n;
}

unsigned __attribute__((noinline)) cg_unwind_walk_fp(void **ip, unsigned max)
{
	uintptr_t own = (uintptr_t)__builtin_frame_address(0);
	struct frame frame = {.sp = own, .fp = own, .stack = cg_unwind_memory_around(own)};
	unsigned n = 0;
	while (n < max && step_guessed(&frame))
		ip[n++] = (void *)frame.ip; // NOLINT(performance-no-int-to-ptr)
	return n;
}
