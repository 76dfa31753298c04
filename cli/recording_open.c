/*
 * recording_open.c: opens what may be a recorder, and says what is wrong with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"
#include "procfs.h"
#include "recording.h"
#include "sys_regular.h"

/* How far apart the elements of most regions are. */
enum { STRIDE = 256, RETRIES = 20 };

static int open_file(const char *path, int *ret_fd, char *why)
{
	int fd = cg_open_regular(path, O_NOFOLLOW);
	*ret_fd = fd;
	if (fd >= 0)
		return 0;
	if (fd == -ELOOP)
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s is a symbolic link; name the recorder itself", path);
	else if (fd == -EISDIR || fd == -EINVAL)
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s is %s; a recorder is a regular file, PID.NUMBER.rec",
		                      path, fd == -EISDIR ? "a directory" : "no regular file");
	else
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s cannot be read: %s", path, strerror(-fd));
	return fd;
}

static int check_header(const struct cg_recording *recording, size_t got, char *why)
{
	static const char nothing[sizeof CG_RECORD_MAGIC];
	const struct cg_header *h = &recording->header;
	const char *path = recording->path;
	if (got >= sizeof nothing && memcmp(h->magic, nothing, sizeof nothing) == 0)
		(void)cg_common_print(why, CG_RECORDING_WHY,
		                      "%s begins with zeros, a recorder with \"%s\": its process is only making it, or "
		                      "ended while it did",
		                      path, CG_RECORD_MAGIC);
	else if (got >= sizeof nothing && memcmp(h->magic, CG_RECORD_MAGIC, sizeof nothing) != 0)
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s is no recorder: it does not begin with \"%s\"", path,
		                      CG_RECORD_MAGIC);
	else if (got >= offsetof(struct cg_header, header_size) && h->version != CG_RECORD_VERSION)
		(void)cg_common_print(
		    why, CG_RECORDING_WHY,
		    "%s is a recorder of version %u, this command reads version %d; use the command of "
		    "the same build as its libcloseguard.so",
		    path, h->version, CG_RECORD_VERSION);
	else if (got < sizeof *h)
		(void)cg_common_print(
		    why, CG_RECORDING_WHY,
		    "%s ends after %zu bytes, a recorder's header has %zu: it was cut off, or is none", path, got,
		    sizeof *h);
	else
		return 0;
	return -EINVAL;
}

/* A file is its owner's word; who is not told is nobody's. */
static int read_header(struct cg_recording *recording, char *why)
{
	struct cg_header *h = &recording->header;
	struct stat st;
	int error = check_header(recording, cg_recording_read(recording, 0, h, sizeof *h), why);
	h->uid = fstat(recording->fd, &st) == 0 ? st.st_uid : (uint32_t)-1;
	h->pid = h->pid > 0 ? h->pid : 0;
	h->app[sizeof h->app - 1] = h->host[sizeof h->host - 1] = h->exe[sizeof h->exe - 1] = '\0';
	return error;
}

bool cg_recording_peek(const char *path, struct cg_header *ret)
{
	char why[CG_RECORDING_WHY];
	struct cg_recording recording = {.path = path, .fd = -1};
	if (open_file(path, &recording.fd, why) < 0)
		return false;
	int error = read_header(&recording, why);
	close(recording.fd);
	*ret = recording.header;
	return error == 0;
}

/* A region of `count` elements, each at a multiple of `stride`, packed. NULL without memory. */
static void *load(const struct cg_recording *recording, uint64_t offset, size_t count, size_t stride, size_t size)
{
	char *raw = malloc(count * stride), *packed = calloc(count, size);
	if (raw && packed) {
		cg_recording_read(recording, offset, raw, count * stride);
		for (size_t i = 0; i < count; i++)
			memcpy(packed + i * size, raw + i * stride, size);
	} else {
		free(packed);
		packed = NULL;
	}
	free(raw);
	return packed;
}

static bool load_all(struct cg_recording *r)
{
	r->modules = load(r, CG_OFF_MODULES, CG_MAX_MODULES, sizeof *r->modules, sizeof *r->modules);
	r->sites = load(r, CG_OFF_SITES, CG_MAX_SITES, STRIDE, sizeof *r->sites);
	r->events = load(r, CG_OFF_EVENTS, CG_MAX_EVENTS, STRIDE, sizeof *r->events);
	r->departed = load(r, CG_OFF_DEPARTED, CG_MAX_DEPARTED, STRIDE, sizeof *r->departed);
	r->labels = load(r, CG_OFF_LABELS, CG_MAX_LABELS, sizeof *r->labels, sizeof *r->labels);
	for (unsigned i = 0; r->labels && i < CG_MAX_LABELS; i++)
		r->labels[i].text[sizeof r->labels[i].text - 1] = '\0';
	return r->modules && r->sites && r->events && r->departed && r->labels;
}

/* Where the file has to reach for what its header tells of. */
static uint64_t expected_size(const struct cg_header *h)
{
	uint64_t stacks = h->stack_used < CG_STACK_ARENA ? h->stack_used : CG_STACK_ARENA;
	uint64_t fds = h->highest_fd < CG_MAX_FDS ? h->highest_fd + 1ull : CG_MAX_FDS;
	uint64_t size = stacks ? CG_OFF_STACK_ARENA + stacks : CG_CHUNK_SIZE;
	return h->count.opened ? CG_OFF_SLOTS + fds * sizeof(struct cg_slot) : size;
}

