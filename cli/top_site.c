/*
 * top_site.c: chooses the frame of a stack that a person would look at first.
 */
#include "top_site.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge_memory.h"
#include "report_text_place.h"
#include "sys_regular.h"
#include "top_names.h"

static bool is_of_system(const struct cg_module *module)
{
	static const char *const folders[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};
	for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (strncmp(module->path, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

static void set_site(struct cg_top_site *site, const struct cg_module *module, uint64_t ip)
{
	site->known = true;
	site->ip = ip;
	if (module)
		site->module = *module;
}

/* Beyond generated code are only the virtual machine's own frames. */
static void choose(const struct cg_recording *recording, const struct cg_place *place, struct cg_top_site *ret)
{
	unsigned chosen = 0;
	for (unsigned i = 0; i < place->depth; i++) {
		const struct cg_module *module = cg_recording_module(recording, place->ip[i], place->generation);
		if (!module)
			break;
		if (!is_of_system(module)) {
			chosen = i;
			break;
		}
	}
	if (place->depth)
		set_site(ret, cg_recording_module(recording, place->ip[chosen], place->generation), place->ip[chosen]);
}

static void locate_in(struct cg_recording *recording, struct cg_top_finding *finding)
{
	const struct cg_kept_finding *kept = &finding->kept;
	struct cg_place opened = {0}, second = {0};
	cg_recording_stack(recording, kept->open_stack, &opened);
	cg_recording_stack(recording, kept->eof_stack, &second);
	choose(recording, &opened, &finding->opened);
	choose(recording, second.depth ? &second : &opened, &finding->site);
	if (finding->site.known || !kept->last_use)
		return;
	uint64_t ip = kept->last_use & ((1ull << 56) - 1);
	set_site(&finding->site, cg_recording_module(recording, ip, finding->process->header.module_generation), ip);
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
	if (cg_top_names_get(module, site->ip, frames, CG_FRAMES_PER_IP))
		cg_top_site_frame_text(&frames[0], false, function, location);
}
