/*
 * storm.cc SECONDS PLUGIN FOLDER: everything at once, while a signal comes 1,000 times a second: see work.h and
 * children.h. Each second a line "sample SECONDS RSS-KIB DESCRIPTORS THREADS SERVER-RSS-KIB SERVER-DESCRIPTORS", at the
 * end what each kind of thread did. What should not have been is a line that begins with "wrong", and ends in status 1.
 * build flags: -std=gnu++17
 */
#include <cstdarg>
#include <ctime>
#include <dirent.h>

#include "work.h"

int storm::port;
const char *storm::plugin;
std::string storm::folder;
std::atomic<bool> storm::over;
std::atomic<unsigned> storm::wrong;
pthread_rwlock_t storm::world;

static void vsay(const char *prefix, const char *format, va_list args)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "%s", prefix);
	n += vsnprintf(line + n, sizeof(line) - static_cast<size_t>(n) - 1, format, args);
	n = n > 598 ? 598 : n;
	line[n] = '\n';
	if (write(1, line, static_cast<size_t>(n) + 1) < 0)
		_exit(9);
}

void storm::say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsay("", format, args);
	va_end(args);
}

void storm::complain(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (wrong.fetch_add(1) < 50)
		vsay("wrong: ", format, args);
	va_end(args);
}

static void *work(void *context)
{
	auto *worker = static_cast<storm::worker *>(context);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
	while (!storm::over) {
		worker->step(worker->rounds.load());
		worker->rounds.fetch_add(1);
	}
	return nullptr;
}

static long rss_kib(const std::string &of)
{
	char text[128] = "";
	long total = 0, resident = 0;
	int fd = open(("/proc/" + of + "/statm").c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%ld %ld", &total, &resident) != 2)
		resident = -1;
	close(fd);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int entries(const std::string &path)
{
	int n = 0;
	DIR *dir = opendir(path.c_str());
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 2;
}

/* With the world at rest and all closed, so that what is open and runs does not depend on the moment. */
static void sample(long second, pid_t server)
{
	std::string other = std::to_string(server);
	storm::stop_the_world();
	storm::close_descriptors(second % 2);
	long rss = rss_kib("self"), server_rss = rss_kib(other);
	int fds = entries("/proc/self/fd"), threads = entries("/proc/self/task"),
	    others = entries("/proc/" + other + "/fd");
	storm::resume_the_world();
	storm::say("sample %ld %ld %d %d %ld %d", second, rss, fds, threads, server_rss, others);
}

/* True while each worker gets on. */
static void look_for_stuck(long second)
{
	static unsigned long seen[storm::WORKERS];
	static long since[storm::WORKERS];
	for (int i = 0; i < storm::worker_count; i++) {
		unsigned long now = storm::workers[i].rounds;
		if (now != seen[i] || !second) {
			seen[i] = now;
			since[i] = second;
		} else if (second - since[i] >= 60) {
			storm::say("stuck: %s after %lu rounds", storm::workers[i].name, now);
			since[i] = second;
			storm::wrong++;
		}
	}
}

static pid_t start_server()
{
	sockaddr_in at = wire::loopback(0);
	socklen_t len = sizeof(at);
	int from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(from, reinterpret_cast<sockaddr *>(&at), len) || listen(from, 1024) ||
	    getsockname(from, reinterpret_cast<sockaddr *>(&at), &len))
		_exit(8);
	storm::port = ntohs(at.sin_port);
	pid_t pid = fork();
	if (pid == 0)
		_exit(wire::serve(from));
	close(from);
	return pid;
}

static void tick(bool on)
{
	static timer_t timer;
	sigevent how = {};
	how.sigev_notify = SIGEV_SIGNAL;
	how.sigev_signo = SIGALRM;
	itimerspec every = {{0, on ? 1000000 : 0}, {0, on ? 1000000 : 0}};
	if (on && timer_create(CLOCK_MONOTONIC, &how, &timer))
		_exit(8);
	timer_settime(timer, 0, &every, nullptr);
}

/* The main thread only watches; signals go to the others. */
static void watch(long seconds, pid_t server)
{
	timespec start, now, pause = {0, 100000000};
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (long told = -1; told < seconds;) {
		nanosleep(&pause, nullptr);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec <= told)
			continue;
		told = now.tv_sec - start.tv_sec;
		look_for_stuck(told);
		sample(told, server);
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	storm::plugin = argv[2];
	storm::folder = argv[3];
	pid_t server = start_server();
	storm::find_programs();
	storm::set_up();
	storm::block_signal();
	for (int i = 0; i < storm::worker_count; i++)
		if (pthread_create(&storm::workers[i].thread, nullptr, work, &storm::workers[i]))
			return 8;
	tick(true);
	watch(atol(argv[1]), server);
	storm::over = true;
	for (int i = 0; i < storm::worker_count; i++)
		pthread_join(storm::workers[i].thread, nullptr);
	tick(false);
	for (int i = 0; i < storm::worker_count; i++)
		storm::say("did %s %lu", storm::workers[i].name, storm::workers[i].rounds.load());
	storm::say("did signals %u", storm::handled.load());
	kill(server, SIGKILL);
	waitpid(server, nullptr, 0);
	return storm::wrong ? 1 : 0;
}
