/*
 * prog_policy_libconfig.c: a program that reads its own settings with libconfig, before and after a connection that the
 * library's policy, read with libconfig too, is for.
 *
 * build flags: -Wl,--no-as-needed -lconfig
 */
#include "prog.h"

#include <libconfig.h>

static void read_settings(void)
{
	config_t settings;
	int number = 0;
	config_init(&settings);
	if (!config_read_string(&settings, "group : { number = 42; };"))
		errx(3, "%s", config_error_text(&settings));
	config_lookup_int(&settings, "group.number", &number);
	config_destroy(&settings);
	say("number %d", number);
}

int main(void)
{
	int ms = 0;
	socklen_t len = sizeof ms;
	read_settings();
	int from = listener(1, true), fd = accept_from(from);
	if (getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len) < 0)
		err(3, "getsockopt");
	say("timeout %d", ms);
	read_settings();
	stay();
	return 0;
}
