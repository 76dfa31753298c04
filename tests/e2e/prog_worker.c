/*
 * prog_worker HOW: a master with connections starts a worker by "fork" or "_Fork"; where it may, the worker
 * gives up its rights. It tells what it can reach of a recorder: "maps N fds N opens N".
 */
#include "prog.h"

#include <dirent.h>
#include <sys/syscall.h>

static unsigned count_maps(void)
{
	char line[512];
	unsigned n = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(line, sizeof line, maps))
		n += strstr(line, ".rec") != NULL;
	if (!maps || fclose(maps) != 0)
		exit(4);
	return n;
}

/* How many of these links, by which it could be opened, lead to a recorder. */
static unsigned count_links(const char *folder)
{
	char path[512], target[512];
	unsigned n = 0;
	DIR *dir = opendir(folder);
	for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		snprintf(path, sizeof path, "%s/%.200s", folder, entry->d_name);
		ssize_t got = readlink(path, target, sizeof target - 1);
		target[got > 0 ? got : 0] = '\0';
		n += strstr(target, ".rec") != NULL;
	}
	if (!dir || closedir(dir) != 0)
		exit(4);
	return n;
}

static unsigned count_opened(const char *folder)
{
	char path[512];
	unsigned n = 0;
	DIR *dir = opendir(folder);
	for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		snprintf(path, sizeof path, "%s/%.200s", folder, entry->d_name);
		int fd = strstr(entry->d_name, ".rec") ? open(path, O_RDWR) : -1;
		n += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
	return n;
}

static void work(void)
{
	bool dropped = getuid() == 0;
	/*
	 * By the kernel's own calls: past a _Fork glibc's are for all threads that it knows of, and wait for one that
	 * had not begun when the process forked.
	 */
	if (dropped && (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 65534, 65534, 65534) < 0 ||
	                syscall(SYS_setresuid, 65534, 65534, 65534) < 0))
		exit(5);
	unsigned maps = count_maps(), fds = count_links("/proc/self/fd");
	say("worker maps %u fds %u opens %u", maps, fds, dropped ? count_opened(getenv("CLOSEGUARD_DIR")) : 0);
}

static void leak_one(void)
{
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
}

int main(int argc, char **argv)
{
	int status = -1;
	if (argc != 2)
		return 2;
	leak_one();
	say("master maps %u fds %u", count_maps() > 0, count_links("/proc/self/fd") > 0);
	pid_t pid = strcmp(argv[1], "_Fork") == 0 ? _Fork() : fork();
	if (pid == 0) {
		work();
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return 6;
	leak_one();
	stay();
	return 0;
}
