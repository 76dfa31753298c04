/*
 * prog_lines_cpp COUNT: forgets connections in C++, in templates, lambdas and members that the compiler inlines.
 */
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace net
{
static volatile int served;

template <typename Call> inline __attribute__((always_inline)) int retry(Call call)
{
	int result = call();
	served = served + 1;
	return result;
}

struct Server {
	int from;

	inline __attribute__((always_inline)) int take() const
	{
		return retry([this] { return accept4(from, nullptr, nullptr, SOCK_CLOEXEC); });
	}

	template <unsigned Size> __attribute__((noinline)) void serve() const
	{
		char data[Size];
		int fd = take();
		while (retry([&] { return (int)recv(fd, data, sizeof data, 0); }) > 0)
			;
		retry([&] { return (int)write(fd, "ok\n", 3); });
		served = served + 1;
	}
};

static int listener()
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {};
	socklen_t size = sizeof at;
	at.sin_family = AF_INET;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		std::exit(3);
	std::printf("port %d\n", ntohs(at.sin_port));
	std::fflush(stdout);
	return fd;
}
} // namespace net

int main(int argc, char **argv)
{
	net::Server server{net::listener()};
	for (int i = 0; i < std::atoi(argv[argc - 1]); i++)
		server.serve<16>();
	std::puts("ready");
	std::fflush(stdout);
	while (std::getchar() != EOF)
		;
	return 0;
}
