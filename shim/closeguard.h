/*
 * closeguard.h: for programs that know about closeguard. Header only; C and C++.
 *
 * Nothing needs to be linked. The functions below reach the library through weak symbols: where the program runs
 * without libcloseguard.so they do nothing and say so by what they return. The library has to be there when the program
 * starts (LD_PRELOAD or `closeguard run`); a later dlopen is not noticed.
 *
 * A test suite that asserts zero leaks asserts first that closeguard is there:
 *
 *     assert(closeguard_present());
 *     ... the code under test ...
 *     assert(closeguard_check() == 0);
 *
 * Weak symbols need the program's table of imported addresses, so compile as the distributions do by default, position
 * independent (-fPIE or -fPIC). GCC manages without; Clang with -no-pie, and static programs, never find the library.
 */
#ifndef CLOSEGUARD_H
#define CLOSEGUARD_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the library exports. Call the functions further down instead. noplt makes GCC fetch the address at run time even
 * in programs that are not position independent; otherwise the linker would settle it as NULL.
 */
#ifdef __clang__
#define CLOSEGUARD_WEAK __attribute__((weak))
#else
#define CLOSEGUARD_WEAK __attribute__((weak, noplt))
#endif
extern int closeguard_api_present(void) CLOSEGUARD_WEAK;
extern int closeguard_api_ignore(int fd, const char *reason) CLOSEGUARD_WEAK;
extern int closeguard_api_label(int fd, const char *text) CLOSEGUARD_WEAK;
extern size_t closeguard_api_check(void) CLOSEGUARD_WEAK;
extern size_t closeguard_api_check_older(unsigned milliseconds) CLOSEGUARD_WEAK;
#undef CLOSEGUARD_WEAK

/*
 * Is the library there and watching? 1 yes; 0 no: not loaded, or switched off by CLOSEGUARD=off. Any thread, signal
 * handlers too.
 */
static inline int closeguard_present(void)
{
	return closeguard_api_present ? closeguard_api_present() : 0;
}

/*
 * Never report the connection behind fd, nor act on it: it stays open on purpose. The mark goes with the connection,
 * not with the number: once it is closed, the next one on fd is watched again. The reason is for the reader of the
 * call; it may be NULL and is not kept. Returns 0, or -1 without the library or where fd is no TCP socket. Any thread,
 * signal handlers too.
 */
static inline int closeguard_ignore(int fd, const char *reason)
{
	return closeguard_api_ignore ? closeguard_api_ignore(fd, reason) : -1;
}

/*
 * A short text (59 bytes are kept) for reports about the connection behind fd, such as the name of the customer or of
 * the pool it belongs to. It is copied, and replaces an earlier one. Returns 0, or -1 without the library or where fd
 * is no TCP socket. Any thread, signal handlers too.
 */
static inline int closeguard_label(int fd, const char *text)
{
	return closeguard_api_label ? closeguard_api_label(fd, text) : -1;
}

/*
 * Looks now, without waiting for the next sweep, and returns the number of leaked sockets of this process: those whose
 * end the program has read and that it has not closed, and those whose connection is gone, both whatever their age; of
 * all others whose other side has closed, those that have been closable for longer than CLOSEGUARD_WARN_AFTER. 0
 * without the library. It asks the kernel and may write a report: call it from ordinary code, never from a signal
 * handler, a forked child before exec, or with a lock held that your own close paths take.
 */
static inline size_t closeguard_check(void)
{
	return closeguard_api_check ? closeguard_api_check() : 0;
}

/*
 * The same with one age for all: counts what has been closable for so many milliseconds, whether its end was read or
 * not. For code that may hold a socket for a moment after its end.
 */
static inline size_t closeguard_check_older(unsigned milliseconds)
{
	return closeguard_api_check_older ? closeguard_api_check_older(milliseconds) : 0;
}

#ifdef __cplusplus
}
#endif

#endif
