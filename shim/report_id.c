/* report_id.c: a finding's id, which builds of a program have in common. */
#include "report_id.h"

#include <string.h>

#include "report_site.h"
#include "report_stack.h"

/* "libshop.so" of "libshop.so.1.4", whose number goes with the release. */
static size_t name_length(const char *module)
{
	const char *version = strstr(module, ".so.");
	return version ? (size_t)(version - module) + 3 : strlen(module);
}

/* "parse" of "parse.constprop.0": which copies a compiler makes of a function depends on the rest of the program. */
static size_t function_length(const char *function)
{
	static const char *const copies[] = {".constprop.", ".isra.", ".part.", ".cold", ".lto_priv."};
	size_t length = strlen(function);
	for (unsigned i = 0; i < sizeof copies / sizeof copies[0]; i++) {
		const char *at = strstr(function, copies[i]);
		if (at && at != function && (size_t)(at - function) < length)
			length = (size_t)(at - function);
	}
	return length;
}

static bool has(const struct cg_place *place, uint64_t ip)
{
	for (unsigned i = 0; i < place->depth; i++)
		if (place->ip[i] == ip)
			return true;
	return false;
}

/* Which frame of an opening tells findings apart depends on what else the process has found. */
static bool find_place(const struct cg_report *report, const struct cg_finding *finding, struct cg_frame *ret)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	uint32_t generation = finding->site_generation;
	uint64_t ip = finding->site_ip;
	if (!ip || has(&finding->opened, ip))
		ip = cg_site_choose(report, finding, 0, &generation);
	unsigned n = ip ? report->resolve(report->resolve_context, ip, generation, frames, CG_FRAMES_PER_IP) : 0;
	unsigned at = n ? cg_site_frame(report, frames, n) : 0;
	if (n)
		*ret = frames[at < n ? at : 0];
	return n;
}

static uint64_t add_text(uint64_t id, const char *text, size_t length)
{
	char part[sizeof((struct cg_frame *)0)->file];
	length = length < sizeof part ? length : sizeof part - 1;
	memcpy(part, text, length);
	part[length] = '\0';
	return cg_stack_id_add(id, part, 0);
}

bool cg_report_id(const struct cg_report *report, const struct cg_finding *finding, char ret[CG_ID_SIZE])
{
	struct cg_frame frame;
	struct cg_buf text;
	const char *kind = cg_kind_name(finding->kind), *cause = cg_cause_name(finding->cause);
	uint64_t id = CG_STACK_ID;
	if (finding->names_pending)
		return false;
	id = add_text(id, kind, strlen(kind));
	id = add_text(id, cause, strlen(cause));
	id = add_text(id, finding->label, strlen(finding->label));
	if (find_place(report, finding, &frame)) {
		id = add_text(id, frame.module, name_length(frame.module));
		if (*frame.function)
			id = add_text(id, frame.function, function_length(frame.function));
		else
			id = cg_stack_id_add(id, "", frame.offset);
	}
	cg_buf_init(&text, ret, CG_ID_SIZE);
	cg_buf_fmt(&text, "%016llx", (unsigned long long)id);
	return true;
}
