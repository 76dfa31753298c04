/* far.c: requests to the peer process, which holds the far ends of the connections. */
#include <errno.h>
#include <sys/socket.h>

#include "far.h"
#include "model.h"

static int channel = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void far_init(int fd)
{
	channel = fd;
}

int far_ask(char op, int id, int arg)
{
	struct far_request request = {.op = op, .id = id, .arg = arg};
	int answer = -EIO;
	pthread_mutex_lock(&lock);
	if (send(channel, &request, sizeof request, 0) != (ssize_t)sizeof request)
		die("send to the peer process");
	if (recv(channel, &answer, sizeof answer, 0) != (ssize_t)sizeof answer)
		die("recv from the peer process");
	pthread_mutex_unlock(&lock);
	return answer;
}
