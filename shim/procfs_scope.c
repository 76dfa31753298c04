/* procfs_scope.c: whose processes /proc shows. */
#include "procfs_scope.h"

#include <linux/capability.h>
#include <string.h>

#include "ownfd.h"
#include "procfs.h"
#include "sys.h"

pid_t cg_proc_own_number(void)
{
	char text[16];
	pid_t number = 0;
	ssize_t n = cg_sys_readlinkat(AT_FDCWD, "/proc/self", text, sizeof(text));
	for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

/* The first namespace has had this inode since Linux 3.8; it is part of the kernel's interface since 6.18. */
static bool is_first(const char *link)
{
	static const char first[] = "pid:[4026531836]";
	char text[32];
	ssize_t n = cg_sys_readlinkat(AT_FDCWD, link, text, sizeof(text));
	return n == sizeof(first) - 1 && memcmp(text, first, sizeof(first) - 1) == 0;
}

bool cg_proc_shows_host(void)
{
	/* Where this process is in the first one, every /proc that lists it is the first one's. */
	return is_first("/proc/self/ns/pid") || is_first("/proc/1/ns/pid");
}

bool cg_proc_may_look(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return CG_SYS3(SYS_capget, &header, data, 0) == 0 && (data[0].effective & 1u << CAP_SYS_PTRACE);
}

/* True once "hidepid=" with a value other than "0" or "off" has passed; *matched: how far the word has come. */
static bool hides(const char *text, ssize_t n, unsigned *matched)
{
	static const char word[] = "hidepid=";
	for (ssize_t i = 0; i < n; i++) {
		if (*matched == sizeof(word) - 1 && text[i] != '0' && text[i] != 'o')
			return true;
		*matched = *matched < sizeof(word) - 1 && text[i] == word[*matched] ? *matched + 1 : text[i] == word[0];
	}
	return false;
}

bool cg_proc_hides_users(void)
{
	char text[1024];
	unsigned matched = 0;
	bool found = false;
	ssize_t n = 0;
	int fd = cg_sys_open("/proc/self/mountinfo", O_RDONLY, 0);
	if (fd < 0)
		return true;
	fd = cg_ownfd_take(fd);
	for (off_t at = 0; !found && (n = cg_sys_pread(fd, text, sizeof(text), at)) > 0; at += n)
		found = hides(text, n, &matched);
	cg_ownfd_close(fd);
	return found || n < 0;
}
