/*
 * prog_host dlmopen|deepbind PORT PLUGIN [stay]: only the plugin uses sockets, past every wrapper, and the program
 * makes no call that is wrapped until it ends: after two seconds, or when its input does.
 */
#include <dlfcn.h>
#include <stdio.h>
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
	if (argc < 5)
		sleep(2);
	else
		(void)getchar();
	return 0;
}
