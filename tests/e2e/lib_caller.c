/* lib_caller: a library that loads another by its bare name, which only its own search path can find. */
#include <dlfcn.h>
#include <stddef.h>

void *load_by_name(const char *name, int flags, int apart);

/* Not the last thing that it does: the call's return address is in this library. */
__attribute__((visibility("default"))) void *load_by_name(const char *name, int flags, int apart)
{
	void *volatile loaded =
	    apart ? dlmopen(apart > 0 ? LM_ID_NEWLM : LM_ID_BASE, name, flags) : dlopen(name, flags);
	return loaded;
}
