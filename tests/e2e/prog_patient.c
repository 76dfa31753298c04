/* prog_patient: hears of a connection's end, and closes it 700 ms later, by the kernel's clock. */
#include "prog.h"

#include <sys/syscall.h>

int main(void)
{
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = 700000000}, NULL);
	close(pair[1]);
	say("closed");
	stay();
	return 0;
}
