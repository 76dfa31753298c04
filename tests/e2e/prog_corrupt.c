/*
 * prog_corrupt SEED ROUNDS: writes nonsense over its own recorder, as another process that can open the file might, and
 * goes on: it opens, uses, closes, forks, asks for checks, and leaves with leaks. It notices nothing.
 */
#include "../../shim/closeguard.h"
#include "prog.h"

#include <sys/mman.h>
#include <sys/socket.h>

static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Lengths and depths that are a little or far too much, ends that are missing, and anything. */
static uint64_t nonsense(void)
{
	static const uint64_t values[] = {0,
	                                  1,
	                                  0xff,
	                                  0xffff,
	                                  0x7fffffff,
	                                  0xffffffff,
	                                  UINT64_MAX,
	                                  0x4141414141414141,
	                                  0x0041004100410041,
	                                  65,
	                                  0xffffffffffff,
	                                  1ull << 63,
	                                  1 << 20,
	                                  4 << 20};
	uint64_t r = next_random();
	return r & 1 ? values[(r >> 8) % (sizeof values / sizeof values[0])] : next_random();
}

/* Every `sparse`th word of what is not empty, at the size of a byte, a half, a word or a double word. */
static void corrupt(char *from, char *to, unsigned sparse)
{
	for (char *at = from; at < to; at += 8) {
		uint64_t word, value = nonsense();
		memcpy(&word, at, 8);
		if ((!word && next_random() % 64) || next_random() % sparse)
			continue;
		unsigned size = 1u << next_random() % 4;
		memcpy(at + (size < 8 ? next_random() % (8 / size) * size : 0), &value, size);
	}
}

static unsigned corrupt_all(unsigned sparse)
{
	char line[512];
	unsigned parts = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(line, sizeof line, maps)) {
		void *from, *to;
		if (!strstr(line, ".rec") || sscanf(line, "%p-%p", &from, &to) != 2)
			continue;
		corrupt(from, to, sparse);
		parts++;
	}
	if (maps)
		fclose(maps);
	return parts;
}

#define PLACE(name)                                                                                                    \
	__attribute__((noinline)) static void name(unsigned kept)                                                      \
	{                                                                                                              \
		int pair[2];                                                                                           \
		connected_pair(pair);                                                                                  \
		(void)closeguard_label(pair[1],                                                                        \
		                       #name " as it is called in a label that is as long as can be, or more");        \
		close(pair[0]);                                                                                        \
		read_to_end(pair[1]);                                                                                  \
		if (!kept)                                                                                             \
			close(pair[1]);                                                                                \
		__asm__ volatile("");                                                                                  \
	}
PLACE(first)
PLACE(second)
PLACE(third)

static void work(unsigned round)
{
	static void (*const places[])(unsigned) = {first, second, third};
	enum { HIGH = 900 }; /* where nothing else is opened between the close and the mistake after it */
	int low = socket(AF_INET, SOCK_STREAM, 0);
	if (dup2(low, HIGH) != HIGH || close(low) != 0)
		exit(4);
	for (unsigned i = 0; i < 6; i++)
		places[i % 3](round % 2 || i < 3);
	if (shutdown(HIGH, SHUT_RDWR) == 0 || close(HIGH) != 0 || close(HIGH) == 0 || read(HIGH, &low, 1) >= 0)
		exit(4);
}

static void fork_one(void)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		first(1);
		exit(5);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 5)
		exit(6);
}

int main(int argc, char **argv)
{
	unsigned parts = 0;
	if (argc != 3)
		return 2;
	state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
	for (int round = 0; round < atoi(argv[2]); round++) {
		work((unsigned)round);
		(void)closeguard_check();
		parts += corrupt_all(round % 3 == 2 ? 2 : 40);
		work((unsigned)round);
		fork_one();
		(void)closeguard_check();
	}
	say("corrupted %d", parts > 5);
	return 7;
}
