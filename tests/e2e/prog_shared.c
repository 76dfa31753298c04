/* prog_shared HOW PORT [COUNT]: connects, then closes its own descriptor while a dup, a child or another process has
 * one. */
#include "prog.h"

#include <wordexp.h>

static struct session {
	int spare;
} sessions[64];

static void pass(int fd, int over)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
	if (sendmsg(over, &msg, 0) != 1)
		err(3, "sendmsg");
}

/* A copy that the holder receives and keeps; it is forked before there is a connection. */
static int holder(void)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		err(3, "socketpair");
	pid_t child = fork();
	if (child == 0) {
		char byte, control[CMSG_SPACE(sizeof(int))];
		struct iovec iov = {&byte, 1};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
		close(ends[0]);
		do {
			msg.msg_control = control;
			msg.msg_controllen = sizeof(control);
		} while (recvmsg(ends[1], &msg, 0) > 0);
		stay();
		_exit(0);
	}
	close(ends[1]);
	say("child %d", child);
	return ends[0];
}

static void keep_by_child(int fd)
{
	pid_t child = fork();
	if (child == 0) {
		stay();
		_exit(0);
	}
	say("child %d", child);
	(void)fd;
}

/* A helper that outlives the shell which started it, in the three ways in which libc starts a shell by itself. */
#define HELPER "exec 9<&0; cat <&9 >/dev/null 2>&1 & echo child $!"

static void keep_by_helper(const char *how)
{
	char line[64] = "";
	wordexp_t words;
	FILE *from = strcmp(how, "popen") == 0 ? popen(HELPER, "r") : NULL;
	if (from && fgets(line, sizeof(line), from) && pclose(from) == 0)
		say("child %d", atoi(line + strlen("child ")));
	else if (strcmp(how, "system") == 0 && system(HELPER) < 0)
		err(3, "system");
	else if (strcmp(how, "wordexp") == 0 && wordexp("$(" HELPER ")", &words, 0) == 0)
		say("child %s", words.we_wordv[1]);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: prog_shared dup|fcntl|child|passed|popen|system|wordexp PORT [COUNT]");
	int count = argc > 3 ? atoi(argv[3]) : 1;
	int over = strcmp(argv[1], "passed") == 0 ? holder() : -1;
	for (int i = 0; i < count; i++) {
		int fd = connect_to(atoi(argv[2]));
		if (over >= 0)
			pass(fd, over);
		else if (strcmp(argv[1], "dup") == 0)
			sessions[i].spare = dup(fd);
		else if (strcmp(argv[1], "fcntl") == 0)
			sessions[i].spare = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		else if (strcmp(argv[1], "child") == 0)
			keep_by_child(fd);
		else
			keep_by_helper(argv[1]);
		close(fd);
	}
	say("ready");
	stay();
	return 0;
}
