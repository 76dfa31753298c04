/* unwind_cache.c: the rules that were asked for before, for all threads, without a lock. */
#include <stdatomic.h>

#include "arena.h"
#include "object.h"
#include "unwind_rule.h"

/*
 * Of a pair of words, one is the rule and the other the place in the code, mixed with the rule: two that do not belong
 * together, because another thread has just changed one, match no place. A forked child inherits it as it is.
 */
enum { SETS = 4096, WAYS = 2 };
static struct {
	_Atomic uint64_t mixed, rule;
} cache[SETS][WAYS] CG_LARGE;
static _Atomic uint64_t era; /* in the bits that addresses leave free; changed to forget */

uint64_t cg_rule_pack(const struct cg_rule *rule)
{
	int fp = rule->fp / 8, ra = rule->ra / 8;
	return (uint64_t)(uint32_t)rule->cfa << 32 | (uint64_t)((unsigned)fp & 0xfff) << 20 |
	       (uint64_t)((unsigned)ra & 0xfff) << 8 | (uint64_t)(rule->is_signed << 6 | rule->ra_in_lr << 5) |
	       (uint64_t)(unsigned)(rule->fp_kind << 3) | rule->kind;
}

/* 12 bits with a sign, in words of eight bytes. */
static int16_t offset_of(uint64_t bits)
{
	int value = (int)(bits & 0xfff);
	return (int16_t)((value < 0x800 ? value : value - 0x1000) * 8);
}

struct cg_rule cg_rule_unpack(uint64_t word)
{
	return (struct cg_rule){.cfa = (int32_t)(uint32_t)(word >> 32),
	                        .fp = offset_of(word >> 20),
	                        .ra = offset_of(word >> 8),
	                        .is_signed = word >> 6 & 1,
	                        .ra_in_lr = word >> 5 & 1,
	                        .fp_kind = word >> 3 & 3,
	                        .kind = word & 7};
}

void cg_rule_forget(void)
{
	atomic_fetch_add(&era, (uint64_t)1 << 57);
}

static struct cg_rule decode(uint64_t pc, bool *keep)
{
	struct cg_object object;
	bool found = cg_object_find(pc, &object);
	/* Code that lies in no object is not remembered where it is cheap to ask again: it may be one tomorrow. */
	*keep = found || !cg_object_is_cheap();
	return found ? cg_rule_decode(&object, pc) : (struct cg_rule){.kind = CG_RULE_NONE};
}

struct cg_rule cg_rule_find(uint64_t pc)
{
	static _Atomic unsigned turn;
	bool keep;
	uint64_t key = pc ^ atomic_load_explicit(&era, memory_order_relaxed);
	unsigned set = (unsigned)(pc * 0x9e3779b97f4a7c15u >> 52);
	for (unsigned way = 0; way < WAYS; way++) {
		uint64_t rule = atomic_load_explicit(&cache[set][way].rule, memory_order_relaxed);
		if ((atomic_load_explicit(&cache[set][way].mixed, memory_order_relaxed) ^ rule) == key)
			return cg_rule_unpack(rule);
	}
	struct cg_rule found = decode(pc, &keep);
	if (keep) {
		unsigned way = atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed) % WAYS;
		uint64_t rule = cg_rule_pack(&found);
		atomic_store_explicit(&cache[set][way].rule, rule, memory_order_relaxed);
		atomic_store_explicit(&cache[set][way].mixed, key ^ rule, memory_order_relaxed);
	}
	return found;
}
