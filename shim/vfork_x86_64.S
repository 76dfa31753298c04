/*
 * vfork: counted, then jumped to. A frame of ours would be overwritten by the child, which runs on the same stack.
 */
	.text
	.globl	vfork
	.type	vfork, @function
vfork:
	endbr64
	lock incw cg_track_epoch(%rip)
	jmp	*cg_real_vfork(%rip)
	.size	vfork, . - vfork
	.hidden	cg_track_epoch
	.hidden	cg_real_vfork
	.section .note.GNU-stack, "", @progbits
