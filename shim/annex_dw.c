/* annex_dw.c: answers the questions: functions, files and lines of an address. */
#include "annex.h"
#include "annex_parts.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

/* Deeper nesting than compilers make, and shallow enough for a small stack. */
enum { DEPTH_MAX = 48, INLINES_MAX = 32 };

/* After a search that took all the time, for a look at the symbol table, which is most of an answer. */
static const uint64_t symbol_grace_ns = 5000000;

/* The function that contains an address, and the functions inlined there, outermost first. */
struct chain {
	Dwarf_Die die[INLINES_MAX];
	unsigned count;
};

static bool holds_functions(int tag, bool everywhere)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return true;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return everywhere;
	default:
		return false;
	}
}

/* `everywhere`: inside other functions too, where nested functions and local classes have theirs. */
static bool find_function(Dwarf_Die *parent, uint64_t pc, bool everywhere, unsigned depth, struct cg_budget *budget,
                          Dwarf_Die *ret)
{
	Dwarf_Die child;
	if (depth > DEPTH_MAX || dwarf_child(parent, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);
		if (cg_budget_tick(budget))
			return false;
		if (tag == DW_TAG_subprogram && dwarf_haspc(&child, pc) == 1) {
			*ret = child;
			return true;
		}
		if (holds_functions(tag, everywhere) && find_function(&child, pc, everywhere, depth + 1, budget, ret))
			return true;
	} while (cg_walk_sibling(&child) == 0);
	return false;
}

static void find_inlined(Dwarf_Die *parent, uint64_t pc, struct cg_budget *budget, struct chain *chain)
{
	Dwarf_Die child, at = *parent;
	for (unsigned depth = 0; depth < DEPTH_MAX && dwarf_child(&at, &child) == 0; depth++) {
		bool found = false;
		do {
			int tag = dwarf_tag(&child);
			found = (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
			         tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
			        dwarf_haspc(&child, pc) == 1;
		} while (!found && !cg_budget_tick(budget) && cg_walk_sibling(&child) == 0);
		if (!found || chain->count == INLINES_MAX)
			return;
		if (dwarf_tag(&child) == DW_TAG_inlined_subroutine)
			chain->die[chain->count++] = child;
		at = child;
	}
}

static void find_chain(Dwarf_Die *unit, uint64_t pc, struct cg_budget *budget, struct chain *chain)
{
	Dwarf_Die function;
	chain->count = 0;
	if (!find_function(unit, pc, false, 0, budget, &function) &&
	    !find_function(unit, pc, true, 0, budget, &function))
		return;
	chain->die[chain->count++] = function;
	find_inlined(&function, pc, budget, chain);
}

/*
 * The end of a path is what tells files apart. libdw puts the compilation directory before some relative paths. Units
 * of the assembler may name only their directory.
 */
static void set_file(struct cg_annex_frame *frame, Dwarf_Die *unit, const char *path)
{
	Dwarf_Attribute attribute;
	char full[1024];
	size_t len = strlen(path), room = sizeof frame->file - 1;
	const char *dir = dwarf_attr(unit, DW_AT_comp_dir, &attribute) ? dwarf_formstring(&attribute) : NULL;
	if (len == 0 || (path[len - 1] == '.' && (len == 1 || path[len - 2] == '/')))
		return;
	if (path[0] != '/' && dir && dir[0] && strncmp(path, dir, strlen(dir)) != 0) {
		snprintf(full, sizeof full, "%s/%s", dir, path);
		path = full;
		len = strlen(path);
	}
	snprintf(frame->file, sizeof frame->file, "%s", len > room ? path + len - room : path);
}

static void set_line_of_pc(struct cg_annex_frame *frame, Dwarf_Die *unit, uint64_t pc)
{
	int number = 0;
	Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
	const char *path = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!path)
		return;
	set_file(frame, unit, path);
	frame->line = dwarf_lineno(line, &number) == 0 && number > 0 ? (uint32_t)number : 0;
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;
	if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) != 0)
		return 0;
	return value;
}

