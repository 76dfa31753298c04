/*
 * vfork: counted, then jumped to. A frame of ours would be overwritten by the child, which runs on the same stack.
 */
	.text
	.globl	vfork
	.type	vfork, %function
vfork:
	hint	#34 /* bti c */
	adrp	x16, cg_track_epoch
	add	x16, x16, :lo12:cg_track_epoch
1:	ldaxrh	w17, [x16]
	add	w17, w17, #1
	stlxrh	w15, w17, [x16]
	cbnz	w15, 1b
	adrp	x16, cg_real_vfork
	ldr	x16, [x16, :lo12:cg_real_vfork]
	br	x16
	.size	vfork, . - vfork
	.hidden	cg_track_epoch
	.hidden	cg_real_vfork
	.section .note.GNU-stack, "", %progbits
