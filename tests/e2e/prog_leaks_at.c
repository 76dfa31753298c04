/* prog_leaks_at: reads eight connections to their ends at eight places in the code, and closes none. */
#include "prog.h"

#define PLACE(n)                                                                                                       \
	static __attribute__((noinline)) void place_##n(int fd)                                                        \
	{                                                                                                              \
		read_to_end(fd);                                                                                       \
		__asm__ volatile("" : : "r"(fd) : "memory");                                                           \
	}
PLACE(0) PLACE(1) PLACE(2) PLACE(3) PLACE(4) PLACE(5) PLACE(6) PLACE(7)

int main(void)
{
	static void (*const places[])(int) = {place_0, place_1, place_2, place_3, place_4, place_5, place_6, place_7};
	for (unsigned i = 0; i < 8; i++) {
		int pair[2];
		connected_pair(pair);
		close(pair[0]);
		places[i](pair[1]);
	}
	say("ready");
	stay();
	return 0;
}
