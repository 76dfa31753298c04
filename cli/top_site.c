/*
 * top_site.c: chooses the frame of a stack that a person would look at first.
 */
#include "top_site.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge_memory.h"
#include "report_site.h"
#include "report_text_place.h"
#include "sys_regular.h"
#include "top_names.h"

static void set_site(struct cg_top_site *site, const struct cg_module *module, uint64_t ip)
{
	site->known = true;
	site->ip = ip;
	if (module)
		site->module = *module;
}

static bool is_passed_over(const struct cg_module *module)
{
	const char *slash = module ? strrchr(module->path, '/') : NULL;
	struct cg_frame frame = {.module = "[jit]"};
	struct cg_buf name;
	cg_buf_init(&name, frame.module, sizeof frame.module);
	cg_buf_str(&name, !module ? "[jit]" : slash ? slash + 1 : module->path);
	return cg_site_passed_over(NULL, &frame);
}

/* False where no frame is worth naming: then it is the innermost, if there is no better one already. */
static bool choose(const struct cg_recording *recording, const struct cg_place *place, struct cg_top_site *ret)
{
	for (unsigned i = 0; i < place->depth; i++) {
		const struct cg_module *module = cg_recording_module(recording, place->ip[i], place->generation);
		if (!is_passed_over(module)) {
			set_site(ret, module, place->ip[i]);
			return true;
		}
	}
	if (place->depth && !ret->known)
		set_site(ret, cg_recording_module(recording, place->ip[0], place->generation), place->ip[0]);
	return false;
}

/* The one it was told with. Before it is told, names are not known, and the modules alone have to do. */
static void locate_in(struct cg_recording *recording, struct cg_top_finding *finding)
{
	const struct cg_kept_finding *kept = &finding->kept;
	struct cg_place opened = {0}, second = {0}, last = {.generation = finding->process->header.module_generation};
	cg_recording_stack(recording, kept->open_stack, &opened);
	cg_recording_stack(recording, kept->eof_stack, &second);
	last.ip[0] = kept->last_use & ((1ull << 56) - 1);
	last.depth = last.ip[0] != 0;
	(void)choose(recording, &opened, &finding->opened);
	if (kept->site_ip)
		set_site(&finding->site, cg_recording_module(recording, kept->site_ip, kept->site_generation),
		         kept->site_ip);
	else if (!choose(recording, &second, &finding->site) && !choose(recording, &last, &finding->site))
		(void)choose(recording, &opened, &finding->site);
}

/* By build-id and offset, since each process has its modules elsewhere. */
static uint64_t add_address(const struct cg_recording *recording, uint64_t ip, uint32_t generation, uint64_t hash)
{
	const struct cg_module *module = cg_recording_module(recording, ip, generation);
	uint64_t offset = ip - (module ? module->bias : 0);
	if (module && module->build_id_len && module->build_id_len <= sizeof module->build_id)
		hash = cg_hash(hash, module->build_id, module->build_id_len);
	else if (module)
		hash = cg_hash(hash, module->path, strnlen(module->path, sizeof module->path));
	return cg_hash(hash, &offset, sizeof offset);
}

static uint64_t add_stack(struct cg_recording *recording, uint32_t id, uint64_t hash)
{
	struct cg_place place = {0};
	cg_recording_stack(recording, id, &place);
	hash = cg_hash(hash, &place.depth, sizeof place.depth);
	for (unsigned i = 0; i < place.depth; i++)
		hash = add_address(recording, place.ip[i], place.generation, hash);
	return hash;
}

static uint64_t identity_of(struct cg_recording *recording, const struct cg_top_finding *finding)
{
	const struct cg_kept_finding *kept = &finding->kept;
	uint64_t ip = kept->last_use & ((1ull << 56) - 1);
	const char *app = finding->process->header.app;
	uint64_t hash = cg_hash(1, app, strlen(app));
	hash = cg_hash(hash, kept->label, strnlen(kept->label, sizeof kept->label));
	hash = add_stack(recording, kept->open_stack, hash);
	hash = add_stack(recording, kept->eof_stack, hash);
	if (ip)
		hash = add_address(recording, ip, finding->process->header.module_generation, hash);
	return hash ? hash : 1;
}

static void locate_all(struct cg_recording *recording, const struct cg_top_process *process)
{
	for (unsigned i = 0; i < process->finding_count; i++) {
		struct cg_top_finding *finding = process->findings[i];
		if (finding->located)
			continue;
		finding->located = true;
		if (!recording->modules)
			continue;
		locate_in(recording, finding);
		finding->identity = identity_of(recording, finding);
	}
}

void cg_top_site_locate(struct cg_top_finding *finding)
{
	struct cg_recording recording = {.path = finding->process->path};
	if (finding->located)
		return;
	recording.fd = cg_open_regular(recording.path, O_NOFOLLOW);
	recording.modules = recording.fd < 0 ? NULL : calloc(CG_MAX_MODULES, sizeof *recording.modules);
	if (recording.modules)
		cg_recording_read(&recording, CG_OFF_MODULES, recording.modules,
		                  CG_MAX_MODULES * sizeof *recording.modules);
	locate_all(&recording, finding->process);
	free(recording.modules);
	if (recording.fd >= 0)
		close(recording.fd);
}

void cg_top_site_frame_text(const struct cg_frame *frame, bool whole, struct cg_buf *function, struct cg_buf *location)
{
	const char *slash = strrchr(frame->file, '/');
	cg_text_plain(function, *frame->function ? frame->function : "");
	if (*frame->file) {
		cg_text_plain(location, slash && !whole ? slash + 1 : frame->file);
		if (frame->line)
			cg_buf_fmt(location, ":%u", frame->line);
		return;
	}
	cg_text_plain(location, *frame->module ? frame->module : "?");
	if (whole || !*frame->function)
		cg_buf_fmt(location, "+0x%llx", (unsigned long long)frame->offset);
}

void cg_top_site_text(const struct cg_top_site *site, struct cg_buf *function, struct cg_buf *location)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	if (!site->known)
		return;
	const struct cg_module *module = site->module.path[0] ? &site->module : NULL;
	unsigned n = cg_top_names_get(module, site->ip, frames, CG_FRAMES_PER_IP), at = cg_site_frame(NULL, frames, n);
	if (n)
		cg_top_site_frame_text(&frames[at < n ? at : 0], false, function, location);
}
