/*
 * top_sample.c: reads a recorder's header, and of the rest what has changed.
 */
#include "top_sample.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "procfs.h"
#include "sys_regular.h"

enum { SITE_STRIDE = 256 };

const char *cg_top_state_name(enum cg_top_state state)
{
	static const char *const names[] = {"live", "stopped", "killed", "exited", "execed", "sealed", "unknown"};
	return names[state];
}

bool cg_top_state_is_there(enum cg_top_state state)
{
	return state == CG_TOP_LIVE || state == CG_TOP_STOPPED;
}

static bool is_elsewhere(const struct cg_header *header)
{
	static struct utsname here;
	if (!here.nodename[0] && uname(&here) < 0)
		return false;
	return strncmp(here.nodename, header->host, sizeof header->host - 1) != 0;
}

static enum cg_top_state state_of_living(const struct cg_header *header)
{
	struct cg_proc_stat stat;
	if (!header->pid)
		return CG_TOP_UNKNOWN;
	/* One reading of /proc answers for most; who is hidden there may still be there. */
	if (cg_proc_stat(header->pid, &stat) < 0 || stat.start != header->process_start || stat.state == 'Z')
		return cg_proc_alive(header->pid, header->process_start) ? CG_TOP_LIVE : CG_TOP_KILLED;
	return stat.state == 'T' || stat.state == 't' ? CG_TOP_STOPPED : CG_TOP_LIVE;
}

static enum cg_top_state state_of(const struct cg_header *header)
{
	switch ((enum cg_process_state)header->state) {
	case CG_STATE_LIVE:
		return is_elsewhere(header) || !cg_recording_may_be_of(header) ? CG_TOP_UNKNOWN
		                                                               : state_of_living(header);
	case CG_STATE_EXITED:
		return CG_TOP_EXITED;
	case CG_STATE_EXECED:
		return CG_TOP_EXECED;
	case CG_STATE_SEALED:
		return CG_TOP_SEALED;
	default:
		return CG_TOP_UNKNOWN;
	}
}

/* They stand close together; one of no kind was never used, and nothing is behind it. */
static void read_findings(struct cg_recording *recording, struct cg_top_sample *ret)
{
	ret->count = 0;
	ret->has_findings = true;
	for (unsigned i = 0; i < CG_MAX_FINDINGS; i++) {
		struct cg_kept_finding *kept = &ret->findings[ret->count];
		bool outstanding = cg_recording_finding(recording, i, kept);
		if (kept->kind == CG_KIND_NONE)
			return;
		ret->count += outstanding;
	}
}

static void add_delays(const char *chunk, struct cg_top_sample *ret)
{
	struct cg_site site;
	for (size_t at = 0; at < CG_CHUNK_SIZE; at += SITE_STRIDE) {
		memcpy(&site, chunk + at, sizeof site);
		for (unsigned i = 0; site.stack && i < CG_DELAY_BUCKETS; i++)
			ret->delays[i] += site.delays[i];
	}
}

/* Sites are scattered over their region by a hash, so most of it is a hole. */
static void read_delays(const struct cg_recording *recording, struct cg_top_sample *ret)
{
	char chunk[CG_CHUNK_SIZE];
	uint64_t at = CG_OFF_SITES, end = CG_OFF_STACK_INDEX;
	ret->has_delays = true;
	memset(ret->delays, 0, sizeof ret->delays);
	for (; at < end; at += sizeof chunk) {
		off_t data = lseek(recording->fd, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			return;
		if (data > 0)
			at = (uint64_t)data & ~(uint64_t)(CG_CHUNK_SIZE - 1);
		if (at >= end)
			return;
		cg_recording_read(recording, at, chunk, sizeof chunk);
		add_delays(chunk, ret);
	}
}

static void read_rest(const char *path, struct cg_top_seen *seen, struct cg_top_sample *ret)
{
	const struct cg_header *h = &ret->header;
	struct cg_recording recording = {.path = path, .alive = ret->state == CG_TOP_LIVE};
	bool swept = !seen->valid || seen->sweep_ns != h->last_sweep_ns;
	bool closed = !seen->valid || seen->closed != h->count.closed || seen->late != h->count.late_closes;
	if (!swept && !closed)
		return;
	recording.fd = cg_open_regular(path, O_NOFOLLOW);
	if (recording.fd < 0)
		return;
	if (swept)
		read_findings(&recording, ret);
	if (closed)
		read_delays(&recording, ret);
	close(recording.fd);
	*seen = (struct cg_top_seen){true, h->last_sweep_ns, h->count.closed, h->count.late_closes};
}

int cg_top_sample_read(const char *path, struct cg_top_seen *seen, struct cg_top_sample *ret)
{
	ret->has_findings = ret->has_delays = false;
	if (!cg_recording_peek(path, &ret->header))
		return access(path, F_OK) < 0 && errno == ENOENT ? -ENOENT : -EINVAL;
	ret->state = state_of(&ret->header);
	read_rest(path, seen, ret);
	return 0;
}
