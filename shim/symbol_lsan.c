/* symbol_lsan.c: whether LeakSanitizer will search this process for leaks, by its presence and its options. */
#include "symbol_lsan.h"

#include <string.h>
#include <sys/mman.h>

#include "sanitizer.h"
#include "sys.h"

#define FLAG "detect_leaks="

/* Room for the environment; of a larger one it is not known what it says. */
enum { ENVIRONMENT_MAX = 256 << 10 };

enum wish { NOTHING_SAID, SEARCH, NO_SEARCH };

/* The last one counts. What is written in another way than with a digit is taken for a search. */
static enum wish last_flag(const char *options)
{
	enum wish wish = NOTHING_SAID;
	while ((options = strstr(options, FLAG)) != NULL) {
		options += sizeof FLAG - 1;
		wish = *options == '0' ? NO_SEARCH : SEARCH;
	}
	return wish;
}

static bool begins(const char *variable, const char *name)
{
	return strncmp(variable, name, strlen(name)) == 0;
}

/* AddressSanitizer reads its own options, and LeakSanitizer's after them; LeakSanitizer alone reads only its own. */
static bool searches_by(const char *environment, const char *end, bool with_asan)
{
	enum wish asan = NOTHING_SAID, lsan = NOTHING_SAID;
	for (const char *variable = environment; variable < end; variable += strlen(variable) + 1) {
		if (begins(variable, "LSAN_OPTIONS=") && !lsan)
			lsan = last_flag(variable);
		else if (with_asan && begins(variable, "ASAN_OPTIONS=") && !asan)
			asan = last_flag(variable);
	}
	return (lsan ? lsan : asan) != NO_SEARCH;
}

/* All of the environment at the start; the program may be changing its copy at this moment. Its length or -errno. */
static ssize_t read_environment(char *text, size_t size)
{
	ssize_t n;
	size_t len = 0;
	int fd = cg_sys_open("/proc/self/environ", O_RDONLY, 0);
	if (fd < 0)
		return fd;
	while ((n = cg_sys_pread(fd, text + len, size - len, (off_t)len)) > 0)
		len += (size_t)n;
	cg_sys_close(fd);
	return n < 0 ? n : (ssize_t)len;
}

bool cg_symbol_lsan_searches(void)
{
	bool searches = true;
	if (!cg_sanitizer_has_lsan())
		return false;
	char *text = cg_sys_mmap(NULL, ENVIRONMENT_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cg_sys_failed(text))
		return true;
	ssize_t n = read_environment(text, ENVIRONMENT_MAX);
	if (n >= 0 && n < ENVIRONMENT_MAX)
		searches = searches_by(text, text + n, cg_sanitizer_is_asan());
	cg_sys_munmap(text, ENVIRONMENT_MAX);
	return searches;
}
