/*
 * fuzz_recorder.c: any bytes in the places of a recorder, read to the end: no crash, no leak.
 *
 * A recorder is mostly holes, so the input is a list of changes to an empty one: where (a region and an offset in it),
 * how many bytes, and the bytes.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../cli/report_recorder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t regions[] = {0,
                                   CG_OFF_MODULES,
                                   CG_OFF_SITES,
                                   CG_OFF_STACK_ARENA,
                                   CG_OFF_EVENTS,
                                   CG_OFF_DEPARTED,
                                   CG_OFF_FINDINGS,
                                   CG_OFF_LABELS,
                                   CG_OFF_SLOTS};
enum { REGIONS = sizeof regions / sizeof regions[0] };

struct change {
	uint8_t region, length;
	uint16_t offset;
};

static void put(int fd, const void *data, size_t size, uint64_t at)
{
	if (pwrite(fd, data, size, (off_t)at) != (ssize_t)size)
		abort();
}

/* Something to change: a finding whose stacks are there, of a descriptor that is. */
static void begin(int fd)
{
	struct cg_header header = {.magic = CG_RECORD_MAGIC,
	                           .version = CG_RECORD_VERSION,
	                           .state = CG_STATE_EXITED,
	                           .pid = 1,
	                           .start_ns = 1,
	                           .app = "app",
	                           .host = "host"};
	struct cg_stack stack = {.depth = 2, .generation = 1};
	uint64_t ip[2] = {0x1100, 0x1200};
	struct cg_kept_finding kept = {.kind = 1, .cause = 1, .count = 1, .open_stack = 1, .eof_stack = 1};
	struct cg_module module = {
	    .state = 2, .loaded = 1, .build_id_len = 4, .start = 0x1000, .end = 0x2000, .path = "/x/app"};
	struct cg_slot slot = {
	    .kind = CG_FD_CONN, .flags = CG_SLOT_EOF, .open_stack = 1, .eof_stack = 1, .first_seen_ns = 1};
	put(fd, &header, sizeof header, 0);
	put(fd, &stack, sizeof stack, CG_OFF_STACK_ARENA);
	put(fd, ip, sizeof ip, CG_OFF_STACK_ARENA + sizeof stack);
	put(fd, &kept, sizeof kept, CG_OFF_FINDINGS);
	put(fd, &module, sizeof module, CG_OFF_MODULES);
	put(fd, &slot, sizeof slot, CG_OFF_SLOTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cg_recording recording;
	char why[CG_RECORDING_WHY] = "";
	struct cg_merge merge;
	struct change change;
	int fd = memfd_create("recorder", MFD_CLOEXEC);
	if (fd < 0 || cg_merge_begin(&merge) < 0)
		abort();
	begin(fd);
	while (size > sizeof change) {
		memcpy(&change, data, sizeof change);
		data += sizeof change;
		size -= sizeof change;
		size_t length = change.length < size ? change.length : size;
		put(fd, data, length, regions[change.region % REGIONS] + change.offset);
		data += length;
		size -= length;
	}
	if (cg_recording_open_fd(fd, "recorder", &recording, why) == 0) {
		cg_report_recorder(&merge, &recording);
		json_decref(cg_merge_document(&merge));
		cg_recording_close(&recording);
	} else if (!*why || strchr(why, '\n')) {
		abort(); /* one line says what is wrong */
	}
	cg_merge_end(&merge);
	return 0;
}
