/* detect_advice.c: what to do about a finding, by what is known of it. */
#include "detect.h"

/* Does the usual advice send to a read that nobody saw? */
static bool lacks_its_reads(const struct cg_finding *finding, unsigned hint)
{
	bool by_reads = finding->cause == CG_CAUSE_EOF_IGNORED || finding->cause == CG_CAUSE_DATA_UNREAD;
	bool by_hint = hint == CG_HINT_FORKED || hint == CG_HINT_UNUSED || hint == CG_HINT_HANDLER_BUSY;
	return finding->kind == CG_KIND_CLOSE_WAIT && finding->verdict == CG_VERDICT_LEAK && by_reads && !by_hint &&
	       !finding->eof.known && !finding->last_use.known;
}

const char *cg_finding_advice(const struct cg_finding *finding, unsigned hint)
{
	if (!lacks_its_reads(finding, hint))
		return cg_detect_advice_hinted(finding->kind, finding->cause, finding->verdict, hint);
	if (finding->opened.known)
		return "its reads were not seen (io_uring, stdio, or code that calls the kernel past libc), so there "
		       "is no "
		       "stack of them: follow it from `opened by` to the code that reads it, and close it there at the "
		       "end";
	return "it was opened and read past the wrappers (io_uring, a module's own system calls, RTLD_DEEPBIND), so "
	       "there "
	       "is no stack: its addresses and `peers` say which part of the program has to close it at the end";
}
