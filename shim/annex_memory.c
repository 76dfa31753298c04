/*
 * annex_memory.c: how much of the process's memory the files in use may take, all together.
 *
 * What is read of a file is the process's own memory: unlike a mapping's, the kernel cannot drop it when memory is
 * short, and kills instead.
 */
#include "annex.h"
#include "annex_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

/* A few MiB matter to nobody; more is taken only where it is a small part of what is to be had. */
static const uint64_t always = 16u << 20;
enum { PART = 4 };

static uint64_t limit = 256u << 20;
static uint64_t taken;

__attribute__((visibility("default"))) void cg_annex_memory(uint64_t bytes)
{
	limit = bytes;
}

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = cg_sys_open(path, O_RDONLY | O_NONBLOCK, 0);
	ssize_t n = fd < 0 ? -1 : cg_sys_pread(fd, text, size - 1, 0);
	if (fd >= 0)
		cg_sys_close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* UINT64_MAX where there is no such file, or no number in it ("max"). */
static uint64_t read_number(const char *folder, const char *name)
{
	char path[512], text[64], *end;
	int n = snprintf(path, sizeof path, "%s/%s", folder, name);
	if (n < 0 || n >= (int)sizeof path || !read_text(path, text, sizeof text))
		return UINT64_MAX;
	uint64_t number = strtoull(text, &end, 10);
	return end == text ? UINT64_MAX : number;
}

static uint64_t room_in(const char *folder, const char *most, const char *used)
{
	uint64_t limit_here = read_number(folder, most), used_here = read_number(folder, used);
	if (limit_here == UINT64_MAX || used_here == UINT64_MAX)
		return UINT64_MAX;
	return used_here < limit_here ? limit_here - used_here : 0;
}

/* Inside a container its own group is at the top; a service's is below. What files take in it counts as used. */
static uint64_t room_in_group(void)
{
	char text[1024], folder[512] = "/sys/fs/cgroup", *path;
	uint64_t room = room_in(folder, "memory.max", "memory.current");
	uint64_t old = room_in("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes");
	room = old < room ? old : room;
	if (!read_text("/proc/self/cgroup", text, sizeof text) || !(path = strstr(text, "0::/")))
		return room;
	path[strcspn(path, "\n")] = '\0';
	int n = snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", path + 3);
	uint64_t own = n < (int)sizeof folder ? room_in(folder, "memory.max", "memory.current") : UINT64_MAX;
	return own < room ? own : room;
}

static uint64_t room_on_host(void)
{
	char text[1024];
	const char *line = read_text("/proc/meminfo", text, sizeof text) ? strstr(text, "MemAvailable:") : NULL;
	return line ? strtoull(line + sizeof "MemAvailable:" - 1, NULL, 10) << 10 : UINT64_MAX;
}

bool cg_annex_memory_take(uint64_t bytes)
{
	if (bytes > limit || taken > limit - bytes)
		return false;
	if (taken + bytes > always && (bytes > room_on_host() / PART || bytes > room_in_group() / PART))
		return false;
	taken += bytes;
	return true;
}

void cg_annex_memory_give(uint64_t bytes)
{
	taken -= bytes < taken ? bytes : taken;
}

bool cg_annex_memory_never(uint64_t bytes)
{
	return bytes > limit;
}
