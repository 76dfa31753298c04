/*
 * prog_search CALLER NAME: the library CALLER loads NAME in every way; tells what libc has found, and in which
 * namespace (a new one has a number of its own), and what the error is.
 */
#include <dlfcn.h>
#include <link.h>

#include "prog.h"

typedef void *loads(const char *name, int flags, int apart);

static void show(const char *how, void *loaded)
{
	struct link_map *map = NULL;
	Lmid_t space = -1;
	const char *error = loaded ? "none" : dlerror();
	if (loaded && (dlinfo(loaded, RTLD_DI_LINKMAP, &map) < 0 || dlinfo(loaded, RTLD_DI_LMID, &space) < 0))
		errx(3, "%s", dlerror());
	const char *name = map ? map->l_name : "nothing", *last = strstr(name, "outer");
	say("%s: %s in %ld, error %s", how, last ? last : name, (long)space, error ? error : "NULL");
	if (loaded && dlclose(loaded) != 0)
		say("%s: %s", how, dlerror());
}

int main(int argc, char **argv)
{
	void *caller = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	loads *load = caller ? (loads *)dlsym(caller, "load_by_name") : NULL;
	if (!load)
		errx(2, "usage: prog_search CALLER NAME (%s)", dlerror());
	show("lazy", load(argv[2], RTLD_LAZY, 0));
	show("local", load(argv[2], RTLD_NOW | RTLD_LOCAL, 0));
	show("not there", load("libnowhere.so", RTLD_NOW, 0));
	show("not by me", dlopen(argv[2], RTLD_NOW));
	show("not by me, apart", dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW));
	show("wrong flags", load(argv[2], 0, 0));
	if (!getenv("NO_DEEPBIND"))
		show("deepbind", load(argv[2], RTLD_NOW | RTLD_DEEPBIND, 0));
	show("base", load(argv[2], RTLD_NOW | RTLD_LOCAL, -1));
	show("apart", load(argv[2], RTLD_NOW, 1));
	show("not there, apart", load("libnowhere.so", RTLD_NOW, 1));
	show("itself", load(NULL, RTLD_NOW, 0));
	say("ready");
	stay();
	return 0;
}
