/*
 * top_names.c: a queue of questions, a thread that has them answered, and the answers.
 */
#include "top_names.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fmt.h"
#include "naming.h"
#include "symbol.h"

/* The answers to about so many addresses take some MiB; all are forgotten then, and those on the screen asked again. */
enum { BUCKETS = 1024, ANSWERS_MAX = 4096, QUESTIONS_MAX = 512, PATIENCE_MS = 200 };

struct answer {
	struct answer *next;
	uint64_t module, ip; /* the key: path and build-id, and the address in the file */
	bool done;
	unsigned count;
	struct cg_frame *frames;
};

struct question {
	uint64_t key, ip;
	struct cg_module module;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t asked, idle;
	bool running, stop, busy;
	unsigned version;
	struct question questions[QUESTIONS_MAX]; /* a ring */
	unsigned first, count;
	struct answer *answers[BUCKETS];
	unsigned answer_count;
	void (*ready)(void *context);
	void *context;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};

static uint64_t key_of(const struct cg_module *module)
{
	const unsigned char *path = (const unsigned char *)module->path;
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < sizeof module->path && path[i]; i++)
		h = (h ^ path[i]) * 0x100000001b3u;
	for (size_t i = 0; i < sizeof module->build_id; i++)
		h = (h ^ module->build_id[i]) * 0x100000001b3u;
	return (h ^ atomic_load(&module->file_id)) * 0x100000001b3u;
}

static struct answer **bucket_of(uint64_t key, uint64_t ip)
{
	return &names.answers[(key ^ ip * 0x9e3779b97f4a7c15u) >> 7 & (BUCKETS - 1)];
}

static struct answer *find(uint64_t key, uint64_t ip)
{
	for (struct answer *answer = *bucket_of(key, ip); answer; answer = answer->next)
		if (answer->module == key && answer->ip == ip)
			return answer;
	return NULL;
}

static void forget_all(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (names.answers[i]) {
			struct answer *answer = names.answers[i];
			names.answers[i] = answer->next;
			free(answer->frames);
			free(answer);
		}
	}
	names.answer_count = 0;
}

static struct answer *add(uint64_t key, uint64_t ip)
{
	if (names.answer_count >= ANSWERS_MAX)
		forget_all();
	struct answer *answer = calloc(1, sizeof *answer), **bucket = bucket_of(key, ip);
	if (!answer)
		return NULL;
	*answer = (struct answer){.next = *bucket, .module = key, .ip = ip};
	*bucket = answer;
	names.answer_count++;
	return answer;
}

/* Without room it is asked again when it is next looked at. */
static void ask(const struct cg_module *module, uint64_t key, uint64_t ip)
{
	if (!names.running || names.count == QUESTIONS_MAX || !add(key, ip - module->bias))
		return;
	names.questions[(names.first + names.count++) % QUESTIONS_MAX] = (struct question){key, ip, *module};
	pthread_cond_signal(&names.asked);
}

static void keep(const struct question *question, const struct cg_frame *frames, unsigned count)
{
	uint64_t ip = question->ip - question->module.bias;
	struct answer *answer = find(question->key, ip);
	if (!answer)
		answer = add(question->key, ip);
	if (!answer || answer->done)
		return;
	answer->frames = malloc(count * sizeof *frames);
	if (!answer->frames)
		return;
	memcpy(answer->frames, frames, count * sizeof *frames);
	answer->count = count;
	answer->done = true;
	names.version++;
}

/* One question, with the lock held but for the time in which it is answered. */
static void answer_next(void)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	struct question question = names.questions[names.first];
	names.first = (names.first + 1) % QUESTIONS_MAX;
	names.count--;
	names.busy = true;
	pthread_mutex_unlock(&names.lock);
	cg_naming_begin();
	unsigned count = cg_symbol_name(&question.module, question.ip, frames, CG_FRAMES_PER_IP);
	pthread_mutex_lock(&names.lock);
	keep(&question, frames, count);
	names.busy = false;
}

static void *work(void *unused)
{
	pthread_mutex_lock(&names.lock);
	while (!names.stop) {
		if (!names.count) {
			pthread_cond_broadcast(&names.idle);
			pthread_cond_wait(&names.asked, &names.lock);
			continue;
		}
		answer_next();
		if (names.count)
			continue;
		/* The files of what was asked are not needed until somebody asks again. */
		pthread_mutex_unlock(&names.lock);
		cg_symbol_end();
		names.ready(names.context);
		pthread_mutex_lock(&names.lock);
	}
	names.running = false;
	pthread_cond_broadcast(&names.idle);
	pthread_mutex_unlock(&names.lock);
	return unused;
}

/* Signals are for the thread that has the terminal. */
int cg_top_names_begin(void (*ready)(void *context), void *context)
{
	sigset_t all, before;
	pthread_t thread;
	names.ready = ready;
	names.context = context;
	names.running = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&thread, NULL, work, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		names.running = false;
	else
		pthread_detach(thread);
	return -error;
}

static struct timespec deadline(unsigned milliseconds)
{
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	uint64_t ns = (uint64_t)at.tv_nsec + milliseconds * 1000000ull;
	return (struct timespec){at.tv_sec + (time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

void cg_top_names_wait(unsigned milliseconds)
{
	struct timespec until = deadline(milliseconds);
	pthread_mutex_lock(&names.lock);
	while (names.running && (names.count || names.busy))
		if (pthread_cond_timedwait(&names.idle, &names.lock, &until) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&names.lock);
}

bool cg_top_names_end(void)
{
	struct timespec until = deadline(PATIENCE_MS);
	pthread_mutex_lock(&names.lock);
	names.stop = true;
	pthread_cond_signal(&names.asked);
	while (names.running && pthread_cond_timedwait(&names.idle, &names.lock, &until) != ETIMEDOUT)
		;
	bool ended = !names.running;
	pthread_mutex_unlock(&names.lock);
	return ended;
}

unsigned cg_top_names_version(void)
{
	pthread_mutex_lock(&names.lock);
	unsigned version = names.version;
	pthread_mutex_unlock(&names.lock);
	return version;
}

static void describe(const struct cg_module *module, uint64_t ip, struct cg_frame *frame)
{
	struct cg_buf text;
	*frame = (struct cg_frame){.offset = ip - 1 - (module ? module->bias : 0)};
	cg_buf_init(&text, frame->module_path, sizeof frame->module_path);
	if (module)
		cg_buf_bytes(&text, module->path, strnlen(module->path, sizeof module->path));
	const char *slash = strrchr(frame->module_path, '/');
	cg_buf_init(&text, frame->module, sizeof frame->module);
	cg_buf_str(&text, !module ? "[jit]" : slash ? slash + 1 : frame->module_path);
}

unsigned cg_top_names_get(const struct cg_module *module, uint64_t ip, struct cg_frame *frames, unsigned max)
{
	unsigned count = 0;
	if (module && module->path[0] && module->path[0] != '[') {
		uint64_t key = key_of(module);
		pthread_mutex_lock(&names.lock);
		const struct answer *answer = find(key, ip - module->bias);
		if (!answer)
			ask(module, key, ip);
		if (answer && answer->done) {
			count = answer->count < max ? answer->count : max;
			memcpy(frames, answer->frames, count * sizeof *frames);
		}
		pthread_mutex_unlock(&names.lock);
	}
	if (count || !max)
		return count;
	describe(module, ip, &frames[0]);
	return 1;
}
