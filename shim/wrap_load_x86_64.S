/*
 * dlopen, dlmopen: noted, then jumped to with the caller's arguments and return address, by which libc goes.
 */
	.macro	forward name, before
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	endbr64
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rsi
	.cfi_adjust_cfa_offset 8
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	call	\before
	popq	%rdx
	.cfi_adjust_cfa_offset -8
	popq	%rsi
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	jmp	*%rax
	.cfi_endproc
	.size	\name, . - \name
	.hidden	\before
	.endm

	.text
	forward	dlopen, cg_load_before
	forward	dlmopen, cg_load_apart_before
	.section .note.GNU-stack, "", @progbits
