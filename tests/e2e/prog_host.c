/*
 * prog_host dlmopen|deepbind PORT PLUGIN: only the plugin uses sockets, past every wrapper, and the program makes no
 * call that is wrapped until it ends.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	void *plugin = strcmp(argv[1], "dlmopen") == 0 ? dlmopen(LM_ID_NEWLM, argv[3], RTLD_NOW)
	                                               : dlopen(argv[3], RTLD_NOW | RTLD_DEEPBIND);
	int (*leak)(int port) = plugin ? (int (*)(int))dlsym(plugin, "leak_one") : NULL;
	for (int i = 0; i < 2; i++)
		if (!leak || leak(atoi(argv[2])) < 0)
			return 3;
	sleep(2);
	return 0;
}
