/*
 * prog_policy_names.c: a program with functions of its own that are called as libconfig's are, and exported. Who calls
 * them is told and ends the program. It accepts one connection and says what TCP_USER_TIMEOUT that has.
 *
 * build flags: -rdynamic
 */
#include "prog.h"

#define TAKEN(name)                                                                                                    \
	void name(void);                                                                                               \
	void name(void)                                                                                                \
	{                                                                                                              \
		say("called " #name);                                                                                  \
		abort();                                                                                               \
	}

TAKEN(config_destroy)
TAKEN(config_error_text)
TAKEN(config_init)
TAKEN(config_lookup)
TAKEN(config_lookup_string)
TAKEN(config_read)
TAKEN(config_read_file)
TAKEN(config_read_string)
TAKEN(config_set_include_func)
TAKEN(config_set_options)
TAKEN(config_setting_get_elem)
TAKEN(config_setting_get_member)
TAKEN(config_setting_length)
TAKEN(config_setting_type)
TAKEN(libconfig_yylex)
TAKEN(libconfig_yyparse)

int main(void)
{
	int from = listener(1, true), fd = accept_from(from), ms = 0;
	socklen_t len = sizeof ms;
	if (getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len) < 0)
		err(3, "getsockopt");
	say("timeout %d", ms);
	stay();
	return 0;
}
