/* prog_hostile NAME: leaks one connection from a thread called NAME, with NAME as its label, and stays. */
#include "../../shim/closeguard.h"
#include "prog.h"

#include <sys/prctl.h>

static void *leak(void *name)
{
	int pair[2];
	prctl(PR_SET_NAME, name);
	connected_pair(pair);
	(void)closeguard_label(pair[1], name);
	close(pair[0]);
	read_to_end(pair[1]);
	say("ready");
	stay();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	if (argc != 2)
		return 2;
	prctl(PR_SET_NAME, argv[1]);
	if (pthread_create(&thread, NULL, leak, argv[1]) != 0 || pthread_join(thread, NULL) != 0)
		return 3;
	return 0;
}
