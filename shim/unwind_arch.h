/*
 * unwind_arch.h: what differs between x86-64 and aarch64 when a stack is walked.
 */
#ifndef CG_UNWIND_ARCH_H
#define CG_UNWIND_ARCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ucontext.h>

/* Where the kernel has put the registers, seen from the stack pointer of the code that ends a signal handler. */
#ifdef __x86_64__
enum {
	CG_SIGNAL_REGISTERS = offsetof(ucontext_t, uc_mcontext),
	CG_SIGNAL_FP = REG_RBP * 8,
	CG_SIGNAL_SP = REG_RSP * 8,
	CG_SIGNAL_IP = REG_RIP * 8,
	CG_SIGNAL_LR = -1
};
#else
enum {
	CG_SIGNAL_REGISTERS = sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext),
	CG_SIGNAL_FP = offsetof(mcontext_t, regs) + 29 * 8,
	CG_SIGNAL_SP = offsetof(mcontext_t, sp),
	CG_SIGNAL_IP = offsetof(mcontext_t, pc),
	CG_SIGNAL_LR = offsetof(mcontext_t, regs) + 30 * 8
};
#endif

/* A return address without the signature that aarch64 may have put into its upper bits. */
static inline uintptr_t cg_unwind_plain(uintptr_t address)
{
#ifdef __aarch64__
	register uintptr_t lr __asm__("x30") = address;
	__asm__("hint #7" : "+r"(lr)); /* xpaclri; nothing on processors without signatures */
	return lr;
#else
	return address;
#endif
}

/*
 * The vdso of aarch64 has no entry for the code that ends a signal handler: it is known by its two instructions.
 * For code that lies in an object, and so can be read.
 */
static inline bool cg_unwind_is_sigreturn(uintptr_t ip)
{
#ifdef __aarch64__
	const volatile uint32_t *code = (const volatile uint32_t *)ip; // NOLINT(performance-no-int-to-ptr)
	return ip % 4 == 0 && code[0] == 0xd2801168 && code[1] == 0xd4000001;
#else
	(void)ip;
	return false;
#endif
}

#endif
