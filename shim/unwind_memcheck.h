/*
 * unwind_memcheck.h: tells valgrind that what is read on a guess is read on purpose.
 *
 * A frame pointer may hold anything, and be looked at all the same. Outside of valgrind a request is five instructions
 * that change nothing.
 */
#ifndef CG_UNWIND_MEMCHECK_H
#define CG_UNWIND_MEMCHECK_H

#include <stddef.h>
#include <stdint.h>

static inline void cg_memcheck_request(uint64_t request, uint64_t first, uint64_t second)
{
	volatile uint64_t args[6] = {request, first, second, 0, 0, 0};
	uint64_t result = 0;
#ifdef __x86_64__
	__asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
	                 : "+d"(result)
	                 : "a"(&args[0])
	                 : "cc", "memory");
#else
	__asm__ volatile("mov x3, %0; mov x4, %1; ror x12, x12, #3; ror x12, x12, #13; ror x12, x12, #51; "
	                 "ror x12, x12, #61; orr x10, x10, x10; mov %0, x3"
	                 : "+r"(result)
	                 : "r"(&args[0])
	                 : "cc", "memory", "x3", "x4");
#endif
}

/* Errors of this thread are not told until as many calls of end. */
static inline void cg_memcheck_begin(void)
{
	cg_memcheck_request(0x1801, 1, 0); /* VG_USERREQ__CHANGE_ERR_DISABLEMENT */
}

static inline void cg_memcheck_end(void)
{
	cg_memcheck_request(0x1801, (uint64_t)-1, 0);
}

/* These bytes have a meaning, whatever they were made of. */
static inline void cg_memcheck_defined(const void *at, size_t n)
{
	static const uint64_t request = ((uint64_t)'M' << 24 | (uint64_t)'C' << 16) + 2; /* MAKE_MEM_DEFINED */
	cg_memcheck_request(request, (uint64_t)(uintptr_t)at, n);
}

#endif
