/* parse.c: the annex's edge: a file in, a policy or errors out. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define EXPORTED __attribute__((visibility("default")))

/* The first name on a line: what a line's error is most likely about. */
static const char *first_name(const struct cg_config *parse, unsigned line, char *name, size_t size)
{
	const char *at = parse->text;
	for (unsigned i = 1; i < line && at; i++) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	size_t n = 0;
	for (at = at ? at + strspn(at, " \t\r{}()[],;") : ""; n + 1 < size && *at; n++, at++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*", *at))
			break;
		name[n] = *at;
	}
	name[n] = '\0';
	return n ? name : "syntax";
}

static void note_syntax(struct cg_config *parse, const config_t *config)
{
	char name[CG_POLICY_NAME];
	const char *text = config_error_text(config) ? config_error_text(config) : "syntax error";
	size_t line = config_error_line(config) > 0 ? (size_t)config_error_line(config) : 1;
	line = line > parse->place_count ? parse->place_count : line;
	const char *key = first_name(parse, (unsigned)line, name, sizeof name);
	if (strstr(text, "duplicate"))
		cg_config_error_at(parse, parse->places[line - 1], key,
		                   "it stands twice in its group; once is allowed");
	else if (strstr(text, "array"))
		cg_config_error_at(parse, parse->places[line - 1], key,
		                   "an array [ ] holds values of one type; a list ( ) may mix them");
	else
		cg_config_error_at(parse, parse->places[line - 1], key,
		                   "%s here or just before; a setting is `name = value;`, a group { }, a list ( )",
		                   text);
}

static void understand(struct cg_config *parse)
{
	config_t config;
	config_init(&config);
	if (config_read_string(&config, parse->text) == CONFIG_TRUE)
		cg_config_top(parse, config_root_setting(&config));
	else
		note_syntax(parse, &config);
	config_destroy(&config);
}

EXPORTED int cg_policy_load(const char *path, const char *app, struct cg_policy *ret, char (*errors)[CG_POLICY_LINE],
                            unsigned max, char (*warnings)[CG_POLICY_LINE], unsigned max_warnings,
                            unsigned *ret_warnings)
{
	*ret_warnings = 0;
	struct cg_config *parse = calloc(1, sizeof *parse);
	if (!parse) {
		if (max)
			snprintf(errors[0], sizeof errors[0], "%.256s:1: file: there is no memory to read it", path);
		return 1;
	}
	parse->errors = (struct cg_config_notes){errors, max, 0};
	parse->warnings = (struct cg_config_notes){warnings, max_warnings, 0};
	parse->policy.version = CG_POLICY_VERSION;
	parse->policy.size = sizeof parse->policy;
	/* Our libc has not started the library's thread, which so has no ctype tables here; this gives it some. */
	locale_t before = uselocale(LC_GLOBAL_LOCALE);
	cg_config_text(parse, path);
	if (!parse->errors.count)
		understand(parse);
	if (!parse->errors.count)
		cg_config_sense(parse);
	uselocale(before);
	int count = (int)parse->errors.count;
	if (!count) {
		cg_policy_compile(&parse->policy);
		parse->policy.applies = !app || !parse->policy.app[0] || cg_policy_glob(parse->policy.app, app);
		*ret = parse->policy;
	}
	*ret_warnings = parse->warnings.count;
	free(parse->places);
	free(parse->text);
	free(parse);
	return count;
}

EXPORTED uint64_t cg_policy_build(void)
{
	return (uint64_t)CG_POLICY_VERSION << 32 | sizeof(struct cg_policy);
}
