/* storm.h: what the threads of the storm share. */
#ifndef STORM_H
#define STORM_H

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <string>

#include "wire.h"

namespace storm
{

enum { WORKERS = 32 };

struct worker {
	const char *name;
	void (*step)(unsigned long round); /* one round; holds the world while it runs */
	std::atomic<unsigned long> rounds;
	pthread_t thread;
};

extern int port;           /* of the server */
extern const char *plugin; /* the path of lib_storm */
extern std::string folder; /* where the programs are that children execute */
extern std::atomic<bool> over;
extern std::atomic<unsigned> wrong; /* what should not have been */
extern pthread_rwlock_t world;      /* shared by a worker in its round; alone by what closes all descriptors */

/* A line of output, in one write. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something differs from what a bare run does. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What children do, one way of making them a round: children.h */
void make_a_child(unsigned long round);

} // namespace storm

#endif
