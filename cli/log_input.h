/*
 * log_input.h: the bytes of a file, of standard input, or of what either has compressed with gzip.
 */
#ifndef CG_LOG_INPUT_H
#define CG_LOG_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

#include "recording.h"

enum { CG_INPUT_HEAD = 512 };

struct cg_input {
	const char *path; /* the caller's, or "standard input" */
	gzFile gz;
	bool is_file;             /* it can be opened again by its path, and is not compressed */
	uint64_t size;            /* bytes, compressed ones where it is so; 0: unknown */
	char head[CG_INPUT_HEAD]; /* the first bytes, which reading gives once more */
	size_t head_size, head_read;
};

/* Opens a path, "-" for standard input. Returns 0, or -errno with one line that names it. */
int cg_input_open(const char *path, struct cg_input *ret, char ret_why[CG_RECORDING_WHY]);
void cg_input_close(struct cg_input *input);

/* At most `size` bytes; 0 at the end; -errno where no more can be read, with one line that names it. */
ssize_t cg_input_read(struct cg_input *input, void *data, size_t size, char ret_why[CG_RECORDING_WHY]);

/* How many of `size` have been read. */
uint64_t cg_input_position(const struct cg_input *input);

/* Does it begin as a recorder does, or as one that is only being made? */
bool cg_input_is_recorder(const struct cg_input *input);

/* Does it begin as a saved report does? */
bool cg_input_is_report(const struct cg_input *input);

/* A sparse, unnamed copy of all that is to be read, at most `most` bytes. A descriptor, or -errno with one line. */
int cg_input_copy(struct cg_input *input, uint64_t most, char ret_why[CG_RECORDING_WHY]);

#endif
