/* parse_file.c: a policy's files: where each is, and what it holds. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse_file.h"

static int64_t ns_of(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* By the path as it was given, and not by what it led to: a link that leads elsewhere tomorrow is a change. */
static int make_absolute(const char *path, char *absolute, size_t size)
{
	char here[PATH_MAX];
	if (path[0] == '/')
		here[0] = '\0';
	else if (!getcwd(here, sizeof here))
		return -errno;
	return snprintf(absolute, size, "%s%s%s", here, path[0] == '/' ? "" : "/", path) < (int)size ? 0
	                                                                                             : -ENAMETOOLONG;
}

/* Returns the bytes, with a NUL behind them, to be freed; or NULL with the reason. */
static char *read_all(int fd, size_t *ret_size, char *why, size_t why_size)
{
	char *data = malloc(CG_CONFIG_SIZE + 2); /* untouched pages cost nothing */
	size_t size = 0;
	ssize_t n = 1;
	while (data && n > 0 && size <= CG_CONFIG_SIZE) {
		n = read(fd, data + size, CG_CONFIG_SIZE + 1 - size);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			size += (size_t)n;
	}
	if (data && n >= 0 && size <= CG_CONFIG_SIZE) {
		data[size] = '\0';
		*ret_size = size;
		return data;
	}
	snprintf(why, why_size, "%s",
	         !data   ? "there is no memory to read it"
	         : n < 0 ? strerror(errno)
	                 : "it is larger than 1 MiB, which no policy needs to be");
	free(data);
	return NULL;
}

/* Whether the file is one of those that led to it. */
static bool leads_to_itself(const struct cg_config *parse, const struct stat *found, int parent)
{
	for (; parent >= 0; parent = parse->parent[parent])
		if (parse->policy.files[parent].dev == found->st_dev &&
		    parse->policy.files[parent].inode == found->st_ino)
			return true;
	return false;
}

static void enter(struct cg_config *parse, const char *path, const char *absolute, const struct stat *found, int parent)
{
	uint32_t at = parse->policy.file_count++;
	struct cg_policy_file *file = &parse->policy.files[at];
	memcpy(file->path, absolute, strlen(absolute) + 1);
	memcpy(parse->shown[at], path, strlen(path) + 1);
	parse->parent[at] = parent;
	file->dev = found->st_dev;
	file->inode = found->st_ino;
	file->size = (uint64_t)found->st_size;
	file->mtime_ns = ns_of(found->st_mtim);
	file->ctime_ns = ns_of(found->st_ctim);
}

char *cg_config_file(struct cg_config *parse, const char *path, int parent, size_t *ret_size, char *why,
                     size_t why_size)
{
	char absolute[CG_POLICY_PATH];
	struct stat found;
	int error = strlen(path) < CG_POLICY_PATH ? make_absolute(path, absolute, sizeof absolute) : -ENAMETOOLONG;
	if (error) {
		snprintf(why, why_size, "%.200s: %s; %d bytes are allowed", path, strerror(-error), CG_POLICY_PATH - 1);
		return NULL;
	}
	int fd = cg_config_path_open(absolute, &found, why, why_size);
	if (fd < 0)
		return NULL;
	char *data = NULL;
	if (leads_to_itself(parse, &found, parent))
		snprintf(why, why_size, "it includes itself, by way of other files or not");
	else
		data = read_all(fd, ret_size, why, why_size);
	if (data)
		enter(parse, path, absolute, &found, parent);
	close(fd);
	return data;
}
