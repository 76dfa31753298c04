/* parse_nearest.c: which of the known names a mistyped one is nearest to. */
#include <ctype.h>
#include <string.h>

#include "parse.h"

enum { LONGEST = 40 }; /* of a name that is compared; what is longer is compared by its beginning */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* How many letters have to be put in, left out or changed. Case counts for nothing: so_linger is SO_LINGER. */
static unsigned distance(const char *one, const char *other)
{
	unsigned row[LONGEST + 1];
	size_t n = strnlen(one, LONGEST), m = strnlen(other, LONGEST);
	for (unsigned j = 0; j <= m; j++)
		row[j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			bool same = tolower((unsigned char)one[i - 1]) == tolower((unsigned char)other[j - 1]);
			unsigned best = least(row[j] + 1, row[j - 1] + 1, diagonal + !same);
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[m];
}

void cg_config_nearest(struct cg_config_nearest *best, const char *wanted, const char *offered)
{
	unsigned away = distance(wanted, offered);
	if (!best->name || away < best->distance)
		*best = (struct cg_config_nearest){offered, away};
}
