/*
 * top_columns.c: gives each column its room.
 */
#include "top_columns.h"

#include <strings.h>

static void choose(const struct cg_top_table *table, unsigned width, bool shown[CG_TOP_COLUMNS_MAX], unsigned *ret_left)
{
	unsigned used = 0;
	for (unsigned priority = 1; priority <= table->count; priority++) {
		for (unsigned i = 0; i < table->count; i++) {
			const struct cg_top_column *column = &table->columns[i];
			unsigned room = column->width + (used ? 1 : 0);
			if (column->priority != priority || used + room > width)
				continue;
			used += room;
			shown[i] = true;
		}
	}
	*ret_left = width - used;
}

static void hand_out(const struct cg_top_table *table, unsigned left, struct cg_top_layout *layout)
{
	bool given = true;
	while (left && given) {
		given = false;
		for (unsigned i = 0; i < layout->count; i++) {
			const struct cg_top_column *column = &table->columns[layout->column[i]];
			for (unsigned share = column->grows; share && left && layout->width[i] < column->most;
			     share--) {
				layout->width[i]++;
				left--;
				given = true;
			}
		}
	}
}

void cg_top_columns_lay_out(const struct cg_top_table *table, unsigned width, struct cg_top_layout *ret)
{
	bool shown[CG_TOP_COLUMNS_MAX] = {false};
	unsigned left;
	choose(table, width, shown, &left);
	ret->count = 0;
	for (unsigned i = 0; i < table->count; i++) {
		if (!shown[i])
			continue;
		ret->column[ret->count] = i;
		ret->width[ret->count++] = table->columns[i].width;
	}
	hand_out(table, left, ret);
}

int cg_top_columns_find(const struct cg_top_table *table, const char *title)
{
	for (unsigned i = 0; i < table->count; i++)
		if (table->columns[i].order && strcasecmp(table->columns[i].title, title) == 0)
			return (int)i;
	return -1;
}

const char *cg_top_columns_cause(const struct cg_kept_finding *kept)
{
	return kept->cause ? cg_cause_name((enum cg_cause)kept->cause) : cg_kind_name((enum cg_kind)kept->kind);
}
