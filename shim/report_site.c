/* report_site.c: chooses the one place in the code that a line has room for. */
#include "report_site.h"

#include <string.h>

/*
 * Modules that many places run through: a name is what stands here and a version behind it, or anything where it ends
 * in a sign. A policy's pass_over adds to them. Client libraries are among them because it is their caller who has to
 * close what they hold.
 */
static const char *const modules[] = {
    "?", "[jit]", "[vdso]", "linux-vdso.",
    /* libc and the compilers' */
    "ld-linux-", "libc.", "libc-", "libpthread", "libresolv", "libnss_", "libgcc_s", "libstdc++", "libc++", "libasan",
    "libtsan", "libubsan", "liblsan", "libgo",
    /* runtimes, and what they call the system by */
    "python", "libpython", "_socket.", "_ssl.", "_asyncio.", "select.", "ruby", "libruby", "socket.so", "perl",
    "libperl", "Socket.so", "SSLeay.so", "php", "php-fpm", "php-cgi", "libphp", "java", "libjvm", "libnio", "libnet",
    "libjava", "node", "libnode", "libmono", "libcoreclr", "libSystem.Native", "lua", "luajit", "liblua", "libluajit",
    "beam.smp",
    /* TLS */
    "libssl", "libcrypto", "libgnutls", "libnspr4", "libnss3", "libmbedtls", "libwolfssl", "libs2n", "openssl.so",
    /* event loops */
    "libuv", "libevent", "libevent_", "libev", "libglib-", "libgio-", "libgobject-", "libQt5Core", "libQt6Core",
    "libboost_", "libsystemd", "liburing",
    /* clients and servers as libraries */
    "libcurl", "libmicrohttpd", "libsoup", "libpq", "libmariadb", "libmysqlclient", "libhiredis", "libmemcached",
    "libldap", "liblber", "libnghttp2", "libssh", "libmongoc", "libzmq", "librdkafka", "libmosquitto", "libapr",
    "libaprutil"};

/* The same of functions, for what is linked into the program. */
static const char *const functions[] = {"SSL_",     "BIO_",         "ssl3_",        "gnutls_",      "_gnutls_",
                                        "mbedtls_", "uv_",          "event_base_",  "bufferevent_", "curl_easy_",
                                        "_start",   "__libc_start", "start_thread", "__clone"};

/* And of files: what a header has put into the program. */
static const char *const files[] = {"/usr/include/", "/usr/local/include/", "/rustc/"};

static bool ends_a_name(const char *beginning, char next)
{
	char last = beginning[strlen(beginning) - 1];
	bool open_ended =
	    !(last >= 'a' && last <= 'z') && !(last >= 'A' && last <= 'Z') && !(last >= '0' && last <= '9');
	bool is_library = strncmp(beginning, "lib", 3) == 0;
	return open_ended || !next || next == '.' || (next >= '0' && next <= '9') || (is_library && next == '-');
}

static bool is_shared(const char *module)
{
	for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
		if (strncmp(module, modules[i], strlen(modules[i])) == 0 &&
		    ends_a_name(modules[i], module[strlen(modules[i])]))
			return true;
	return false;
}