/* Where the call was that inlining removed. */
static void set_line_of_call(struct cg_annex_frame *frame, Dwarf_Die *unit, Dwarf_Die *inlined)
{
	Dwarf_Files *files;
	size_t count;
	Dwarf_Word file = number_of(inlined, DW_AT_call_file), line = number_of(inlined, DW_AT_call_line);
	if (dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
		return;
	const char *path = dwarf_filesrc(files, file, NULL, NULL);
	if (!path)
		return;
	set_file(frame, unit, path);
	frame->line = line <= UINT32_MAX ? (uint32_t)line : 0;
}

/* Functions stand in the .dwo's unit where there is one, lines in the program's own. */
static Dwarf_Die functions_of(Dwarf_Die *unit)
{
	Dwarf_Die split;
	uint8_t type;
	if (dwarf_cu_info(unit->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 && type == DW_UT_skeleton &&
	    split.addr)
		return split;
	return *unit;
}

/* Of too many frames the innermost are left out: they are helpers of a library, and the function itself must not be. */
static unsigned fill(Dwarf_Die *unit, struct chain *chain, uint64_t pc, struct cg_budget *budget,
                     struct cg_annex_frame *frames, unsigned max)
{
	unsigned count = chain->count < max ? chain->count : max;
	for (unsigned i = 0; i < count; i++) {
		Dwarf_Die *die = &chain->die[count - 1 - i];
		cg_names_of(die, frames[i].function, sizeof frames[i].function, budget);
		if (count - i == chain->count)
			set_line_of_pc(&frames[i], unit, pc);
		else
			set_line_of_call(&frames[i], unit, die + 1);
		frames[i].inlined = i + 1 < count;
	}
	return count;
}

static unsigned from_dwarf(struct cg_binary *binary, uint64_t pc, struct cg_budget *budget,
                           struct cg_annex_frame *frames, unsigned max)
{
	Dwarf_Die unit;
	struct chain chain;
	if (!cg_debug_dwarf(binary, budget) || !cg_units_find(binary, pc, budget, &unit))
		return 0;
	Dwarf_Die functions = functions_of(&unit);
	find_chain(&functions, pc, budget, &chain);
	if (chain.count)
		return fill(&unit, &chain, pc, budget, frames, max);
	set_line_of_pc(&frames[0], &unit, pc); /* assembler has lines, but no functions */
	return frames[0].file[0] ? 1 : 0;
}

/* Names the function itself, where DWARF did not; makes a frame of it, where DWARF has nothing. */
static unsigned from_symbols(struct cg_binary *binary, uint64_t pc, struct cg_budget *budget,
                             struct cg_annex_frame *frames, unsigned count)
{
	struct cg_budget grace = cg_budget_new(symbol_grace_ns, 4 * symbol_grace_ns);
	struct cg_annex_frame *frame = &frames[count ? count - 1 : 0];
	if (frame->inlined || frame->function[0])
		return count;
	const char *symbol = cg_symtab_find(binary, pc, &grace);
	budget->cut = budget->cut || grace.cut;
	if (!symbol)
		return count;
	cg_names_of_symbol(symbol, frame->function, sizeof frame->function);
	return count ? count : 1;
}

EXPORTED uint32_t cg_annex_version(void)
{
	return CG_ANNEX_VERSION;
}

EXPORTED int cg_annex_lookup(const struct cg_annex_module *module, uint64_t offset, const struct cg_annex_time *time,
                             struct cg_annex_frame *frames, uint32_t max)
{
	struct cg_binary *binary;
	struct cg_budget budget = cg_budget_new(time->cpu_ns, time->wall_ns);
	budget.stop = time->stop;
	if (!module->path[0] || module->path[0] == '[' || max == 0)
		return 0;
	if (time->cpu_ns == 0 || time->wall_ns == 0)
		return -ETIME;
	int r = cg_files_get(module, &binary);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	memset(frames, 0, max * sizeof *frames);
	cg_begin_for(binary, &budget);
	unsigned count = from_dwarf(binary, offset, &budget, frames, max);
	cg_begin_end();
	count = from_symbols(binary, offset, &budget, frames, count);
	for (unsigned i = 0; i < count; i++)
		frames[i].cut = budget.cut;
	return count == 0 && budget.cut ? -ETIME : (int)count;
}

EXPORTED void cg_annex_reset(void)
{
	cg_files_reset();
}
