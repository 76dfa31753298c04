/* options.c: the settings table filled from the environment. */
#include "options.h"

#include "fmt.h"
#include "options_parse.h"
#include "sys.h"

#include <string.h>
#include <sys/auxv.h>

#define PREFIX "CLOSEGUARD"

/* A shown value or name is cut at 64 bytes: enough to recognise it. No line comes near 512. */
enum { SHOWN_MAX = 64, LINE_SIZE = 512 };

enum { LONGEST_NAME = 16 }; /* of options.def; checked below */

/* CLOSEGUARD itself switches the whole; the rest is CLOSEGUARD_NAME. */
#define VARIABLE(name) (__builtin_strcmp(name, "ON") == 0 ? PREFIX : PREFIX "_" name)

static const struct cg_option_info infos[] = {
#define CG_OPTION(name, kind, standard_, values_, meaning_)                                                            \
	{.variable = VARIABLE(#name), .standard = standard_, .values = values_, .meaning = meaning_},
#include "options.def"
#undef CG_OPTION
};

static const char *const names[] = {
#define CG_OPTION(name, kind, standard_, values_, meaning_) #name,
#include "options.def"
#undef CG_OPTION
};

#define CG_OPTION(name, kind, standard_, values_, meaning_)                                                            \
	_Static_assert(sizeof(#name) - 1 <= LONGEST_NAME, "edit_distance has no room for " #name);
#include "options.def"
#undef CG_OPTION

static cg_options_parse *const parsers[] = {
#define CG_OPTION(name, kind, standard_, values_, meaning_) cg_options_parse_##kind,
#include "options.def"
#undef CG_OPTION
};

#define FIELD(member)                                                                                                  \
	{                                                                                                              \
		offsetof(struct cg_options, member), sizeof(((struct cg_options *)0)->member)                          \
	}

static const struct {
	size_t offset, size;
} fields[CG_OPT_COUNT] = {
    [CG_OPT_ON] = FIELD(on),
    [CG_OPT_POLICY] = FIELD(policy),
    [CG_OPT_APP] = FIELD(app),
    [CG_OPT_LOG] = FIELD(log),
    [CG_OPT_LOG_MODE] = FIELD(log_mode),
    [CG_OPT_FORMAT] = FIELD(format),
    [CG_OPT_WARN_AFTER] = FIELD(warn_after_ns),
    [CG_OPT_INTERVAL] = FIELD(interval_ns),
    [CG_OPT_STACKS] = FIELD(stacks),
    [CG_OPT_DEPTH] = FIELD(depth),
    [CG_OPT_THREAD] = FIELD(thread),
    [CG_OPT_SIGNAL] = FIELD(signal),
    [CG_OPT_EXITCODE] = FIELD(exitcode),
    [CG_OPT_FOLLOW] = FIELD(follow),
    [CG_OPT_SUPPRESS] = FIELD(suppress),
    [CG_OPT_DIR] = FIELD(dir),
};

struct reader {
	struct cg_options *options;
	cg_option_warn *warn;
	void *context;
};

const struct cg_option_info *cg_options_table(unsigned *ret_count)
{
	*ret_count = CG_OPT_COUNT;
	return infos;
}

static int parse(struct cg_options *options, unsigned option, const char *text)
{
	return parsers[option](text, (char *)options + fields[option].offset, fields[option].size);
}

/* The part of text that a line can show: cut, and without what would break the line or the terminal. */
static void put_shown(struct cg_buf *line, const char *text, size_t n, size_t max)
{
	for (size_t i = 0; i < n && i < max; i++) {
		unsigned char c = (unsigned char)text[i];
		cg_buf_char(line, c < ' ' || c == 0x7F ? '?' : (char)c);
	}
	if (n > max)
		cg_buf_str(line, "...");
}

static void warn_value(const struct reader *reader, unsigned option, const char *value, int error)
{
	char text[LINE_SIZE];
	struct cg_buf line;
	const struct cg_option_info *info = &infos[option];
	cg_buf_init(&line, text, sizeof(text));
	cg_buf_fmt(&line, "%s: \"", info->variable);
	put_shown(&line, value, strlen(value), SHOWN_MAX);
	if (error == -ENAMETOOLONG)
		cg_buf_fmt(&line, "\" is longer than %zu bytes", fields[option].size - 1);
	else
		cg_buf_fmt(&line, "\" is not %s", info->values);
	cg_buf_fmt(&line, "; using %s",
	           *info->standard           ? info->standard
	           : option == CG_OPT_SIGNAL ? "none"
	                                     : "the default");
	reader->warn(text, reader->context);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How many letters must be added, dropped or changed to turn a[0..n) into b; case is no difference. */
static unsigned edit_distance(const char *a, size_t n, const char *b)
{
	unsigned row[LONGEST_NAME + 1];
	size_t m = strlen(b);
	for (unsigned j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 0; i < n; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < m; j++) {
			unsigned changed = diagonal + (lower(a[i]) != lower(b[j]));
			unsigned shorter = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
			diagonal = row[j + 1];
			row[j + 1] = changed < shorter ? changed : shorter;
		}
	}
	return row[m];
}

static void warn_unknown(const struct reader *reader, const char *name, size_t n)
{
	const char *value = name + n + (name[n] == '=');
	char text[LINE_SIZE];
	struct cg_buf line;
	const char *tail = name + strlen(PREFIX "_");
	unsigned nearest = 0, nearest_distance = ~0u;
	for (unsigned i = 0; i < CG_OPT_COUNT; i++) {
		unsigned distance = edit_distance(tail, n - strlen(PREFIX "_"), names[i]);
		if (distance < nearest_distance) {
			nearest = i;
			nearest_distance = distance;
		}
	}
	cg_buf_init(&line, text, sizeof(text));
	put_shown(&line, name, n, SHOWN_MAX);
	cg_buf_str(&line, "=");
	put_shown(&line, value, strlen(value), SHOWN_MAX);
	cg_buf_fmt(&line, " is not a setting; did you mean %s?", infos[nearest].variable);
	reader->warn(text, reader->context);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int find_option(const char *name, size_t n)
{
	for (unsigned i = 0; i < CG_OPT_COUNT; i++)
		if (strlen(infos[i].variable) == n && memcmp(infos[i].variable, name, n) == 0)
			return (int)i;
	return -ENOENT;
}

/* A variable set twice counts once, the first as for getenv. An empty value is none. */
static void read_variable(const struct reader *reader, const char *entry, uint32_t *seen)
{
	size_t n = 0;
	while (entry[n] && entry[n] != '=')
		n++;
	int option = find_option(entry, n);
	if (!entry[n])
		return;
	if (option < 0) {
		if (starts_with(entry, PREFIX "_") && !starts_with(entry, PREFIX "_TEST_"))
			warn_unknown(reader, entry, n);
		return;
	}
	const char *value = entry + n + 1;
	bool first = !(*seen & (1u << option));
	*seen |= 1u << option;
	if (!first || !*value)
		return;
	reader->options->from_environment |= 1u << option;
	int r = parse(reader->options, (unsigned)option, value);
	if (r < 0)
		warn_value(reader, (unsigned)option, value, r);
}

/*
 * The name that the program was started by, where that leads to the executable: redis-server is a link to another name.
 * A script's is not (its executable is the interpreter).
 */
static const char *started_as(void)
{
	const char *path = (const char *)getauxval(AT_EXECFN); // NOLINT(performance-no-int-to-ptr)
	struct stat named, running;
	if (!path || cg_sys_fstatat(AT_FDCWD, path, &named, 0) < 0 ||
	    cg_sys_fstatat(AT_FDCWD, "/proc/self/exe", &running, 0) < 0)
		return NULL;
	return named.st_dev == running.st_dev && named.st_ino == running.st_ino ? path : NULL;
}

/* The executable's basename. The kernel marks one that was replaced by an upgrade; that is not part of its name. */
static void name_app(struct cg_options *options)
{
	static const char deleted[] = " (deleted)";
	char link[4096];
	const char *path = started_as();
	if (!path) {
		ssize_t n = cg_sys_readlinkat(AT_FDCWD, "/proc/self/exe", link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		size_t mark = sizeof(deleted) - 1, len = strlen(link);
		if (len > mark && strcmp(link + len - mark, deleted) == 0)
			link[len - mark] = '\0';
		path = link[0] ? link : "?";
	}
	const char *slash = strrchr(path, '/');
	cg_options_parse_text(slash ? slash + 1 : path, options->app, sizeof(options->app));
}

static void ignore_warning(const char *line, void *context)
{
	(void)line;
	(void)context;
}

void cg_options_read(char *const *environ_, struct cg_options *ret, cg_option_warn *warn, void *context)
{
	const struct reader reader = {.options = ret, .warn = warn ? warn : ignore_warning, .context = context};
	uint32_t seen = 0;
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < CG_OPT_COUNT; i++)
		parse(ret, i, infos[i].standard);
	for (; environ_ && *environ_; environ_++)
		if (starts_with(*environ_, PREFIX))
			read_variable(&reader, *environ_, &seen);
	if (!ret->app[0])
		name_app(ret);
}

bool cg_options_depth_chosen(const struct cg_options *options)
{
	unsigned standard = 0;
	(void)cg_options_parse_depth(infos[CG_OPT_DEPTH].standard, &standard, sizeof standard);
	return (options->from_environment & (1u << CG_OPT_DEPTH)) || options->depth != standard;
}

int cg_options_set(struct cg_options *options, unsigned option, const char *text)
{
	return options->from_environment & 1u << option ? 0 : parse(options, option, text);
}
