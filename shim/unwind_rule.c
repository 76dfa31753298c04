/* unwind_rule.c: runs the instructions of a function's entry up to a place in its code. */
#include "unwind_rule.h"

#include "unwind_table.h"

#ifdef __x86_64__
enum { REGISTER_FP = 6, REGISTER_SP = 7, HAS_LINK_REGISTER = 0 };
#else
enum { REGISTER_FP = 29, REGISTER_SP = 31, HAS_LINK_REGISTER = 1 };
#endif

enum { UNTOUCHED, AT_CFA, AT_FP, UNDEFINED, UNKNOWN }; /* where a register of the caller's is */

struct place {
	uint8_t kind;
	int64_t offset;
};

struct row {
	uint8_t cfa_kind; /* cg_rule_kind */
	bool is_signed;
	int64_t cfa;
	struct place fp, ra;
};

/* Instructions keep some rows aside and come back to them; compilers nest this once. */
enum { NESTED = 6 };

struct run {
	struct cg_unwind_entry entry;
	uint64_t pc, location;
	struct row row, first; /* first: as the CIE leaves it */
	struct row aside[NESTED];
	unsigned count;
	bool bad;
};

static struct place *place_of(struct run *run, uint64_t number)
{
	if (number == REGISTER_FP)
		return &run->row.fp;
	return number == run->entry.ra_register ? &run->row.ra : NULL;
}

static void set_place(struct run *run, uint64_t number, uint8_t kind, int64_t offset)
{
	struct place *place = place_of(run, number);
	if (place)
		*place = (struct place){kind, offset};
}

static void set_cfa_register(struct run *run, uint64_t number)
{
	run->row.cfa_kind = number == REGISTER_SP   ? CG_RULE_FROM_SP
	                    : number == REGISTER_FP ? CG_RULE_FROM_FP
	                                            : CG_RULE_TOO_HARD;
}

static struct cg_bytes block(struct cg_bytes *from)
{
	uint64_t size = cg_bytes_uleb(from);
	struct cg_bytes ret = {.at = from->at, .end = from->at};
	if (size > (uint64_t)(from->end - from->at)) {
		from->bad = true;
		size = 0;
	}
	ret.end = from->at += size;
	return ret;
}

/*
 * Compilers write two expressions, for frames that they align: the word at the frame pointer + n, and that address
 * itself. All others (the table of jumps into other modules has one) are too hard.
 */
static bool is_at_fp(struct cg_bytes expression, bool loaded, int64_t *offset)
{
	enum { OP_DEREF = 0x06, OP_BREG0 = 0x70 };
	if (cg_bytes_fixed(&expression, 1) != OP_BREG0 + REGISTER_FP)
		return false;
	*offset = cg_bytes_sleb(&expression);
	if (loaded && cg_bytes_fixed(&expression, 1) != OP_DEREF)
		return false;
	return !expression.bad && expression.at == expression.end;
}

static void cfa_expression(struct run *run, struct cg_bytes *from)
{
	int64_t offset = 0;
	run->row.cfa_kind = is_at_fp(block(from), true, &offset) ? CG_RULE_LOADED : CG_RULE_TOO_HARD;
	run->row.cfa = offset;
}

static void place_expression(struct run *run, struct cg_bytes *from)
{
	int64_t offset = 0;
	uint64_t number = cg_bytes_uleb(from);
	bool plain = is_at_fp(block(from), false, &offset);
	set_place(run, number, plain ? AT_FP : UNKNOWN, offset);
}

static void restore(struct run *run, uint64_t number)
{
	if (number == REGISTER_FP)
		run->row.fp = run->first.fp;
	else if (number == run->entry.ra_register)
		run->row.ra = run->first.ra;
}

static void keep_aside(struct run *run)
{
	if (run->count == NESTED)
		run->bad = true;
	else
		run->aside[run->count++] = run->row;
}

static void take_back(struct run *run)
{
	if (run->count)
		run->row = run->aside[--run->count];
	else
		run->bad = true;
}

/* Those of DW_CFA_… that say where a register is. */
static bool register_instruction(struct run *run, struct cg_bytes *from, uint64_t op)
{
	uint64_t number;
	int64_t align = run->entry.data_align;
	switch (op) {
	case 0x05: /* offset_extended */
	case 0x11: /* offset_extended_sf */
	case 0x2f: /* GNU_negative_offset_extended */
		number = cg_bytes_uleb(from);
		set_place(run, number, AT_CFA,
		          op == 0x11   ? cg_bytes_sleb(from) * align
		          : op == 0x05 ? (int64_t)cg_bytes_uleb(from) * align
		                       : -(int64_t)cg_bytes_uleb(from) * align);
		return true;
	case 0x06: /* restore_extended */
		restore(run, cg_bytes_uleb(from));
		return true;
	case 0x07: /* undefined */
		set_place(run, cg_bytes_uleb(from), UNDEFINED, 0);
		return true;
	case 0x08: /* same_value */
		set_place(run, cg_bytes_uleb(from), UNTOUCHED, 0);
		return true;
	case 0x09: /* register */
	case 0x14: /* val_offset */
		set_place(run, cg_bytes_uleb(from), UNKNOWN, 0);
		(void)cg_bytes_uleb(from);
		return true;
	case 0x15: /* val_offset_sf */
		set_place(run, cg_bytes_uleb(from), UNKNOWN, 0);
		(void)cg_bytes_sleb(from);
		return true;
	case 0x10: /* expression */
		place_expression(run, from);
		return true;
	case 0x16: /* val_expression */
		set_place(run, cg_bytes_uleb(from), UNKNOWN, 0);
		(void)block(from);
		return true;
	default:
		return false;
	}
}

