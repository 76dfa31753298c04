/*
 * log_input.c: opens what may hold a log, and unpacks it.
 */
#include "log_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "sys_regular.h"

enum { UNPACKED = 256 << 10, PIECE = 16 << 10 };

/* The shell's <(command) is a path of /dev/fd. */
static int open_stream(const char *path)
{
	const char *number = strncmp(path, "/dev/fd/", 8) == 0          ? path + 8
	                     : strncmp(path, "/proc/self/fd/", 14) == 0 ? path + 14
	                                                                : NULL;
	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0)
		number = "0";
	if (!number || !*number || strlen(number) > 6 || number[strspn(number, "0123456789")])
		return -ENOENT;
	int fd = fcntl(atoi(number), F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -EBADF : fd;
}

static int refuse(const char *path, int error, char *why)
{
	if (error == -EISDIR || error == -EINVAL)
		(void)cg_common_print(why, CG_RECORDING_WHY,
		                      "%s is %s; a recorder (PID.NUMBER.rec) or a log is a regular file, or comes in "
		                      "through \"-\"",
		                      path, error == -EISDIR ? "a directory" : "no regular file");
	else
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s cannot be read: %s", path, strerror(-error));
	return error;
}

static int open_file(const char *path, int *ret_fd, uint64_t *ret_size, char *why)
{
	struct stat st;
	int fd = open_stream(path);
	bool stream = fd != -ENOENT;
	if (!stream)
		fd = cg_open_regular(path, 0);
	if (fd < 0)
		return refuse(path, fd, why);
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		close(fd);
		return refuse(path, -EISDIR, why);
	}
	*ret_fd = fd;
	*ret_size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return stream;
}

/* One read may give less than there is. */
static void read_head(struct cg_input *input)
{
	while (input->head_size < sizeof input->head) {
		int n = gzread(input->gz, input->head + input->head_size,
		               (unsigned)(sizeof input->head - input->head_size));
		if (n <= 0)
			return;
		input->head_size += (size_t)n;
	}
}

int cg_input_open(const char *path, struct cg_input *ret, char ret_why[CG_RECORDING_WHY])
{
	int fd = -1;
	memset(ret, 0, sizeof *ret);
	ret->path = strcmp(path, "-") == 0 ? "standard input" : path;
	int stream = open_file(path, &fd, &ret->size, ret_why);
	if (stream < 0)
		return stream;
	ret->gz = gzdopen(fd, "rb");
	if (!ret->gz) {
		close(fd);
		(void)cg_common_print(ret_why, CG_RECORDING_WHY, "%s: %s", ret->path, strerror(ENOMEM));
		return -ENOMEM;
	}
	(void)gzbuffer(ret->gz, UNPACKED);
	read_head(ret);
	ret->is_file = !stream && gzdirect(ret->gz);
	return 0;
}

void cg_input_close(struct cg_input *input)
{
	(void)gzclose(input->gz);
}

/* The end of the file in the midst of compressed data is told by no error, only by gzclose; and here. */
static ssize_t fail(struct cg_input *input, char *why)
{
	int code = 0;
	const char *text = gzerror(input->gz, &code);
	if (code == Z_OK || code == Z_STREAM_END)
		return 0;
	if (code == Z_ERRNO)
		text = strerror(errno);
	if (code == Z_BUF_ERROR)
		text = "its compressed data are cut off";
	else if (code == Z_DATA_ERROR)
		text = "its compressed data are damaged";
	(void)cg_common_print(why, CG_RECORDING_WHY, "%s: %s after %llu bytes", input->path, text,
	                      (unsigned long long)gztell(input->gz));
	return -EIO;
}

ssize_t cg_input_read(struct cg_input *input, void *data, size_t size, char ret_why[CG_RECORDING_WHY])
{
	size_t rest = input->head_size - input->head_read;
	if (rest) {
		rest = rest < size ? rest : size;
		memcpy(data, input->head + input->head_read, rest);
		input->head_read += rest;
		return (ssize_t)rest;
	}
	int n = gzread(input->gz, data, (unsigned)(size < UNPACKED ? size : UNPACKED));
	return n > 0 ? n : fail(input, ret_why);
}

uint64_t cg_input_position(const struct cg_input *input)
{
	z_off_t at = gzoffset(input->gz);
	return at > 0 ? (uint64_t)at : 0;
}

bool cg_input_is_recorder(const struct cg_input *input)
{
	static const char nothing[sizeof CG_RECORD_MAGIC];
	size_t size = input->head_size < sizeof nothing ? input->head_size : sizeof nothing;
	return size && (memcmp(input->head, CG_RECORD_MAGIC, size) == 0 || memcmp(input->head, nothing, size) == 0);
}

bool cg_input_is_report(const struct cg_input *input)
{
	static const char name[] = "\"event\"", value[] = "\"report\"";
	const char *end = input->head + input->head_size;
	const char *at = memmem(input->head, input->head_size, name, strlen(name));
	if (!at)
		return false;
	for (at += strlen(name); at < end && strchr(" \t\r\n:", *at) && *at; at++)
		;
	return (size_t)(end - at) >= strlen(value) && memcmp(at, value, strlen(value)) == 0;
}

/* Zeros become holes: a recorder is mostly holes, and its copy is in memory. */
static int copy_piece(int fd, const char *piece, size_t size, uint64_t at)
{
	static const char zeros[PIECE];
	if (memcmp(piece, zeros, size) == 0)
		return 0;
	return pwrite(fd, piece, size, (off_t)at) == (ssize_t)size ? 0 : -ENOSPC;
}

int cg_input_copy(struct cg_input *input, uint64_t most, char ret_why[CG_RECORDING_WHY])
{
	char piece[PIECE];
	uint64_t at = 0;
	int fd = memfd_create("closeguard", MFD_CLOEXEC), error = fd < 0 ? -errno : 0;
	for (ssize_t n; !error && at < most && (n = cg_input_read(input, piece, sizeof piece, ret_why)) > 0;) {
		error = copy_piece(fd, piece, (size_t)n, at);
		at += (uint64_t)n;
	}
	if (!error && ftruncate(fd, (off_t)at) < 0)
		error = -errno;
	if (!error)
		return fd;
	(void)cg_common_print(ret_why, CG_RECORDING_WHY, "%s cannot be unpacked: %s", input->path, strerror(-error));
	if (fd >= 0)
		close(fd);
	return error;
}
