/* lib_plugin: a plugin that connects, reads to the end and forgets to close; or says one word more. */
#include "prog.h"

__attribute__((visibility("default"))) int leak_one(int port);
__attribute__((visibility("default"))) ssize_t say_farewell(int fd);

int leak_one(int port)
{
	int fd = connect_to(port);
	read_to_end(fd);
	return fd;
}

ssize_t say_farewell(int fd)
{
	return write(fd, "bye", 3) == 3 ? 3 : -1; /* no tail call: the place is here */
}
