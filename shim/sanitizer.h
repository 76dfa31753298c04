/*
 * sanitizer.h: is a sanitizer's runtime in this process, and where?
 *
 * It may be a library (libtsan.so) or a part of the program (-static-libtsan; clang's always are), where all that is
 * seen of it from outside are libc's functions that it has put its own in place of.
 */
#ifndef CG_SANITIZER_H
#define CG_SANITIZER_H

#include <stdbool.h>
#include <stdint.h>

/* Looks. Constructor, after cg_object_init. */
void cg_sanitizer_init(void);

/* As cg_sanitizer_init found it; false before. Any context. */
bool cg_sanitizer_is_tsan(void);
bool cg_sanitizer_is_asan(void);
bool cg_sanitizer_has_lsan(void);

/*
 * May there be a thread that the program did not ask for? ThreadSanitizer ends the child of several threads that makes
 * one, with a parent that has no thread but ours too, unless TSAN_OPTIONS has die_after_fork=0. Any context.
 */
bool cg_sanitizer_bears_a_thread(void);

/* The code of a runtime inside the program: its wrappers stand between the program's call and ours. Any context. */
bool cg_sanitizer_code(uintptr_t *ret_start, uintptr_t *ret_end);

#endif