/* Parts of the file that memory has taken the place of are no sign that it was cut off. */
static bool is_cut_off(const struct cg_recording *recording)
{
	const struct cg_header *h = &recording->header;
	return recording->size % CG_CHUNK_SIZE || (!h->anonymous && recording->size < expected_size(h));
}

/* A living process may be about to grow the file, so one that looks cut off is looked at again. */
static void find_size(struct cg_recording *recording)
{
	struct stat st;
	for (int i = 0; i < RETRIES; i++) {
		recording->size = fstat(recording->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
		if (!is_cut_off(recording))
			return;
		if (!recording->alive)
			return;
		cg_recording_pause();
	}
}

static void find_process(struct cg_recording *recording)
{
	const struct cg_header *h = &recording->header;
	struct utsname here;
	recording->elsewhere = uname(&here) == 0 && strncmp(here.nodename, h->host, sizeof h->host - 1) != 0;
	bool there = !recording->elsewhere && h->pid && cg_proc_alive(h->pid, h->process_start);
	recording->foreign = there && !cg_recording_may_be_of(h);
	recording->alive = there && !recording->foreign;
	recording->as_of_ns = h->last_sweep_ns > h->start_ns ? h->last_sweep_ns : h->start_ns;
}

int cg_recording_open_fd(int fd, const char *path, struct cg_recording *ret, char ret_why[CG_RECORDING_WHY])
{
	struct cg_recording recording = {.path = path, .fd = fd};
	int error = read_header(&recording, ret_why);
	if (!error) {
		find_process(&recording);
		find_size(&recording);
		if (!load_all(&recording)) {
			error = -ENOMEM;
			(void)cg_common_print(ret_why, CG_RECORDING_WHY, "%s: %s", path, strerror(ENOMEM));
		}
	}
	if (error) {
		cg_recording_close(&recording);
		return error;
	}
	*ret = recording;
	return 0;
}

int cg_recording_open(const char *path, struct cg_recording *ret, char ret_why[CG_RECORDING_WHY])
{
	int fd = -1, error = open_file(path, &fd, ret_why);
	return error ? error : cg_recording_open_fd(fd, path, ret, ret_why);
}

void cg_recording_close(struct cg_recording *recording)
{
	free(recording->modules);
	free(recording->sites);
	free(recording->events);
	free(recording->departed);
	free(recording->labels);
	close(recording->fd);
}

static bool has_our_layout(const struct cg_header *h)
{
	return h->header_size == sizeof *h && h->chunk_size == CG_CHUNK_SIZE &&
	       h->slot_size == sizeof(struct cg_slot) && h->off_modules == CG_OFF_MODULES &&
	       h->off_sites == CG_OFF_SITES && h->off_stack_index == CG_OFF_STACK_INDEX &&
	       h->off_stack_arena == CG_OFF_STACK_ARENA && h->off_events == CG_OFF_EVENTS &&
	       h->off_departed == CG_OFF_DEPARTED && h->off_findings == CG_OFF_FINDINGS &&
	       h->off_labels == CG_OFF_LABELS && h->off_actions == CG_OFF_ACTIONS && h->off_slots == CG_OFF_SLOTS;
}

unsigned cg_recording_troubles(const struct cg_recording *recording, char ret[CG_RECORDING_TROUBLES][CG_RECORDING_WHY])
{
	const struct cg_header *h = &recording->header;
	const char *path = recording->path;
	unsigned n = 0;
	if (!has_our_layout(h))
		(void)cg_common_print(
		    ret[n++], CG_RECORDING_WHY,
		    "%s is damaged: its header names another layout than version %d has, which is used", path,
		    CG_RECORD_VERSION);
	if (recording->foreign)
		(void)cg_common_print(ret[n++], CG_RECORDING_WHY,
		                      "%s belongs to user %u and says that it is of process %d, which is another "
		                      "user's: it is not believed to be that process's",
		                      path, h->uid, h->pid);
	if (is_cut_off(recording))
		(void)cg_common_print(
		    ret[n++], CG_RECORDING_WHY,
		    "%s ends after %llu bytes, by its header it has at least %llu in parts of %d: what "
		    "is behind that is lost",
		    path, (unsigned long long)recording->size, (unsigned long long)expected_size(h), CG_CHUNK_SIZE);
	if (h->anonymous)
		(void)cg_common_print(ret[n++], CG_RECORDING_WHY,
		                      "%s could not grow: %u parts of the record stayed in the process's memory", path,
		                      h->anonymous);
	if (recording->lost_stacks || recording->lost_findings || recording->torn_findings)
		(void)cg_common_print(ret[n++], CG_RECORDING_WHY,
		                      "%s: stacks damaged or missing: %u; findings damaged and left out: %u; findings "
		                      "that were being rewritten, shown as they stand: %u",
		                      path, recording->lost_stacks, recording->lost_findings, recording->torn_findings);
	if (recording->unknown_calls || recording->unknown_findings)
		(void)cg_common_print(
		    ret[n++], CG_RECORDING_WHY,
		    "%s was made by a newer closeguard: calls that this one does not know: %u; findings "
		    "whose kind or cause it does not know, shown as unknown: %u",
		    path, recording->unknown_calls, recording->unknown_findings);
	return n;
}
