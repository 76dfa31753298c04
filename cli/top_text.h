/*
 * top_text.h: text that fits into so many columns of a terminal, whatever it is made of.
 */
#ifndef CG_TOP_TEXT_H
#define CG_TOP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "fmt.h"

enum cg_top_fit {
	CG_TOP_LEFT,  /* padded behind, its end cut off */
	CG_TOP_RIGHT, /* padded in front, its end cut off */
	CG_TOP_TAIL   /* padded behind, its beginning cut off: of a path, the end tells more */
};

/* Does the terminal take UTF-8? By the locale, which has to be set; without it everything is ASCII. */
void cg_top_text_begin(void);
bool cg_top_text_is_utf8(void);

/*
 * Appends exactly `columns` columns. Control characters, broken UTF-8 and marks that turn the writing's direction
 * become "?"; what was cut off is shown by "…" ("~" in ASCII).
 */
void cg_top_text_fit(struct cg_buf *out, const char *text, unsigned columns, enum cg_top_fit how);

/* Columns that the text takes. */
unsigned cg_top_text_width(const char *text);

/*
 * "serve server.c:88" within `columns`: the function gives way first, then the beginning of the location. Not padded.
 */
void cg_top_text_site(struct cg_buf *out, const char *function, const char *location, unsigned columns);

/* A count in at most 5 columns: "12345", "123k", "12M". */
void cg_top_text_count(struct cg_buf *out, uint64_t count);

/* A change per minute in at most 6 columns: "+12", "-0.5", "0"; "-" where it is not known. */
void cg_top_text_growth(struct cg_buf *out, bool known, double per_minute);

/* The bound of a bucket of delays: "8ms", "4s", "4m+" for the last; "-" for -1. */
void cg_top_text_delay(struct cg_buf *out, int bucket);

#endif
