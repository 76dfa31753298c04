/*
 * annex_units.c: which compilation unit an address belongs to.
 *
 * .debug_aranges would tell, but clang does not write it, and libdw reads every unit's header before it answers from
 * it. So the table is made from the units themselves, only as far as needed, and goes on where a short budget ended.
 */
#include "annex_parts.h"

#include <dwarf.h>
#include <stdlib.h>

/* 24 MB; a program with more has its later units without names, and no program is known to have. */
enum { RANGES_MAX = 1 << 20 };

static bool add_range(struct cg_binary *binary, const struct cg_unit_range *range)
{
	if (binary->range_count == binary->range_room) {
		size_t room = binary->range_room ? 2 * binary->range_room : 256;
		struct cg_unit_range *more = room > RANGES_MAX ? NULL : realloc(binary->ranges, room * sizeof *more);
		if (!more)
			return false;
		binary->ranges = more;
		binary->range_room = room;
	}
	binary->ranges[binary->range_count++] = *range;
	return true;
}

static bool add_unit(struct cg_binary *binary, Dwarf_Die *unit)
{
	struct cg_unit_range range = {.die = dwarf_dieoffset(unit)};
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;
	while ((at = dwarf_ranges(unit, at, &base, &low, &high)) > 0) {
		range.low = low;
		range.high = high;
		if (low < high && !add_range(binary, &range))
			return false;
	}
	return true;
}

/* Takes the next unit into the table. False at the end, or when the rest cannot be read. */
static bool read_unit(struct cg_binary *binary)
{
	Dwarf_CU *unit;
	Dwarf_Half version;
	uint8_t type;
	Dwarf_Die die;
	if (binary->units_done)
		return false;
	if (dwarf_get_units(binary->dwarf, binary->last_unit, &unit, &version, &type, &die, NULL) != 0) {
		binary->units_done = true;
		return false;
	}
	binary->last_unit = unit;
	if ((type == DW_UT_compile || type == DW_UT_skeleton) && dwarf_tag(&die) != DW_TAG_partial_unit &&
	    !add_unit(binary, &die))
		binary->units_done = true;
	return true;
}

static bool find_from(const struct cg_binary *binary, size_t first, uint64_t pc, Dwarf_Die *ret)
{
	for (size_t i = first; i < binary->range_count; i++) {
		const struct cg_unit_range *range = &binary->ranges[i];
		if (pc >= range->low && pc < range->high && dwarf_offdie(binary->dwarf, range->die, ret))
			return true;
	}
	return false;
}

bool cg_units_find(struct cg_binary *binary, uint64_t pc, struct cg_budget *budget, Dwarf_Die *ret)
{
	if (find_from(binary, 0, pc, ret))
		return true;
	while (!cg_budget_over(budget)) {
		size_t known = binary->range_count;
		if (!read_unit(binary))
			return false;
		if (find_from(binary, known, pc, ret))
			return true;
	}
	return false;
}
