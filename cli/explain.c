/*
 * explain.c: `closeguard explain`, which says why a program is or is not watched, and what a finding means.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "explain.h"
#include "explain_topics.h"
#include "fmt.h"
#include "json_text.h"
#include "options_table.h"
#include "target.h"

enum { ROW_JSON, ROW_COUNT };

static const struct cg_option_row rows[ROW_COUNT] = {
    [ROW_JSON] = {"json", NULL, "one JSON object"},
};

static const struct cg_options_table table = {
    .verb = "explain",
    .usage = "usage: closeguard explain [OPTION...] [KIND | PID | COMMAND]\n",
    .rows = rows,
    .count = ROW_COUNT,
    .command_follows = true,
};

static void print_help(void)
{
	fputs(table.usage, stdout);
	fputs(
	    "\nFor the KIND or the cause of a finding: what it means, how to see it with ss, and how to mend it in C, "
	    "Python,\nJava and Node. For a process or a command: whether it is or would be watched, and if not, why, "
	    "and "
	    "what to do\ninstead. A name that is both is taken for the kind; a command of that name is ./NAME or its "
	    "path. "
	    "Without\narguments: the kinds and causes.\n\n",
	    stdout);
	cg_options_table_print(&table);
	fputs(
	    "\nIt exits with 0 where the kind is known or the program is watched, be it in part; 1 where it is not; 2 "
	    "for\nwrong usage and 3 where there is no such thing, or it may not be looked into.\n",
	    stdout);
}

static int take_option(unsigned row, const char *argument, void *context)
{
	(void)argument;
	*(bool *)context |= row == ROW_JSON;
	return CG_EXIT_DONE;
}

static int list_topics(bool json)
{
	const struct cg_topic *topic;
	json_t *list = json_array();
	for (size_t i = 0; (topic = cg_explain_topics_at(i)) != NULL; i++) {
		if (json)
			json_array_append_new(list, json_string(topic->name));
		else
			printf("%s%-*s %s%s\n", topic->of ? "  " : "", topic->of ? 16 : 18, topic->name, topic->summary,
			       topic->seen_by ? " (planned)" : "");
	}
	if (json) {
		(void)cg_json_write(list, stdout, 0);
	} else {
		puts("\nA cause stands below its kind. `closeguard explain NAME` tells more.");
	}
	json_decref(list);
	return CG_EXIT_DONE;
}

/* Code keeps its lines; a tab is as wide as in an editor that is set so. */
static void print_code(const char *code)
{
	bool begins = true;
	for (; *code; code++) {
		if (begins && *code != '\n')
			fputs("    ", stdout);
		begins = *code == '\n';
		if (*code == '\t')
			fputs("        ", stdout);
		else
			putchar(*code);
	}
}

static void tell_topic(const struct cg_topic *topic)
{
	static const char *const titles[CG_TOPIC_LANGUAGES] = {"C", "Python", "Java", "Node"};
	printf("%s: %s\n\n", topic->name, topic->summary);
	if (topic->of)
		printf("  %-10sof %s\n", "a cause", topic->of);
	if (topic->seen_by)
		printf("  %-10sno finding tells of it yet; `%s` does\n", "planned", topic->seen_by);
	cg_verdict_wrap("means", topic->meaning);
	puts("\n  to see it with other tools:\n");
	for (unsigned i = 0; i < CG_TOPIC_COMMANDS && topic->confirm[i]; i++)
		printf("    %s\n", topic->confirm[i]);
	for (unsigned i = 0; i < CG_TOPIC_LANGUAGES; i++) {
		printf("\n  to mend it in %s:\n\n", titles[i]);
		print_code(topic->mend[i]);
	}
}

static void tell_topic_json(const struct cg_topic *topic)
{
	json_t *all = json_pack("{s:i,s:s,s:s,s:s?,s:s,s:b,s:s}", "v", 1, "event", "explain", "name", topic->name, "of",
	                        topic->of, "summary", topic->summary, "planned", topic->seen_by != NULL, "meaning",
	                        topic->meaning);
	json_t *confirm = json_array(), *mend = json_object();
	for (unsigned i = 0; i < CG_TOPIC_COMMANDS && topic->confirm[i]; i++)
		json_array_append_new(confirm, json_string(topic->confirm[i]));
	for (unsigned i = 0; i < CG_TOPIC_LANGUAGES; i++)
		json_object_set_new(mend, cg_explain_topics_language(i), json_string(topic->mend[i]));
	json_object_set_new(all, "confirm", confirm);
	json_object_set_new(all, "mend", mend);
	(void)cg_json_write(all, stdout, 0);
	json_decref(all);
}

static int explain_topic(const struct cg_topic *topic, const char *word, bool json)
{
	static struct cg_target target;
	static char why[CG_WHY_MAX];
	if (json)
		tell_topic_json(topic);
	else
		tell_topic(topic);
	if (cg_target_find(word, &target, why) == 0)
		cg_common_complain("explain", "this is the kind; the program of that name is %s", target.path);
	return CG_EXIT_DONE;
}

/* A word that is no kind may be a kind with a letter wrong, unless there is such a command. */
static bool suggest(const char *word)
{
	static struct cg_target target;
	static char why[CG_WHY_MAX];
	const struct cg_topic *near = strchr(word, '/') ? NULL : cg_explain_topics_near(word);
	if (!near || cg_target_find(word, &target, why) == 0)
		return false;
	cg_common_complain("explain", "there is no kind, cause or command '%s'; did you mean %s?", word, near->name);
	return true;
}

static int explain(int argc, char **argv, bool json)
{
	struct cg_verdict verdict = {.subject = argv[0]};
	const struct cg_topic *topic = cg_explain_topics_find(argv[0]);
	long pid;
	int error;
	if (topic)
		return explain_topic(topic, argv[0], json);
	if (*argv[0] && argv[0][strspn(argv[0], "0123456789")] == '\0') {
		if (cg_parse_number(argv[0], 1, INT_MAX, &pid) < 0) {
			cg_common_complain("explain", "%s is no process id; a command of that name is ./%s", argv[0],
			                   argv[0]);
			return CG_EXIT_USAGE;
		}
		error = cg_explain_process((pid_t)pid, &verdict);
	} else if (suggest(argv[0])) {
		return CG_EXIT_FAILED;
	} else {
		error = cg_explain_command(argc, argv, &verdict);
	}
	if (error)
		return CG_EXIT_FAILED;
	cg_verdict_print(&verdict, json);
	return verdict.answer == CG_ANSWER_NO ? CG_EXIT_NO : CG_EXIT_DONE;
}

int cg_explain_main(int argc, char **argv)
{
	bool json = false, help = false;
	int code = cg_options_table_read(&table, argc, argv, take_option, &json, &help);
	if (help)
		print_help();
	if (help || code != CG_EXIT_DONE)
		return code;
	return optind < argc ? explain(argc - optind, argv + optind, json) : list_topics(json);
}
