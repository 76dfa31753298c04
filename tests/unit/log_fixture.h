/* log_fixture.h: a directory for each case, and stderr replaced by what the case wants to look at. */
#ifndef LOG_FIXTURE_H
#define LOG_FIXTURE_H

#include "log.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char base_dir[] = "/tmp/closeguard-test-log.XXXXXX";
static char case_dir[64];

static inline void make_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(base_dir));
}

static inline void remove_dir(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", base_dir);
	ck_assert_int_eq(system(command), 0);
}

static inline void make_case_dir(void)
{
	snprintf(case_dir, sizeof(case_dir), "%s/%d", base_dir, getpid());
	ck_assert_int_eq(mkdir(case_dir, 0700), 0);
}

/* The path of a file of this case; some calls may be made before the first answer is overwritten. */
static inline const char *in_dir(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", case_dir, name);
	return path;
}

static inline int start_with(const char *target, int pid)
{
	const struct cg_log_config config = {
	    .target = target,
	    .app = "my/app",
	    .host = "box/1",
	    .pid = pid,
	    .start_realtime_ns = 1772366400000000000 + 123456789,
	};
	return cg_log_init(&config);
}

static inline int try_start(const char *target)
{
	return start_with(target, 4711);
}

static inline void start_as(const char *target, int pid)
{
	ck_assert_int_eq(start_with(target, pid), 0);
}

static inline void start(const char *target)
{
	start_as(target, 4711);
}

/* What follows the time that a line begins with. */
static inline const char *behind_time(const char *line)
{
	ck_assert_msg(strlen(line) > 25 && line[10] == 'T' && line[23] == 'Z', "no time in %s", line);
	return line + 25;
}

/* What can be read from fd without waiting. */
static inline const char *drained(int fd)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

static inline const char *content(const char *path)
{
	int fd = open(path, O_RDONLY);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	const char *text = drained(fd);
	close(fd);
	return text;
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Puts fd in stderr's place and closes it elsewhere. */
static inline void as_stderr(int fd)
{
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup2(fd, 2), 2);
	close(fd);
}

/* Returns the end to read from. */
static inline int pipe_as_stderr(void)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	as_stderr(ends[1]);
	return ends[0];
}

/* Numbered lines of 50 bytes; the last one is shorter but ends like the others. */
static inline void fill_lines(char *batch, size_t size)
{
	for (size_t i = 0; i < size; i++)
		batch[i] = (char)(i % 50 == 49 || i == size - 1 ? '\n' : 'a' + i / 50 % 26);
}

static inline uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void limit_descriptors(rlim_t soft)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Returns one of the descriptors that took the room. */
static inline int exhaust_descriptors(void)
{
	int last = -1, fd;
	limit_descriptors(64);
	while ((fd = open("/dev/zero", O_RDONLY)) >= 0)
		last = fd;
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_ge(last, 0);
	return last;
}

/* A sanitizer's look at the end needs some again. */
static inline void free_descriptors(void)
{
	limit_descriptors(1024);
}

static inline unsigned count_descriptors(void)
{
	unsigned count = 0;
	DIR *dir = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

#endif
