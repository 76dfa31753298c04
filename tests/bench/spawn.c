/*
 * spawn.c: the time to run a program to its end: "spawn RUNS PROGRAM PRELOAD...", in turn for each PRELOAD.
 *
 * "-" is no preload at all. Prints a line per run: the index of the PRELOAD, wall-clock and CPU nanoseconds.
 */
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t cpu_ns(const struct rusage *usage)
{
	return ((uint64_t)usage->ru_utime.tv_sec + (uint64_t)usage->ru_stime.tv_sec) * 1000000000u +
	       ((uint64_t)usage->ru_utime.tv_usec + (uint64_t)usage->ru_stime.tv_usec) * 1000u;
}

static void run_once(const char *program, const char *preload, int index)
{
	char *argv[] = {(char *)program, NULL};
	struct rusage usage;
	pid_t pid;
	int status;
	if (strcmp(preload, "-"))
		setenv("LD_PRELOAD", preload, 1);
	else
		unsetenv("LD_PRELOAD");
	uint64_t start = now_ns();
	if (posix_spawn(&pid, program, NULL, NULL, argv, environ) || wait4(pid, &status, 0, &usage) != pid || status)
		exit(1);
	printf("%d %llu %llu\n", index, (unsigned long long)(now_ns() - start), (unsigned long long)cpu_ns(&usage));
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	for (int run = 0; run < atoi(argv[1]); run++) {
		for (int i = 3; i < argc; i++)
			run_once(argv[2], argv[i], i - 3);
	}
	return 0;
}
