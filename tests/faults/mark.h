/* mark.h: by this a program tells tests/faults/inject where its main begins and ends. */
#ifndef MARK_H
#define MARK_H

#include <sys/syscall.h>
#include <unistd.h>

#define FAULTS_MARK 0x636c6f7365L

enum { FAULTS_BEGIN = 1, FAULTS_END = 2 };

#define faults_mark(where) ((void)syscall(SYS_getppid, FAULTS_MARK, (long)(where)))

#endif
