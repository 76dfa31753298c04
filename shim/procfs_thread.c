/* procfs_thread.c: what a thread of this process is doing now, by the system call that it waits in. */
#include <errno.h>

#include "fmt.h"
#include "procfs.h"
#include "sys.h"

/* "0x1f " or "45 ": the number, and where the next one begins. */
static const char *take_number(const char *text, unsigned long *ret)
{
	unsigned base = 10;
	*ret = 0;
	while (*text == ' ')
		text++;
	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	for (; *text && *text != ' ' && *text != '\n'; text++) {
		unsigned digit = *text <= '9' ? (unsigned)(*text - '0') : (unsigned)(*text | 0x20) - 'a' + 10;
		if (digit >= base)
			break;
		*ret = *ret * base + digit;
	}
	return text;
}

int cg_proc_thread_call(pid_t tid, long *ret_number, unsigned long ret_arguments[2])
{
	char path[64], text[192];
	struct cg_buf buf;
	unsigned long number;
	cg_buf_init(&buf, path, sizeof(path));
	cg_buf_fmt(&buf, "/proc/self/task/%d/syscall", tid);
	int fd = cg_sys_open(path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	ssize_t n = cg_sys_pread(fd, text, sizeof(text) - 1, 0);
	cg_sys_close(fd);
	if (n <= 0)
		return n < 0 ? (int)n : -ENOENT;
	text[n] = '\0';
	*ret_number = -1;
	ret_arguments[0] = ret_arguments[1] = 0;
	if (text[0] < '0' || text[0] > '9')
		return 0; /* "running", or "-1 …": in no call */
	const char *at = take_number(text, &number);
	*ret_number = (long)number;
	at = take_number(at, &ret_arguments[0]);
	(void)take_number(at, &ret_arguments[1]);
	return 0;
}
