/*
 * prog_dlopen storm|gone|used PLUGIN [PORT]: modules come and go beside connections; or the module that leaked is gone;
 * or a module is on no stack and only was the last one to use a connection.
 */
#include <dlfcn.h>

#include "prog.h"

static _Atomic bool busy = true;
static const char *path;

static void *load_and_unload(void *unused)
{
	while (busy) {
		void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!plugin)
			errx(3, "%s", dlerror());
		dlclose(plugin);
	}
	return unused;
}

static void *connect_and_close(void *unused)
{
	struct linger reset = {1, 0};
	for (int i = 0; busy; i++) {
		int pair[2];
		connected_pair(pair);
		shutdown(pair[0], SHUT_WR);
		read_to_end(pair[1]);
		setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(pair[1]);
		close(pair[0]);
	}
	return unused;
}

static void storm(void)
{
	pthread_t threads[4];
	int pair[2];
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, i < 2 ? load_and_unload : connect_and_close, NULL))
			errx(3, "thread");
	doze(3000);
	busy = false;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
}

static void gone(int port)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*leak)(int port) = plugin ? (int (*)(int))dlsym(plugin, "leak_one") : NULL;
	if (!leak || leak(port) < 0)
		errx(3, "%s", dlerror());
	dlclose(plugin);
	if (dlopen(path, RTLD_NOW | RTLD_NOLOAD))
		errx(3, "the plugin is still there");
}

static void used(void)
{
	int pair[2];
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ssize_t (*farewell)(int fd) = plugin ? (ssize_t(*)(int fd))dlsym(plugin, "say_farewell") : NULL;
	connected_pair(pair);
	shutdown(pair[0], SHUT_WR);
	read_to_end(pair[1]);
	if (!farewell || farewell(pair[1]) != 3)
		errx(3, "the plugin said nothing");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: prog_dlopen storm|gone|used PLUGIN [PORT]");
	path = argv[2];
	if (strcmp(argv[1], "storm") == 0)
		storm();
	else if (strcmp(argv[1], "used") == 0)
		used();
	else
		gone(atoi(argv[3]));
	say("ready");
	stay();
	return 0;
}
