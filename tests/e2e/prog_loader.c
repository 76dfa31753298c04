/*
 * prog_loader.c: forks many times while the library looks without a pause; each child asks the loader for its modules,
 * as an exception or a backtrace would. Says how many of them never had an answer.
 */
#include "prog.h"

#include <dlfcn.h>
#include <link.h>

#include "../../shim/closeguard.h"

static _Atomic bool over;

static void *look(void *unused)
{
	while (!over)
		(void)closeguard_check();
	return unused;
}

static void *load(void *unused)
{
	while (!over) {
		void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
		if (library)
			dlclose(library);
		doze(1);
	}
	return unused;
}

static int count(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)info;
	(void)size;
	++*(int *)context;
	return 0;
}

static bool child_hangs(void)
{
	int status = 0, modules = 0;
	pid_t pid = fork();
	if (pid == 0) {
		alarm(5);
		dl_iterate_phdr(count, &modules);
		_exit(modules ? 0 : 4);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status);
}

int main(int argc, char **argv)
{
	int pair[2], forks = argc > 1 ? atoi(argv[1]) : 1000, hung = 0;
	bool loads = argc > 2;
	pthread_t threads[2];
	connected_pair(pair);
	pthread_create(&threads[0], NULL, look, NULL);
	if (loads)
		pthread_create(&threads[1], NULL, load, NULL);
	for (int i = 0; i < forks && hung < 3; i++)
		hung += child_hangs();
	over = true;
	pthread_join(threads[0], NULL);
	if (loads)
		pthread_join(threads[1], NULL);
	say("hung %d", hung);
	stay();
	return 0;
}