static bool begins(const char *text, const char *const beginnings[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

#define BEGINS_LIKE(text, list) begins(text, list, sizeof(list) / sizeof(*(list)))

bool cg_site_passed_over(const struct cg_report *report, const struct cg_frame *frame)
{
	return is_shared(frame->module) || BEGINS_LIKE(frame->function, functions) || BEGINS_LIKE(frame->file, files) ||
	       (report && report->passes_over && report->passes_over(frame));
}

unsigned cg_site_frame(const struct cg_report *report, const struct cg_frame *frames, unsigned n)
{
	unsigned at = 0;
	while (at < n && cg_site_passed_over(report, &frames[at]))
		at++;
	return at;
}

static bool is_to_be_named(const struct cg_report *report, const struct cg_place *place, unsigned at)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	unsigned n =
	    report->resolve(report->resolve_context, place->ip[at], place->generation, frames, CG_FRAMES_PER_IP);
	return cg_site_frame(report, frames, n) < n;
}

/* The first frame to be named that is not among the common ones, else the first to be named; place->depth: none. */
static unsigned choose_in(const struct cg_report *report, const struct cg_place *place, uint64_t common)
{
	unsigned first = place->depth;
	for (unsigned at = 0; at < place->depth; at++) {
		bool is_common = common >> at & 1;
		if ((is_common && first < place->depth) || !is_to_be_named(report, place, at))
			continue;
		if (!is_common)
			return at;
		first = at;
	}
	return first;
}

enum { PLACES = 6 };

static void places_of(const struct cg_finding *finding, const struct cg_place *ret[PLACES])
{
	bool first_is_stray = finding->kind == CG_KIND_DOUBLE_CLOSE && finding->hint == CG_HINT_STRAY_FIRST;
	ret[0] = finding->cause == CG_CAUSE_CONNECT_FAILED ? &finding->connected
	         : first_is_stray                          ? &finding->closed
	                                                   : &finding->here;
	ret[1] = &finding->eof;
	ret[2] = finding->kind == CG_KIND_FIN_WAIT2 ? &finding->shut : &finding->last_use;
	ret[3] = &finding->last_use;
	ret[4] = &finding->opened;
	ret[5] = &finding->connected;
}

uint64_t cg_site_choose(const struct cg_report *report, const struct cg_finding *finding, uint64_t common,
                        uint32_t *ret_generation)
{
	const struct cg_place *places[PLACES], *otherwise = NULL;
	places_of(finding, places);
	for (unsigned i = 0; i < PLACES; i++) {
		const struct cg_place *place = places[i];
		if (!place->known || !place->depth)
			continue;
		unsigned at = choose_in(report, place, place == &finding->opened ? common : 0);
		*ret_generation = place->generation;
		if (at < place->depth)
			return place->ip[at];
		otherwise = otherwise ? otherwise : place;
	}
	*ret_generation = otherwise ? otherwise->generation : 0;
	return otherwise ? otherwise->ip[0] : 0;
}

static bool name_frame(const struct cg_report *report, uint64_t ip, uint32_t generation, struct cg_frame *ret)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	unsigned n = ip ? report->resolve(report->resolve_context, ip, generation, frames, CG_FRAMES_PER_IP) : 0;
	if (!n)
		return false;
	unsigned at = cg_site_frame(report, frames, n);
	*ret = frames[at < n ? at : 0];
	return true;
}

bool cg_site_of(const struct cg_report *report, const struct cg_place *place, struct cg_frame *ret)
{
	if (!place->known || !place->depth)
		return false;
	unsigned at = choose_in(report, place, 0);
	return name_frame(report, place->ip[at < place->depth ? at : 0], place->generation, ret);
}

bool cg_report_site(const struct cg_report *report, const struct cg_finding *finding, struct cg_frame *ret)
{
	uint32_t generation = finding->site_generation;
	uint64_t ip = finding->site_ip ? finding->site_ip : cg_site_choose(report, finding, 0, &generation);
	return name_frame(report, ip, generation, ret);
}

void cg_site_text(struct cg_buf *out, const struct cg_frame *frame)
{
	const char *slash = strrchr(frame->file, '/');
	if (*frame->function) {
		cg_text_plain(out, frame->function);
		cg_buf_char(out, ' ');
	}
	if (*frame->file) {
		cg_text_plain(out, slash ? slash + 1 : frame->file);
		if (frame->line)
			cg_buf_fmt(out, ":%u", frame->line);
		return;
	}
	cg_text_plain(out, frame->module);
	if (!*frame->function)
		cg_buf_fmt(out, "+0x%llx", (unsigned long long)frame->offset);
}
