/* leak.c: a program that reads a connection's end and does not close it, three times, and goes on for a while. */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static __attribute__((noinline)) void read_and_forget(int from)
{
	char buf[16];
	int fd = accept(from, NULL, NULL);
	while (read(fd, buf, sizeof buf) > 0)
		;
}

static void connect_and_leave(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0 || write(fd, "x", 1) != 1)
		err(3, "connect");
	close(fd);
}

int main(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof name;
	int from = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(from, (struct sockaddr *)&name, len) < 0 || listen(from, 8) < 0 ||
	    getsockname(from, (struct sockaddr *)&name, &len) < 0)
		err(3, "listen");
	for (int i = 0; i < 3; i++) {
		connect_and_leave(&name);
		read_and_forget(from);
	}
	sleep(4);
	return 0;
}
