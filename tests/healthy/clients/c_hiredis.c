/* Contexts of hiredis, one per worker, which are opened anew when their connection has gone. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

static redisContext *ask(redisContext *context, int port)
{
	for (int i = 0; i < 3; i++) {
		if (!context)
			context = redisConnect("127.0.0.1", port);
		redisReply *reply = context && !context->err ? redisCommand(context, "SET a b") : NULL;
		if (reply) {
			freeReplyObject(reply);
			return context;
		}
		if (context)
			redisFree(context);
		context = NULL;
	}
	return context;
}

int main(int argc, char **argv)
{
	enum { MOST = 32 };
	static redisContext *contexts[MOST];
	char line[32];
	if (argc < 2)
		return 2;
	while (fgets(line, sizeof line, stdin)) {
		int workers = atoi(line);
		for (int i = 0; i < workers && i < MOST; i++)
			contexts[i] = ask(contexts[i], atoi(argv[1]));
		puts("done");
		fflush(stdout);
	}
	return 0;
}
