/*
 * lib_early_plugin: a constructor loads $EARLY_PLUGIN past the wrappers; soon afterwards, while the program runs, the
 * plugin leaks a connection to $EARLY_PORT.
 */
#include <dlfcn.h>

#include "prog.h"

static int (*leak)(int port);

static void *leak_soon(void *unused)
{
	doze(300);
	leak(atoi(getenv("EARLY_PORT")));
	return unused;
}

__attribute__((constructor)) static void load(void)
{
	const char *path = getenv("EARLY_PLUGIN");
	void *plugin = path ? dlopen(path, RTLD_NOW | RTLD_DEEPBIND) : NULL;
	pthread_t thread;
	leak = plugin ? (int (*)(int))dlsym(plugin, "leak_one") : NULL;
	if (leak && pthread_create(&thread, NULL, leak_soon, NULL) != 0)
		abort();
}
