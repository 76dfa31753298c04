/* lib_storm.cc: loaded and unloaded all the while; its code opens connections and throws through frames of its own. */
#include <stdexcept>

#include "wire.h"

extern "C" int storm_connection(int port, unsigned seed);
extern "C" void storm_throw(int depth);

int storm_connection(int port, unsigned seed)
{
	return wire::whole_connection(port, seed);
}

__attribute__((noinline)) void storm_throw(int depth)
{
	if (depth == 0)
		throw std::runtime_error("from a library");
	storm_throw(depth - 1);
	__asm__ volatile("" ::: "memory");
}
