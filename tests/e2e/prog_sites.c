/*
 * prog_sites: four connections that are forgotten. Of one the end is read by the function itself, of one through a
 * function that others use too; two were opened through the same function and never used.
 */
#include "prog.h"

static int port;

/* No tail call, and no two functions that are alike, which the compiler would make one. */
#define KEEP_FRAME(fd, name) __asm__ volatile("/* " name " */" : : "r"(fd) : "memory")

/* Where it stands, unlike prog.h's read_to_end, which would be named. */
#define READ_TO_END(fd)                                                                                                \
	do {                                                                                                           \
		char bytes[64];                                                                                        \
		while (read(fd, bytes, sizeof(bytes)) > 0)                                                             \
			;                                                                                              \
	} while (0)

static __attribute__((noinline)) void search_stream(int fd)
{
	READ_TO_END(fd);
	KEEP_FRAME(fd, "search_stream");
}

static __attribute__((noinline)) void net_drain(int fd)
{
	READ_TO_END(fd);
	KEEP_FRAME(fd, "net_drain");
}

static __attribute__((noinline)) void load_cart(int fd)
{
	net_drain(fd);
	KEEP_FRAME(fd, "load_cart");
}

static __attribute__((noinline)) int net_dial(void)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(3, "connect");
	KEEP_FRAME(fd, "net_dial");
	return fd;
}

static __attribute__((noinline)) int ask_stock(void)
{
	int fd = net_dial();
	KEEP_FRAME(fd, "ask_stock");
	return fd;
}

static __attribute__((noinline)) int ask_price(void)
{
	int fd = net_dial();
	KEEP_FRAME(fd, "ask_price");
	return fd;
}

int main(int argc, char **argv)
{
	int pair[2];
	port = argc > 1 ? atoi(argv[1]) : 0;
	connected_pair(pair);
	close(pair[0]);
	search_stream(pair[1]);
	connected_pair(pair);
	close(pair[0]);
	load_cart(pair[1]);
	for (volatile int i = 0; i < 3; i++) {
		ask_stock();
		ask_price();
	}
	say("ready");
	stay();
	return 0;
}
