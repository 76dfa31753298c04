/* prog_names: an application whose own exported functions have the names of the library's helpers' functions. */
/* build flags: -rdynamic */
#include "prog.h"

#define MINE(name)                                                                                                     \
	__attribute__((visibility("default"), noreturn)) void name(void);                                              \
	void name(void)                                                                                                \
	{                                                                                                              \
		say("captured " #name);                                                                                \
		_exit(9);                                                                                              \
	}

MINE(config_init)
MINE(config_destroy)
MINE(config_read_string)
MINE(config_lookup)
MINE(config_setting_get_member)
MINE(libconfig_yyparse)
MINE(unw_backtrace)
MINE(unw_step)
MINE(unw_getcontext)
MINE(unw_init_local)
MINE(unw_set_cache_size)
MINE(_Ux86_64_step)
MINE(_Ux86_64_init_local)
MINE(dwfl_begin)
MINE(dwarf_begin)
MINE(dwarf_begin_elf)
MINE(elf_begin)
MINE(elf_version)
MINE(cg_detect)
MINE(cg_log_write)
MINE(cg_options_read)
MINE(cg_policy_load)
MINE(cg_annex_lookup)

int main(void)
{
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	say("ready");
	stay();
	return 0;
}
