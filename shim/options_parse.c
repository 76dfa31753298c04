/* options_parse.c: what each kind of setting accepts. */
#include "options_parse.h"

#include "fmt.h"
#include "options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const uint64_t INTERVAL_MIN_NS = 10000000;             /* 10 ms: below, sweeping costs more than it tells */
static const uint64_t INTERVAL_MAX_NS = 3600 * 1000000000ULL; /* 1 h: above, a socket's whole life passes unseen */

enum { DEPTH_MAX = 64 }; /* what a stack of the recorder holds */

/* The index of text in words[0..n), or -EINVAL. */
static int find_word(const char *text, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	return -EINVAL;
}

int cg_options_parse_switch(const char *text, void *ret_field, size_t size)
{
	static const char *const words[] = {"off", "on"};
	(void)size;
	int at = find_word(text, words, 2);
	if (at < 0)
		return at;
	*(bool *)ret_field = at == 1;
	return 0;
}

int cg_options_parse_text(const char *text, void *ret_field, size_t size)
{
	size_t n = strlen(text) + 1;
	if (n > size)
		return -ENAMETOOLONG;
	memcpy(ret_field, text, n);
	return 0;
}

int cg_options_parse_format(const char *text, void *ret_field, size_t size)
{
	static const char *const words[] = {[CG_FORMAT_TEXT] = "text", [CG_FORMAT_JSON] = "json"};
	(void)size;
	int at = find_word(text, words, 2);
	if (at < 0)
		return at;
	*(enum cg_format *)ret_field = (enum cg_format)at;
	return 0;
}

int cg_options_parse_stacks(const char *text, void *ret_field, size_t size)
{
	static const char *const words[] = {[CG_STACKS_FULL] = "full", [CG_STACKS_FP] = "fp", [CG_STACKS_OFF] = "off"};
	(void)size;
	int at = find_word(text, words, 3);
	if (at < 0)
		return at;
	*(enum cg_stacks *)ret_field = (enum cg_stacks)at;
	return 0;
}

int cg_options_parse_mode(const char *text, void *ret_field, size_t size)
{
	unsigned mode = 0;
	(void)size;
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '7' || mode > 07777)
			return -EINVAL;
		mode = mode * 8 + (unsigned)(*text - '0');
	}
	if ((mode & 0600) != 0600 || (mode & ~0664u))
		return -ERANGE;
	*(unsigned *)ret_field = mode;
	return 0;
}

int cg_options_parse_duration(const char *text, void *ret_field, size_t size)
{
	(void)size;
	return cg_parse_duration(text, ret_field);
}

int cg_options_parse_interval(const char *text, void *ret_field, size_t size)
{
	uint64_t ns;
	(void)size;
	int r = cg_parse_duration(text, &ns);
	if (r < 0)
		return r;
	if (ns < INTERVAL_MIN_NS || ns > INTERVAL_MAX_NS)
		return -ERANGE;
	*(uint64_t *)ret_field = ns;
	return 0;
}

int cg_options_parse_depth(const char *text, void *ret_field, size_t size)
{
	long value;
	(void)size;
	int r = cg_parse_number(text, 1, DEPTH_MAX, &value);
	if (r < 0)
		return r;
	*(unsigned *)ret_field = (unsigned)value;
	return 0;
}

int cg_options_parse_exitcode(const char *text, void *ret_field, size_t size)
{
	long value;
	(void)size;
	int r = cg_parse_number(text, 0, 255, &value);
	if (r < 0)
		return r;
	*(int *)ret_field = (int)value;
	return 0;
}

/*
 * The signals a dump may be asked for with. Not here: those that cannot be caught, those that report a fault (SEGV,
 * ABRT …), those that the kernel sends in the normal course of a program's life (CHLD, PIPE …), and INT and TERM,
 * since a program whose TERM only dumps can no longer be stopped.
 */
static const struct {
	const char *name;
	int number;
} spare[] = {
    {"ALRM", SIGALRM}, {"CONT", SIGCONT},     {"HUP", SIGHUP},     {"IO", SIGIO},     {"POLL", SIGPOLL},
    {"PROF", SIGPROF}, {"PWR", SIGPWR},       {"QUIT", SIGQUIT},   {"URG", SIGURG},   {"USR1", SIGUSR1},
    {"USR2", SIGUSR2}, {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH}, {"XCPU", SIGXCPU},
};

enum { SPARES = sizeof(spare) / sizeof(spare[0]) };

static bool is_spare(long number)
{
	for (int i = 0; i < SPARES; i++)
		if (spare[i].number == number)
			return true;
	return number >= SIGRTMIN && number <= SIGRTMAX; /* libc keeps the ones below SIGRTMIN */
}

/* "RTMIN", "RTMIN+3", "RTMAX-2": the number, or -EINVAL. */
static int parse_realtime(const char *text)
{
	static const struct {
		const char *name;
		char sign;
	} ends[] = {{"RTMIN", '+'}, {"RTMAX", '-'}};
	for (int i = 0; i < 2; i++) {
		long offset = 0;
		size_t n = strlen(ends[i].name);
		if (strncmp(text, ends[i].name, n) != 0)
			continue;
		if (text[n] != '\0' &&
		    (text[n] != ends[i].sign || cg_parse_number(text + n + 1, 0, SIGRTMAX - SIGRTMIN, &offset) < 0))
			return -EINVAL;
		return (int)(i == 0 ? SIGRTMIN + offset : SIGRTMAX - offset);
	}
	return -EINVAL;
}

static int parse_signal_name(const char *text)
{
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 0; i < SPARES; i++)
		if (strcmp(text, spare[i].name) == 0)
			return spare[i].number;
	return parse_realtime(text);
}

int cg_options_parse_signal(const char *text, void *ret_field, size_t size)
{
	long number = 0;
	(void)size;
	if (*text && strcmp(text, "none") != 0) {
		if (cg_parse_number(text, 1, SIGRTMAX, &number) < 0)
			number = parse_signal_name(text);
		if (!is_spare(number))
			return -EINVAL;
	}
	*(int *)ret_field = (int)number;
	return 0;
}
