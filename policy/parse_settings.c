/* parse_settings.c: the settings that may stand in a policy too: checked here, kept as the text of their variable. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

static bool is_among(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

/* A plain decimal number: what the environment's variables take. -1 for anything else. */
static long number(const char *text)
{
	size_t n = strlen(text);
	return n && n < 9 && strspn(text, "0123456789") == n ? atol(text) : -1;
}

static bool is_duration(const char *text)
{
	return cg_config_duration(text) >= 0 || (*text && text[strspn(text, "0")] == '\0');
}

static bool is_interval(const char *text)
{
	int64_t ms = cg_config_duration(text);
	return ms >= 10 && ms <= 3600000;
}

static bool is_stacks(const char *text)
{
	return is_among(text, (const char *const[]){"full", "fp", "off", NULL});
}

static bool is_format(const char *text)
{
	return is_among(text, (const char *const[]){"text", "json", NULL});
}

static bool is_depth(const char *text)
{
	long value = number(text);
	return value >= 1 && value <= 64;
}

static bool is_exitcode(const char *text)
{
	long value = number(text);
	return value >= 0 && value <= 255;
}

static bool is_log(const char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			return false;
		if (*text == '%' && (!*++text || !strchr("peht%", *text)))
			return false;
	}
	return true;
}

static bool is_log_mode(const char *text)
{
	size_t n = strspn(text, "01234567");
	long mode = n && n < 8 && !text[n] ? strtol(text, NULL, 8) : 0;
	return (mode & 0600) == 0600 && !(mode & ~0664L);
}

/* "RTMIN", "RTMIN+3", "RTMAX-2" */
static bool is_realtime(const char *text)
{
	bool from_min = strncmp(text, "RTMIN", 5) == 0;
	if (!from_min && strncmp(text, "RTMAX", 5) != 0)
		return false;
	if (!text[5])
		return true;
	long offset = number(text + 6);
	return text[5] == (from_min ? '+' : '-') && offset >= 0 && offset <= SIGRTMAX - SIGRTMIN;
}

/* Not those that stop or end a program, report a fault or come in the normal course of its life. */
static bool is_signal(const char *text)
{
	static const char *const names[] = {"none", "ALRM", "CONT", "HUP",  "IO",     "POLL",  "PROF", "PWR",
	                                    "QUIT", "URG",  "USR1", "USR2", "VTALRM", "WINCH", "XCPU", NULL};
	static const int numbers[] = {SIGALRM, SIGCONT, SIGHUP,  SIGIO,     SIGPROF,  SIGPWR, SIGQUIT,
	                              SIGURG,  SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU};
	long value = number(text);
	for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (value == numbers[i])
			return true;
	if (value >= SIGRTMIN && value <= SIGRTMAX)
		return true;
	if (strncmp(text, "SIG", 3) == 0 && strcmp(text, "SIGnone") != 0)
		text += 3;
	return is_among(text, names) || is_realtime(text);
}

static const struct {
	const char *name;
	bool (*is_valid)(const char *text);
} checks[] = {
    {"depth", is_depth}, {"exitcode", is_exitcode}, {"format", is_format}, {"interval", is_interval},
    {"log", is_log},     {"log_mode", is_log_mode}, {"signal", is_signal}, {"stacks", is_stacks},
    {"warn_after", is_duration},
};

static bool is_valid(const char *name, const char *text)
{
	for (unsigned i = 0; i < sizeof checks / sizeof checks[0]; i++)
		if (strcmp(checks[i].name, name) == 0)
			return checks[i].is_valid(text);
	return false;
}

/* A number may stand without quotes. */
static const char *text_of(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                           char digits[24])
{
	bool takes_number = is_valid(key->name, "10"); /* as depth, exitcode and signal do */
	if (!takes_number || config_setting_type(setting) != CONFIG_TYPE_INT ||
	    config_setting_get_format(setting) == CONFIG_FORMAT_HEX)
		return cg_config_text_of(parse, setting, key->allowed);
	snprintf(digits, 24, "%d", config_setting_get_int(setting));
	return digits;
}

void cg_config_setting(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       void *field)
{
	char digits[24];
	const char *text = text_of(parse, setting, key, digits);
	if (!text)
		return;
	if (!*text || strlen(text) >= key->max || !is_valid(key->name, text))
		cg_config_refuse(parse, setting, "is not allowed", key->allowed);
	else
		memcpy(field, text, strlen(text) + 1);
}
