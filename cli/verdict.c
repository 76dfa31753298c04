/*
 * verdict.c: gathers what speaks for and against a program's being watched, and prints it.
 */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json_text.h"

enum { WIDTH = 100, LABEL_WIDTH = 12 };

static void add(struct cg_verdict *verdict, enum cg_remark sort, const char *format, va_list args)
{
	char *text = NULL, *plain = NULL;
	if (verdict->count == CG_REMARKS_MAX || vasprintf(&text, format, args) < 0)
		return;
	plain = strdup(cg_common_plain(text));
	free(text);
	if (!plain)
		return;
	verdict->remarks[verdict->count].sort = sort;
	verdict->remarks[verdict->count++].text = plain;
}

void cg_verdict_say(struct cg_verdict *verdict, enum cg_remark sort, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(verdict, sort, format, args);
	va_end(args);
}

void cg_verdict_lower(struct cg_verdict *verdict, enum cg_answer to, const char *format, ...)
{
	va_list args;
	if (to > verdict->answer)
		verdict->answer = to;
	va_start(args, format);
	add(verdict, CG_REMARK_REASON, format, args);
	va_end(args);
}

void cg_verdict_wrap(const char *label, const char *text)
{
	size_t column = LABEL_WIDTH;
	printf("  %-*s", LABEL_WIDTH - 2, label);
	for (const char *word = text; *word;) {
		size_t n = strcspn(word, " \n");
		if (column > LABEL_WIDTH && column + 1 + n > WIDTH) {
			printf("\n%*s", LABEL_WIDTH, "");
			column = LABEL_WIDTH;
		} else if (column > LABEL_WIDTH) {
			putchar(' ');
			column++;
		}
		fwrite(word, 1, n, stdout);
		column += n;
		word += n + strspn(word + n, " \n");
	}
	putchar('\n');
}

static const char *answer_text(const struct cg_verdict *verdict)
{
	static const char *const would[] = {"yes, it would be watched", "partly", "no, it would not be watched"};
	static const char *const is[] = {"yes, it is watched", "partly", "no, it is not watched"};
	return (verdict->running ? is : would)[verdict->answer];
}

static void print_text(const struct cg_verdict *verdict)
{
	static const char *const labels[] = {"", "because", "do"};
	printf("%s: %s\n", cg_common_plain(verdict->subject), answer_text(verdict));
	for (unsigned sort = 0; sort < CG_REMARKS; sort++)
		for (unsigned i = 0; i < verdict->count; i++)
			if (verdict->remarks[i].sort == sort)
				cg_verdict_wrap(labels[sort], verdict->remarks[i].text);
}

static void print_json(const struct cg_verdict *verdict)
{
	static const char *const names[] = {"facts", "reasons", "advice"};
	static const char *const answers[] = {"yes", "partly", "no"};
	json_t *all = json_pack("{s:i,s:s,s:s}", "v", 1, "event", "explain", "watched", answers[verdict->answer]);
	json_object_set_new(all, "subject", cg_json_text(verdict->subject));
	for (unsigned sort = 0; sort < CG_REMARKS; sort++) {
		json_t *list = json_array();
		for (unsigned i = 0; i < verdict->count; i++)
			if (verdict->remarks[i].sort == sort)
				json_array_append_new(list, json_string(verdict->remarks[i].text));
		json_object_set_new(all, names[sort], list);
	}
	(void)cg_json_write(all, stdout, 0);
	json_decref(all);
}

void cg_verdict_print(struct cg_verdict *verdict, bool json)
{
	if (json)
		print_json(verdict);
	else
		print_text(verdict);
	for (unsigned i = 0; i < verdict->count; i++)
		free(verdict->remarks[i].text);
	verdict->count = 0;
}
