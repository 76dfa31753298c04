/*
 * recording.c: reads a recorder without believing it.
 */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "procfs.h"

/* How far apart the elements of the ring and table regions are. */
enum { STRIDE = 256, FINDING_STRIDE = 128, RETRIES = 20 };

/* Reads at most n bytes; what the file does not have is zero. Returns how many there were. */
static size_t read_at(const struct cg_recording *recording, uint64_t offset, void *data, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = pread(recording->fd, (char *)data + got, n - got, (off_t)(offset + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	memset((char *)data + got, 0, n - got);
	return got;
}

static void pause_a_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int open_file(const char *path, int *ret_fd, char *why)
{
	struct stat st;
	/* NONBLOCK: a FIFO without a writer would keep us. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;
	if (error == ELOOP)
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s is a symbolic link; name the recorder itself", path);
	else if (error)
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s cannot be read: %s", path, strerror(error));
	if (error)
		return -error;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s is %s; a recorder is a regular file, PID.NUMBER.rec",
		                      path, S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
		close(fd);
		return -EINVAL;
	}
	*ret_fd = fd;
	return 0;
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
		(void)cg_common_print(why, CG_RECORDING_WHY,
		                      "%s is no recorder: it does not begin with \"%s\" (logs cannot be read yet)",
		                      path, CG_RECORD_MAGIC);
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

static int read_header(struct cg_recording *recording, char *why)
{
	struct cg_header *h = &recording->header;
	int error = check_header(recording, read_at(recording, 0, h, sizeof *h), why);
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
		read_at(recording, offset, raw, count * stride);
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
		pause_a_moment();
	}
}

static void find_process(struct cg_recording *recording)
{
	const struct cg_header *h = &recording->header;
	struct utsname here;
	recording->elsewhere = uname(&here) == 0 && strncmp(here.nodename, h->host, sizeof h->host - 1) != 0;
	recording->alive = !recording->elsewhere && cg_proc_alive(h->pid, h->process_start);
	recording->as_of_ns = h->last_sweep_ns > h->start_ns ? h->last_sweep_ns : h->start_ns;
}

int cg_recording_open(const char *path, struct cg_recording *ret, char ret_why[CG_RECORDING_WHY])
{
	struct cg_recording recording = {.path = path, .fd = -1};
	int error = open_file(path, &recording.fd, ret_why);
	if (error)
		return error;
	error = read_header(&recording, ret_why);
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

void cg_recording_close(struct cg_recording *recording)
{
	free(recording->modules);
	free(recording->sites);
	free(recording->events);
	free(recording->departed);
	free(recording->labels);
	close(recording->fd);
}

/* False where it changed under the reading. */
static bool read_finding(const struct cg_recording *recording, unsigned i, struct cg_kept_finding *ret)
{
	struct cg_kept_finding before;
	uint64_t offset = CG_OFF_FINDINGS + (uint64_t)i * FINDING_STRIDE;
	read_at(recording, offset, &before, sizeof before);
	read_at(recording, offset, ret, sizeof *ret);
	return before.gen == ret->gen && !(ret->gen & 1);
}

static bool is_sound(const struct cg_kept_finding *kept)
{
	return kept->kind < CG_KIND_COUNT && kept->cause < CG_CAUSE_COUNT && kept->verdict <= CG_VERDICT_INFO &&
	       kept->origin <= CG_ORIGIN_UNSEEN;
}

bool cg_recording_finding(struct cg_recording *recording, unsigned i, struct cg_kept_finding *ret)
{
	bool settled = read_finding(recording, i, ret);
	for (int tries = 0; !settled && tries < RETRIES && recording->alive; tries++) {
		pause_a_moment();
		settled = read_finding(recording, i, ret);
	}
	if (ret->kind == CG_KIND_NONE || ret->count == 0)
		return false;
	bool sound = is_sound(ret);
	recording->lost_findings += !sound;
	recording->torn_findings += sound && !settled;
	return sound;
}

void cg_recording_stack(struct cg_recording *recording, uint32_t id, struct cg_place *place)
{
	struct cg_stack stack;
	uint64_t offset = (id - 1ull) * 8;
	if (!id)
		return;
	bool inside = offset + sizeof stack <= CG_STACK_ARENA;
	if (inside)
		read_at(recording, CG_OFF_STACK_ARENA + offset, &stack, sizeof stack);
	size_t length = inside ? stack.depth * sizeof stack.ip[0] : 0;
	/* No stack crosses the end of a chunk, so none that does is one. */
	if (!length || stack.depth > CG_MAX_DEPTH || offset % CG_CHUNK_SIZE + sizeof stack + length > CG_CHUNK_SIZE ||
	    read_at(recording, CG_OFF_STACK_ARENA + offset + sizeof stack, place->ip, length) < length) {
		recording->lost_stacks++;
		return;
	}
	place->depth = stack.depth;
	place->stack_flags = stack.flags;
	place->generation = stack.generation;
}

const struct cg_module *cg_recording_module(const struct cg_recording *recording, uint64_t ip, uint32_t generation)
{
	enum { VALID = 2 };
	for (unsigned i = 0; i < CG_MAX_MODULES; i++) {
		const struct cg_module *m = &recording->modules[i];
		if (m->state == VALID && ip > m->start && ip <= m->end && m->loaded <= generation &&
		    (!m->unloaded || generation < m->unloaded))
			return m;
	}
	return NULL;
}

const struct cg_site *cg_recording_site(const struct cg_recording *recording, uint32_t stack)
{
	for (unsigned i = 0; stack && i < CG_MAX_SITES; i++)
		if (recording->sites[i].stack == stack)
			return &recording->sites[i];
	return NULL;
}

/* The next offset with something in it, at the start of a chunk; `at` where holes cannot be told. */
static uint64_t skip_hole(const struct cg_recording *recording, uint64_t at)
{
	off_t data = lseek(recording->fd, (off_t)at, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? CG_RECORD_SIZE : at;
	return (uint64_t)data & ~(uint64_t)(CG_CHUNK_SIZE - 1);
}

void cg_recording_slots(const struct cg_recording *recording, cg_slot_visit *visit, void *context)
{
	struct cg_slot slots[CG_CHUNK_SIZE / sizeof(struct cg_slot)];
	uint64_t end = recording->size < CG_RECORD_SIZE ? recording->size : CG_RECORD_SIZE;
	for (uint64_t at = CG_OFF_SLOTS; at < end; at += sizeof slots) {
		at = skip_hole(recording, at);
		if (at >= end)
			return;
		read_at(recording, at, slots, sizeof slots);
		for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
			if (slots[i].kind != CG_FD_NONE && !(slots[i].gen & 1))
				visit((int)((at - CG_OFF_SLOTS) / sizeof slots[0] + i), &slots[i], context);
	}
}

static bool has_our_layout(const struct cg_header *h)
{
	return h->header_size == sizeof *h && h->chunk_size == CG_CHUNK_SIZE &&
	       h->slot_size == sizeof(struct cg_slot) && h->off_modules == CG_OFF_MODULES &&
	       h->off_sites == CG_OFF_SITES && h->off_stack_index == CG_OFF_STACK_INDEX &&
	       h->off_stack_arena == CG_OFF_STACK_ARENA && h->off_events == CG_OFF_EVENTS &&
	       h->off_departed == CG_OFF_DEPARTED && h->off_findings == CG_OFF_FINDINGS &&
	       h->off_labels == CG_OFF_LABELS && h->off_slots == CG_OFF_SLOTS;
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
	return n;
}