/* Those that say where the frame is. */
static bool frame_instruction(struct run *run, struct cg_bytes *from, uint64_t op)
{
	int64_t align = run->entry.data_align;
	switch (op) {
	case 0x0c: /* def_cfa */
		set_cfa_register(run, cg_bytes_uleb(from));
		run->row.cfa = (int64_t)cg_bytes_uleb(from);
		return true;
	case 0x12: /* def_cfa_sf */
		set_cfa_register(run, cg_bytes_uleb(from));
		run->row.cfa = cg_bytes_sleb(from) * align;
		return true;
	case 0x0d: /* def_cfa_register */
		set_cfa_register(run, cg_bytes_uleb(from));
		return true;
	case 0x0e: /* def_cfa_offset */
		run->row.cfa = (int64_t)cg_bytes_uleb(from);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		run->row.cfa = cg_bytes_sleb(from) * align;
		return true;
	case 0x0f: /* def_cfa_expression */
		cfa_expression(run, from);
		return true;
	default:
		return false;
	}
}

static void other_instruction(struct run *run, struct cg_bytes *from, uint64_t op)
{
	switch (op) {
	case 0x00: /* nop */
		break;
	case 0x01: /* set_loc */
		run->location = cg_bytes_fixed(from, 8);
		break;
	case 0x02: /* advance_loc1, 2, 4 */
	case 0x03:
	case 0x04:
		run->location += cg_bytes_fixed(from, 1u << (op - 2)) * run->entry.code_align;
		break;
	case 0x0a:
		keep_aside(run);
		break;
	case 0x0b:
		take_back(run);
		break;
	case 0x2c: /* AARCH64_negate_ra_state_with_pc */
	case 0x2d: /* AARCH64_negate_ra_state */
		run->row.is_signed = !run->row.is_signed;
		break;
	case 0x2e: /* GNU_args_size */
		(void)cg_bytes_uleb(from);
		break;
	default:
		run->bad = !frame_instruction(run, from, op) && !register_instruction(run, from, op);
	}
}

/* Until the instructions lead past pc. */
static void execute(struct run *run, struct cg_bytes from)
{
	while (!run->bad && !from.bad && from.at < from.end && run->location <= run->pc) {
		uint64_t op = cg_bytes_fixed(&from, 1), low = op & 0x3f;
		switch (op & 0xc0) {
		case 0x40: /* advance_loc */
			run->location += low * run->entry.code_align;
			break;
		case 0x80: /* offset */
			set_place(run, low, AT_CFA, (int64_t)cg_bytes_uleb(&from) * run->entry.data_align);
			break;
		case 0xc0:
			restore(run, low);
			break;
		default:
			other_instruction(run, &from, op);
		}
	}
	run->bad |= from.bad;
}

static bool fits(int64_t offset)
{
	return offset >= -0x4000 && offset < 0x4000 && offset % 8 == 0; /* twelve bits, in words */
}

static struct cg_rule rule_of(const struct row *row)
{
	struct cg_rule rule = {.kind = row->cfa_kind, .is_signed = row->is_signed, .cfa = (int32_t)row->cfa};
	struct cg_rule too_hard = {.kind = CG_RULE_TOO_HARD};
	if (row->ra.kind == UNDEFINED)
		return (struct cg_rule){.kind = CG_RULE_OUTERMOST};
	bool in_register = HAS_LINK_REGISTER && row->ra.kind == UNTOUCHED;
	if (rule.kind == CG_RULE_TOO_HARD || row->cfa != rule.cfa || !fits(row->ra.offset) || !fits(row->fp.offset) ||
	    (!in_register && row->ra.kind != AT_CFA) || row->fp.kind == UNKNOWN)
		return too_hard;
	rule.ra = (int16_t)row->ra.offset;
	rule.ra_in_lr = in_register;
	rule.fp = (int16_t)row->fp.offset;
	rule.fp_kind = row->fp.kind == AT_CFA ? CG_FP_AT_CFA : row->fp.kind == AT_FP ? CG_FP_AT_FP : CG_FP_SAME;
	return rule;
}

struct cg_rule cg_rule_decode(const struct cg_object *object, uint64_t pc)
{
	struct run run = {.pc = UINT64_MAX};
	if (!cg_unwind_table_find(object, pc, &run.entry))
		return (struct cg_rule){.kind = CG_RULE_NO_ENTRY};
	if (run.entry.is_signal_frame)
		return (struct cg_rule){.kind = CG_RULE_SIGNAL};
	run.row.cfa_kind = CG_RULE_TOO_HARD;
	execute(&run, run.entry.common);
	run.first = run.row;
	run.pc = pc;
	run.location = run.entry.start;
	execute(&run, run.entry.own);
	if (run.bad)
		return (struct cg_rule){.kind = CG_RULE_TOO_HARD};
	return rule_of(&run.row);
}
