/* fdtable.c: asks the kernel about descriptor after descriptor, in calls that any sandbox allows. */
#include "fdtable.h"

#include <time.h>

#include "sys.h"

enum {
	SMALLEST = 64, /* the kernel's table is never smaller */
	MOST = 256     /* a shell's own descriptor, 255, leaves its children with one of this size */
};

/* What can be sought in is a file, and closed ones fail otherwise: few are left for fstat. */
bool cg_fdtable_is_socket(int fd)
{
	struct stat st;
	return CG_SYS3(SYS_lseek, fd, 0, SEEK_CUR) == -ESPIPE && cg_sys_fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/*
 * True when no descriptor is as high as `number` or higher. select() ignores what lies above the kernel's table, and
 * fails for a closed descriptor within it (select(2), BUGS): one that is neither open nor complained of is above.
 */
static bool ends_before(int number)
{
	enum { BITS = 8 * sizeof(long) };
	unsigned long set[MOST / BITS + 1] = {0};
	struct timespec none = {0, 0};
	if (cg_sys_fcntl(number, F_GETFD, 0) != -EBADF)
		return false;
	set[number / BITS] = 1ul << number % BITS;
	return CG_SYS(SYS_pselect6, number + 1, set, 0, 0, &none, 0) == 0;
}

bool cg_fdtable_no_socket(void)
{
	int count = ends_before(SMALLEST) ? SMALLEST : ends_before(MOST) ? MOST : 0;
	for (int fd = 0; fd < count; fd++)
		if (cg_fdtable_is_socket(fd))
			return false;
	return count > 0;
}
