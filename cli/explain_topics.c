/*
 * explain_topics.c: finds what a kind or a cause of a finding means, by its name.
 */
#include "explain_topics.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { NAME_ROOM = 32, NEAR = 3 /* more changes than these make another word */ };

const struct cg_topic *cg_explain_topics_at(size_t i)
{
	static const struct cg_topic *const lists[] = {cg_explain_passive, cg_explain_active, cg_explain_misuse};
	for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++)
		for (const struct cg_topic *topic = lists[list]; topic->name; topic++)
			if (i-- == 0)
				return topic;
	return NULL;
}

/* Without what makes no difference. */
static void simplify(const char *name, char ret[NAME_ROOM])
{
	size_t n = 0;
	for (; *name && n < NAME_ROOM - 1; name++)
		if (*name != '-' && *name != '_')
			ret[n++] = (char)tolower((unsigned char)*name);
	ret[n] = '\0';
}

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;
	return least < c ? least : c;
}

/* How many letters have to be changed, added or left out to get from one word to the other. */
static unsigned distance(const char *one, const char *other)
{
	unsigned row[NAME_ROOM];
	size_t n = strlen(other);
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; one[i]; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < n; j++) {
			unsigned changed = diagonal + (one[i] != other[j]);
			diagonal = row[j + 1];
			row[j + 1] = smallest(changed, row[j] + 1, diagonal + 1);
		}
	}
	return row[n];
}

/* Of several that are equally near, the first. */
static const struct cg_topic *nearest(const char *name, unsigned within)
{
	char wanted[NAME_ROOM], there[NAME_ROOM];
	const struct cg_topic *best = NULL, *topic;
	unsigned least = within + 1;
	simplify(name, wanted);
	for (size_t i = 0; (topic = cg_explain_topics_at(i)) != NULL; i++) {
		simplify(topic->name, there);
		unsigned far = distance(wanted, there);
		if (far < least) {
			least = far;
			best = topic;
		}
	}
	return best;
}

const struct cg_topic *cg_explain_topics_find(const char *name)
{
	return strlen(name) < NAME_ROOM ? nearest(name, 0) : NULL;
}

const struct cg_topic *cg_explain_topics_near(const char *name)
{
	return strlen(name) < NAME_ROOM ? nearest(name, NEAR) : NULL;
}

const char *cg_explain_topics_language(enum cg_topic_language language)
{
	static const char *const names[] = {
	    [CG_TOPIC_C] = "c", [CG_TOPIC_PYTHON] = "python", [CG_TOPIC_JAVA] = "java", [CG_TOPIC_NODE] = "node"};
	return names[language];
}
