/* ownfd.c: a small table of descriptors that are not the app's. */
#include "ownfd.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "arena.h"
#include "sys.h"

struct own {
	_Atomic int number; /* descriptor + 1; 0: free */
	uint64_t dev, ino;
	bool library;
};

static struct own table[CG_OWNFD_MAX] CG_LARGE;

__thread bool cg_ownfd_unshared;

/* No number of ours was ever lower: asked at every close, which is nearly always of a lower one. */
static _Atomic int lowest_ever = INT_MAX;

/*
 * High, but not at a limit of a million: the kernel's table of descriptors is as large as the highest number in use
 * (4,096 of them are 32 KiB).
 */
static int high_number(void)
{
	struct rlimit limit;
	if (CG_SYS(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit, 0, 0) < 0 || limit.rlim_cur > 4096)
		return 4000;
	return limit.rlim_cur > 64 ? (int)limit.rlim_cur - 24 : (int)limit.rlim_cur / 2;
}

static void note_lowest(int fd)
{
	int lowest = atomic_load(&lowest_ever);
	while (fd < lowest && !atomic_compare_exchange_weak(&lowest_ever, &lowest, fd))
		;
}

static bool add(int fd, bool library)
{
	struct stat st = {0};
	(void)cg_sys_fstat(fd, &st);
	note_lowest(fd);
	for (int i = 0; i < CG_OWNFD_MAX; i++) {
		int free_place = 0;
		if (atomic_compare_exchange_strong(&table[i].number, &free_place, fd + 1)) {
			table[i].dev = st.st_dev;
			table[i].ino = st.st_ino;
			table[i].library = library;
			return true;
		}
	}
	return false;
}

static struct own *find(int fd)
{
	if (fd < 0 || fd < atomic_load_explicit(&lowest_ever, memory_order_relaxed))
		return NULL;
	for (int i = 0; i < CG_OWNFD_MAX; i++)
		if (atomic_load_explicit(&table[i].number, memory_order_relaxed) == fd + 1)
			return &table[i];
	return NULL;
}

static int take(int fd, bool library)
{
	if (cg_ownfd_unshared)
		return fd;
	int high = cg_sys_fcntl(fd, F_DUPFD_CLOEXEC, high_number());
	if (high >= 0)
		cg_sys_close(fd);
	else
		high = fd;
	if (add(high, library) || library)
		return high;
	cg_sys_close(high);
	return -EMFILE;
}

int cg_ownfd_take(int fd)
{
	return take(fd, false);
}

int cg_ownfd_take_library(int fd)
{
	return take(fd, true);
}

/* Under a low limit the highest numbers are few; half-way up there are more. */
int cg_ownfd_dup(int fd)
{
	if (cg_ownfd_unshared)
		return cg_sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int high = high_number(), copy = cg_sys_fcntl(fd, F_DUPFD_CLOEXEC, high);
	if (copy < 0 && high < 4000)
		copy = cg_sys_fcntl(fd, F_DUPFD_CLOEXEC, high / 2);
	if (copy < 0 || add(copy, false))
		return copy;
	cg_sys_close(copy);
	return -EMFILE;
}

bool cg_ownfd_is(int fd)
{
	return find(fd) != NULL;
}

bool cg_ownfd_lose(int fd)
{
	struct own *own = cg_ownfd_unshared ? NULL : find(fd);
	bool library = own && own->library;
	if (own)
		atomic_store(&own->number, 0);
	return library;
}

void cg_ownfd_close(int fd)
{
	if (fd < 0)
		return;
	bool valid = cg_ownfd_valid(fd);
	cg_ownfd_lose(fd); /* first: once it is closed the number may be another thread's */
	if (valid)
		cg_sys_close(fd);
}

bool cg_ownfd_valid(int fd)
{
	struct own *own = cg_ownfd_unshared ? NULL : find(fd);
	struct stat st;
	if (cg_ownfd_unshared)
		return fd >= 0;
	return own && cg_sys_fstat(fd, &st) == 0 && st.st_dev == own->dev && st.st_ino == own->ino;
}

int cg_ownfd_next(unsigned from, unsigned to)
{
	int lowest = -1;
	for (int i = 0; i < CG_OWNFD_MAX; i++) {
		int fd = atomic_load_explicit(&table[i].number, memory_order_relaxed) - 1;
		if (fd >= 0 && (unsigned)fd >= from && (unsigned)fd <= to && (lowest < 0 || fd < lowest))
			lowest = fd;
	}
	return lowest;
}
