/* calls.c: the names of the wrapped calls. */
#include "calls.h"

static const char *const names[CG_CALL_COUNT] = {
    [CG_CALL_NONE] = "?",
#define CG_REQUIRED(number, ret, name, params, args) [CG_CALL_##name] = #name,
#define CG_OPTIONAL(number, ret, name, params, args) [CG_CALL_##name] = #name,
#define CG_WAY(number, name) [CG_CALL_##name] = #name,
#include "calls.def"
};

bool cg_call_known(unsigned call)
{
	return call < CG_CALL_COUNT && names[call];
}

const char *cg_call_name(unsigned call)
{
	return cg_call_known(call) ? names[call] : "?";
}

bool cg_call_writes(unsigned call)
{
	switch (call) {
	case CG_CALL___vdprintf_chk:
	case CG_CALL_pwritev2:
	case CG_CALL_pwritev64v2:
	case CG_CALL_send:
	case CG_CALL_sendfile:
	case CG_CALL_sendfile64:
	case CG_CALL_sendmmsg:
	case CG_CALL_sendmsg:
	case CG_CALL_sendto:
	case CG_CALL_vdprintf:
	case CG_CALL_write:
	case CG_CALL_writev:
		return true;
	default:
		return false;
	}
}
