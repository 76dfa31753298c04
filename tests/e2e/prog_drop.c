/*
 * prog_drop WHEN FOLDER: a server that gives its rights up: "early", before its first socket; "late", after it; in a
 * "worker" that it forks; "root", with FOLDER as its new root. Then it leaks a connection.
 */
#include <grp.h>

#include "prog.h"

enum { NOBODY = 65534 };

static void drop(const char *folder)
{
	if (folder && (chroot(folder) < 0 || chdir("/") < 0))
		err(3, "chroot");
	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		err(3, "setuid");
}

static void serve(int server)
{
	char byte;
	int fd = accept(server, NULL, NULL);
	if (fd < 0 || read(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 0)
		err(3, "accept or read");
	say("leaked %d", (int)getpid());
	stay();
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_drop WHEN FOLDER");
	if (strcmp(argv[1], "early") == 0)
		drop(NULL);
	int server = listener(16, true);
	if (strcmp(argv[1], "late") == 0)
		drop(NULL);
	else if (strcmp(argv[1], "root") == 0)
		drop(argv[2]);
	if (strcmp(argv[1], "worker") == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			drop(NULL);
			serve(server);
			_exit(0);
		}
		return waitpid(pid, NULL, 0) == pid ? 0 : 3;
	}
	serve(server);
	return 0;
}
