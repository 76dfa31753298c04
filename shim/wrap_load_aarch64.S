/*
 * dlopen, dlmopen: noted, then jumped to with the caller's arguments and return address, by which libc goes.
 */
	.macro	forward name, before
	.globl	\name
	.type	\name, %function
\name:
	.cfi_startproc
	hint	#34 /* bti c */
	stp	x29, x30, [sp, #-48]!
	.cfi_def_cfa_offset 48
	.cfi_offset x29, -48
	.cfi_offset x30, -40
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	str	x2, [sp, #32]
	bl	\before
	mov	x16, x0
	ldp	x0, x1, [sp, #16]
	ldr	x2, [sp, #32]
	ldp	x29, x30, [sp], #48
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	br	x16
	.cfi_endproc
	.size	\name, . - \name
	.hidden	\before
	.endm

	.text
	forward	dlopen, cg_load_before
	forward	dlmopen, cg_load_apart_before
	.section .note.GNU-stack, "", %progbits
