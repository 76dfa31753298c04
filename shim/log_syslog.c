/* log_syslog.c: each line a datagram to the syslog daemon. */
#include "log_target.h"

#include "fmt.h"
#include "log.h"
#include "ownfd.h"
#include "sys.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

const char *cg_log_syslog_path = "/dev/log";

/* A longer line loses its end: daemons cut at 8 KiB by default, and the buffer is on the stack. */
enum { DATAGRAM_MAX = 8192 };

static int connect_daemon(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t n = strlen(cg_log_syslog_path);
	if (n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, cg_log_syslog_path, n + 1);
	int fd = cg_sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	fd = cg_ownfd_take(fd);
	int r = cg_sys_connect(fd, &address, sizeof(address));
	if (r == 0)
		return fd;
	cg_ownfd_close(fd);
	return r;
}

/* Without a time stamp: daemons set their own for local messages, and ours would need the time zone. */
static int send_line(int fd, const char *line, size_t n, int pid)
{
	char datagram[DATAGRAM_MAX];
	struct cg_buf buf;
	cg_buf_init(&buf, datagram, sizeof(datagram));
	cg_buf_fmt(&buf, "<%d>closeguard[%d]: ", LOG_DAEMON | LOG_WARNING, pid);
	cg_buf_bytes(&buf, line, n);
	return cg_log_pipe_send(fd, buf.data, buf.len);
}

/* Gives up at the first line that fails, so that a stuck daemon costs one wait and not one for each line. */
int cg_log_syslog_send(const char *text, size_t len, int pid, uint64_t *lost)
{
	const char *end = text + len;
	int fd = connect_daemon();
	if (fd == -EMFILE || fd == -ENFILE)
		return fd;
	int r = fd < 0 ? fd : 0;
	while (text < end && r == 0) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((newline ? newline : end) - text);
		if (n > 0)
			r = send_line(fd, text, n, pid);
		if (r == 0)
			text += n + (newline != NULL);
	}
	cg_ownfd_close(fd);
	*lost += (uint64_t)(end - text);
	return r;
}
