/* report_samples.h: findings to print, and a resolver that knows a few addresses. */
#ifndef REPORT_SAMPLES_H
#define REPORT_SAMPLES_H

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "calls.h"
#include "report.h"
#include "report_stack.h"

enum {
	IP_HANDLE = 0x1000,
	IP_MAIN = 0x2000,
	IP_FOO = 0x3000,
	IP_JIT = 0x4000,
	IP_PYTHON = 0x4100,
	IP_LONG = 0x4200,
	IP_INLINED = 0x5000,
	IP_HOSTILE = 0x6000,
	IP_START = 0x7000
};

#define SECONDS(n) ((uint64_t)(n)*1000000000ULL)
#define HOSTILE "a\"b\\c\n\x1b[31m\x80\xc2\x9b\xed\xa0\x80\xc3\xa9"

static unsigned resolve_inlined(struct cg_frame *frames)
{
	frames[0] = (struct cg_frame){.module = "server",
	                              .offset = 0x4fff,
	                              .function = "parse_line",
	                              .file = "http.c",
	                              .line = 12,
	                              .inlined = true};
	frames[1] =
	    (struct cg_frame){.module = "server", .offset = 0x4fff, .function = "parse", .file = "http.c", .line = 80};
	return 2;
}

static unsigned resolve_sample(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max)
{
	(void)context;
	(void)generation;
	(void)max;
	switch (ip) {
	case IP_HANDLE:
		frames[0] = (struct cg_frame){.module = "server",
		                              .build_id = "aabbccddeeff00112233",
		                              .offset = 0xfff,
		                              .function = "handle_client",
		                              .file = "server.c",
		                              .line = 88};
		return 1;
	case IP_MAIN:
		frames[0] = (struct cg_frame){.module = "server",
		                              .build_id = "aabbccddeeff00112233",
		                              .offset = 0x1fff,
		                              .function = "main",
		                              .file = "server.c",
		                              .line = 140};
		return 1;
	case IP_FOO:
		frames[0] = (struct cg_frame){.module = "libfoo.so.1", .build_id = "1a2b3c4d5e6f", .offset = 0x1234};
		return 1;
	case IP_START:
		frames[0] =
		    (struct cg_frame){.module = "libc.so.6", .offset = 0x6fff, .function = "__libc_start_main_impl"};
		return 1;
	case IP_LONG:
		memset(frames[0].module, '\x1b', sizeof frames[0].module - 1);
		memset(frames[0].function, '\x1b', sizeof frames[0].function - 1);
		memset(frames[0].file, '\x1b', sizeof frames[0].file - 1);
		frames[0].module[sizeof frames[0].module - 1] = frames[0].function[sizeof frames[0].function - 1] =
		    frames[0].file[sizeof frames[0].file - 1] = '\0';
		frames[0].build_id[0] = '\0';
		frames[0].offset = 1;
		frames[0].inlined = false;
		return 1;
	case IP_PYTHON:
		frames[0] = (struct cg_frame){.module = "python3.11", .offset = 0x77, .function = "eval_frame"};
		return 1;
	case IP_JIT:
		frames[0] = (struct cg_frame){.module = "[jit]", .offset = 0x3fff};
		return 1;
	case IP_INLINED:
		return resolve_inlined(frames);
	case IP_HOSTILE:
		frames[0] =
		    (struct cg_frame){.module = HOSTILE, .offset = 1, .function = HOSTILE, .file = HOSTILE, .line = 1};
		return 1;
	default:
		frames[0] = (struct cg_frame){.module = "server", .offset = ip};
		return 1;
	}
}

static const struct cg_report report = {.app = "nginx",
                                        .host = "web1",
                                        .pid = 4242,
                                        .realtime_ns = 1772366400123000000ULL,
                                        .warn_after_ns = SECONDS(30),
                                        .resolve = resolve_sample};

static struct cg_socket_view sample_socket(int fd)
{
	struct cg_socket_view socket = {
	    .fd = fd, .age_ns = SECONDS(312), .age_source = CG_AGE_EOF, .has_unread = true, .polled_by = -1};
	socket.tcp = (struct cg_tcp){.state = CG_TCP_CLOSE_WAIT,
	                             .inode = 12345,
	                             .local = {.family = AF_INET, .port = 8080, .bytes = {127, 0, 0, 1}},
	                             .peer = {.family = AF_INET, .port = 51234, .bytes = {127, 0, 0, 1}}};
	return socket;
}

/* 37 sockets whose end was read and which were not closed. */
static inline struct cg_finding sample_leak(void)
{
	struct cg_finding finding = {.kind = CG_KIND_CLOSE_WAIT,
	                             .cause = CG_CAUSE_EOF_IGNORED,
	                             .verdict = CG_VERDICT_LEAK,
	                             .confidence = 950,
	                             .count = 37,
	                             .oldest_age_ns = SECONDS(312),
	                             .advice = "close it",
	                             .origin = CG_ORIGIN_SEEN,
	                             .has_history = true,
	                             .socket_count = 5};
	finding.opened = (struct cg_place){.known = true,
	                                   .call = CG_CALL_accept4,
	                                   .thread = "worker-3",
	                                   .age_ns = SECONDS(314),
	                                   .depth = 3,
	                                   .ip = {IP_HANDLE, IP_MAIN, IP_FOO}};
	finding.eof = (struct cg_place){.known = true,
	                                .call = CG_CALL_read,
	                                .thread = "worker-3",
	                                .age_ns = SECONDS(312),
	                                .depth = 2,
	                                .ip = {IP_INLINED, IP_JIT}};
	finding.last_use = (struct cg_place){.known = true, .call = CG_CALL_send, .depth = 1, .ip = {IP_HANDLE}};
	finding.history = (struct cg_history){.opened = 812,
	                                      .closed = 773,
	                                      .closed_in_time = 770,
	                                      .closed_late = 3,
	                                      .never_closed = 37,
	                                      .delays = {[3] = 770, [19] = 3}};
	for (unsigned i = 0; i < finding.socket_count; i++)
		finding.sockets[i] = sample_socket(12 + (int)i);
	return finding;
}

/* A descriptor closed twice: an event, with the call that did it. */
static inline struct cg_finding sample_double_close(void)
{
	struct cg_finding finding = {.kind = CG_KIND_DOUBLE_CLOSE,
	                             .verdict = CG_VERDICT_LEAK,
	                             .confidence = 1000,
	                             .count = 1,
	                             .oldest_age_ns = SECONDS(2),
	                             .advice = "remove one",
	                             .error = 9};
	finding.here = (struct cg_place){
	    .known = true, .call = CG_CALL_close, .thread = "main", .age_ns = SECONDS(2), .depth = 1, .ip = {IP_MAIN}};
	finding.closed = (struct cg_place){.known = true,
	                                   .call = CG_CALL_close,
	                                   .thread = "main",
	                                   .age_ns = SECONDS(3),
	                                   .depth = 1,
	                                   .ip = {IP_HANDLE}};
	return finding;
}

/* Every name is as bad as it can be. */
static inline struct cg_finding sample_hostile(void)
{
	struct cg_finding finding = sample_leak();
	finding.opened.ip[0] = IP_HOSTILE;
	memcpy(finding.opened.thread, HOSTILE, sizeof(HOSTILE));
	memcpy(finding.label, HOSTILE, sizeof(HOSTILE));
	return finding;
}

#endif
