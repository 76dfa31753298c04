/* prog_throw LIBRARY: a C program; a C++ library that it loads throws through it, between connections. */
#include <dlfcn.h>

#include "prog.h"

static void (*throw_it)(int);

static void middle(int value)
{
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	close(pair[1]);
	throw_it(value);
}

int main(int argc, char **argv)
{
	void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (!library)
		errx(3, "%s", dlerror());
	throw_it = (void (*)(int))dlsym(library, "throw_it");
	int (*catch_it)(void (*)(int), int) = (int (*)(void (*)(int), int))dlsym(library, "catch_it");
	int caught = 0, pair[2];
	for (int i = 0; i < 200; i++)
		caught += catch_it(middle, i);
	say("caught %d", caught);
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	say("ready");
	stay();
	return 0;
}
