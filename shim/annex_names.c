/* annex_names.c: the name of a function, with its namespaces and classes, from its DIE. */
#include "annex_parts.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

/* Deeper nesting than any source has; what malformed data costs at most. */
enum { HOPS_MAX = 8, PARENTS_MAX = 16, LOCALS_MAX = 4, TEXT_MAX = 1024 };

static bool follow(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Die next;
	if (!dwarf_attr(die, name, &attribute) || !dwarf_formref_die(&attribute, &next))
		return false;
	*die = next;
	return true;
}

/*
 * From an instance to what it is an instance of: that is where the parents are that name it. Returns the last name on
 * the way, or NULL.
 */
static const char *find_origin(Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	for (int i = 0; i < HOPS_MAX; i++) {
		if (!follow(die, DW_AT_abstract_origin) && !follow(die, DW_AT_specification))
			break;
		const char *found = dwarf_diename(die);
		name = found ? found : name;
	}
	return name;
}

/* A parent is not linked from its child, but a DIE's children stand behind it and before its next sibling. */
static unsigned find_parents(Dwarf_Die *unit, Dwarf_Off target, Dwarf_Die parents[PARENTS_MAX],
                             struct cg_budget *budget)
{
	Dwarf_Die child, at = *unit;
	for (unsigned n = 0; n < PARENTS_MAX && dwarf_child(&at, &child) == 0; n++) {
		at = child;
		while (dwarf_dieoffset(&child) <= target) {
			at = child;
			if (cg_budget_tick(budget) || cg_walk_sibling(&child) != 0)
				break;
		}
		if (budget->cut || dwarf_dieoffset(&at) >= target)
			return budget->cut ? 0 : n;
		parents[n] = at;
	}
	return 0;
}

static void append(char text[TEXT_MAX], const char *part)
{
	size_t len = strlen(text);
	snprintf(text + len, TEXT_MAX - len, "%s", part);
}

static const char *class_name(Dwarf_Die *die, const char *member)
{
	const char *name = dwarf_diename(die);
	if (!name && follow(die, DW_AT_signature))
		name = dwarf_diename(die);
	if (name)
		return name;
	return strcmp(member, "operator()") == 0 ? "(lambda)" : "(anonymous)";
}

static const char *parent_name(Dwarf_Die *parent, const char *member)
{
	const char *name;
	switch (dwarf_tag(parent)) {
	case DW_TAG_namespace:
		name = dwarf_diename(parent);
		return name ? name : "(anonymous namespace)";
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
		return class_name(parent, member);
	case DW_TAG_module:
	case DW_TAG_enumeration_type:
		return dwarf_diename(parent);
	default:
		return NULL;
	}
}

static bool is_c(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return true;
	default:
		return false;
	}
}

/* False when the function has no name. `depth`: of local classes in functions in local classes. */
static bool qualify(const Dwarf_Die *die, char text[TEXT_MAX], unsigned depth, struct cg_budget *budget)
{
	Dwarf_Die origin = *die, unit, parents[PARENTS_MAX];
	const char *plain = find_origin(&origin);
	unsigned n = 0;
	text[0] = '\0';
	if (!plain)
		return false;
	if (dwarf_diecu(&origin, &unit, NULL, NULL) && !is_c(&unit))
		n = find_parents(&unit, dwarf_dieoffset(&origin), parents, budget);
	for (unsigned i = 0; i < n; i++) {
		const char *name = parent_name(&parents[i], plain);
		bool in_function = dwarf_tag(&parents[i]) == DW_TAG_subprogram && depth < LOCALS_MAX;
		if (name)
			append(text, name);
		if (name || (in_function && qualify(&parents[i], text, depth + 1, budget)))
			append(text, "::");
	}
	append(text, plain);
	return true;
}

void cg_names_of(Dwarf_Die *die, char *name, size_t size, struct cg_budget *budget)
{
	char text[TEXT_MAX];
	Dwarf_Attribute linkage;
	if (qualify(die, text, 0, budget)) {
		cg_names_fit(text, name, size);
		return;
	}
	const char *symbol =
	    dwarf_attr_integrate(die, DW_AT_linkage_name, &linkage) ? dwarf_formstring(&linkage) : NULL;
	if (symbol)
		cg_names_of_symbol(symbol, name, size);
}
