/*
 * explain_topics.h: what each kind and cause of a finding means, how to see it with other tools, and how to mend it.
 *
 * explain_topics.c finds a topic; the texts are in explain_passive.c (CLOSE_WAIT), explain_active.c (our own FIN) and
 * explain_misuse.c (descriptors).
 */
#ifndef CG_EXPLAIN_TOPICS_H
#define CG_EXPLAIN_TOPICS_H

#include <stddef.h>

enum cg_topic_language { CG_TOPIC_C, CG_TOPIC_PYTHON, CG_TOPIC_JAVA, CG_TOPIC_NODE, CG_TOPIC_LANGUAGES };
enum { CG_TOPIC_COMMANDS = 3 };

struct cg_topic {
	const char *name;    /* as in a finding */
	const char *of;      /* the kind that it is a cause of; NULL: it is a kind */
	const char *summary; /* half a line */
	const char *seen_by; /* for what is no finding yet: what tells of it instead; NULL: it is one */
	const char *meaning;
	const char *confirm[CG_TOPIC_COMMANDS]; /* shell commands, what to look for behind a # */
	const char *mend[CG_TOPIC_LANGUAGES];   /* code that compiles inside a function */
};

/* Each list ends with an entry without name. */
extern const struct cg_topic cg_explain_passive[], cg_explain_active[], cg_explain_misuse[];

/* The i-th of all topics, kinds before their causes; NULL past the end. */
const struct cg_topic *cg_explain_topics_at(size_t i);

/* The topic of that name, in which '-', '_' and case make no difference; NULL: there is none. */
const struct cg_topic *cg_explain_topics_find(const char *name);

/* The topic whose name is nearest, for a word that was perhaps mistyped; NULL where none is near. */
const struct cg_topic *cg_explain_topics_near(const char *name);

/* "c", "python", … */
const char *cg_explain_topics_language(enum cg_topic_language language);

#endif
