/* lib_plugin: a plugin that connects, reads to the end and forgets to close. */
#include "prog.h"

__attribute__((visibility("default"))) int leak_one(int port);

int leak_one(int port)
{
	int fd = connect_to(port);
	read_to_end(fd);
	return fd;
}
