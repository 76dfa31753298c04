/*
 * slots.c: prints what recorders say of descriptors, for the model's driver: slots RECORDER...
 *
 * Read by pread and not by a map: reading a hole of a map on tmpfs would fill it with pages.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record.h"

static int read_at(int fd, void *buf, size_t n, uint64_t offset)
{
	ssize_t r = pread(fd, buf, n, (off_t)offset);
	if (r < 0)
		return -1;
	memset((char *)buf + r, 0, n - (size_t)r); /* the file has not grown so far: nothing is recorded there */
	return 0;
}

static void print_slot(int fd, const struct cg_slot *slot)
{
	static const char *const name[] = {"none", "conn", "listener", "closed"};
	printf("slot %d %s %llu %llu flags=%x role=%u origin=%u open_call=%u conn=%u gen=%u\n", fd,
	       slot->kind <= CG_FD_CLOSED ? name[slot->kind] : "?", (unsigned long long)slot->inode,
	       (unsigned long long)slot->cookie, slot->flags, slot->role, slot->origin, slot->open_call, slot->conn,
	       slot->gen);
}

static int print_departed(int file, const struct cg_header *header)
{
	struct cg_departed departed;
	uint64_t end = header->count.departed_seq, from = end > CG_MAX_DEPARTED ? end - CG_MAX_DEPARTED : 0;
	for (uint64_t seq = from; seq < end; seq++) {
		if (read_at(file, &departed, sizeof departed, header->off_departed + seq % CG_MAX_DEPARTED * 256))
			return -1;
		printf("departed %d - %llu conn=%u flags=%x origin=%u close_call=%u gen=%u\n", departed.fd,
		       (unsigned long long)departed.slot.inode, departed.conn, departed.slot.flags,
		       departed.slot.origin, departed.slot.close_call, departed.gen);
	}
	return 0;
}

static int print_recorder(int file)
{
	static struct cg_header header;
	struct cg_slot slot;
	if (read_at(file, &header, sizeof header, 0) || memcmp(header.magic, CG_RECORD_MAGIC, 8) ||
	    header.version != CG_RECORD_VERSION || header.slot_size != sizeof slot)
		return -1;
	printf("recorder %d state=%u anonymous=%u open_now=%u opened=%llu closed=%llu\n", header.pid, header.state,
	       header.anonymous, header.open_now, (unsigned long long)header.count.opened,
	       (unsigned long long)header.count.closed);
	for (uint32_t fd = 0; fd <= header.highest_fd && fd < CG_MAX_FDS; fd++) {
		if (read_at(file, &slot, sizeof slot, header.off_slots + fd * sizeof slot))
			return -1;
		if (slot.kind != CG_FD_NONE)
			print_slot((int)fd, &slot);
	}
	return print_departed(file, &header);
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++) {
		int file = open(argv[i], O_RDONLY | O_CLOEXEC);
		if (file < 0 || print_recorder(file)) {
			fprintf(stderr, "%s is not a recorder that can be read\n", argv[i]);
			failed = 1;
		}
		if (file >= 0)
			close(file);
	}
	return failed;
}
