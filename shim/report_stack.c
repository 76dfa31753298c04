/* report_stack.c: the frames of a stack that are worth a line. */
#include "report_stack.h"

#include <string.h>

/* Below main, and below a thread's first function, every stack looks alike. */
static bool is_start(const char *function)
{
	static const char *const names[] = {"_start",      "__libc_start_main",      "__libc_start_main_impl",
	                                    "__clone",     "__libc_start_call_main", "__clone3",
	                                    "start_thread"};
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(function, names[i]) == 0)
			return true;
	return false;
}

/* Modules of runtimes that walk a program's text: "python3.11" and "libpython3.11.so.1.0". */
static bool is_interpreter(const char *module)
{
	static const char *const names[] = {
	    "libjvm", "liblua", "libluajit", "libnode", "libperl", "libphp",  "libpython", "libruby", "libtcl", "lua",
	    "luajit", "node",   "nodejs",    "perl",    "php",     "php-cgi", "php-fpm",   "python",  "ruby",   "tclsh",
	    NULL};
	size_t length = strcspn(module, ".0123456789");
	if (length && module[length - 1] == '-')
		length--;
	for (unsigned i = 0; names[i]; i++)
		if (strlen(names[i]) == length && memcmp(module, names[i], length) == 0)
			return true;
	return false;
}

enum cg_frame_sort cg_frame_sort(const struct cg_frame *frame)
{
	if (is_start(frame->function))
		return CG_FRAME_START;
	if (strcmp(frame->module, "[jit]") == 0)
		return CG_FRAME_GENERATED;
	return is_interpreter(frame->module) ? CG_FRAME_INTERPRETER : CG_FRAME_PLAIN;
}

void cg_stack_walk_begin(struct cg_stack_walk *ret, const struct cg_report *report, const struct cg_place *place,
                         bool whole)
{
	ret->report = report;
	ret->place = place;
	ret->whole = ret->starts = whole;
	ret->at = ret->next = ret->count = 0;
	ret->last = CG_FRAME_PLAIN;
}

/* The frame that comes next, without taking it; NULL at the end. */
static const struct cg_frame *peek(struct cg_stack_walk *walk)
{
	for (;;) {
		for (; walk->next < walk->count; walk->next++)
			if (walk->starts || cg_frame_sort(&walk->frames[walk->next]) != CG_FRAME_START)
				return &walk->frames[walk->next];
		if (walk->at == walk->place->depth)
			return NULL;
		for (unsigned i = 0; i < CG_FRAMES_PER_IP; i++)
			walk->frames[i].frames = 0; /* only those that read a saved report set it */
		walk->count = walk->report->resolve(walk->report->resolve_context, walk->place->ip[walk->at++],
		                                    walk->place->generation, walk->frames, CG_FRAMES_PER_IP);
		walk->next = 0;
	}
}

bool cg_stack_walk_next(struct cg_stack_walk *walk, struct cg_frame *ret)
{
	const struct cg_frame *frame = peek(walk);
	if (!frame)
		return false;
	memcpy(ret, frame, sizeof *ret);
	walk->next++;
	enum cg_frame_sort sort = cg_frame_sort(ret);
	bool may_be_run = sort == CG_FRAME_GENERATED || (sort == CG_FRAME_INTERPRETER && walk->last == sort);
	walk->last = sort;
	if (walk->whole || !may_be_run)
		return true;
	unsigned run = ret->frames > 1 ? ret->frames : 1;
	for (; (frame = peek(walk)) != NULL && cg_frame_sort(frame) == sort; walk->next++)
		run += frame->frames > 1 ? frame->frames : 1;
	ret->frames = run > 1 ? run : 0;
	return true;
}

unsigned cg_stack_walk_left(const struct cg_stack_walk *walk)
{
	return walk->count - walk->next + walk->place->depth - walk->at;
}

static uint64_t mixed(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3; /* FNV-1a */
	return hash;
}

uint64_t cg_stack_id_add(uint64_t id, const char *build_id_or_module, uint64_t offset)
{
	return mixed(mixed(id, build_id_or_module, strlen(build_id_or_module) + 1), &offset, sizeof offset);
}

uint64_t cg_stack_id(const struct cg_report *report, const struct cg_place *place)
{
	uint64_t id = CG_STACK_ID;
	for (unsigned i = 0; i < place->depth; i++) {
		struct cg_frame frames[CG_FRAMES_PER_IP];
		unsigned n = report->resolve(report->resolve_context, place->ip[i], place->generation, frames,
		                             CG_FRAMES_PER_IP);
		if (n)
			id = cg_stack_id_add(id, *frames[0].build_id ? frames[0].build_id : frames[0].module,
			                     frames[0].offset);
	}
	return place->depth ? id : 0;
}
