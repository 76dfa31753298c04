/* make_page.c: makes the page of a report, a JSON document from stdin, as `closeguard report --format html` does. */
#include <stdio.h>
#include <string.h>

#include "../../cli/report_html.h"

int main(void)
{
	json_error_t where;
	json_t *document = json_loadf(stdin, 0, &where);
	if (!document) {
		fprintf(stderr, "make_page: line %d: %s\n", where.line, where.text);
		return 2;
	}
	int error = cg_report_html_write(stdout, document);
	json_decref(document);
	if (error)
		fprintf(stderr, "make_page: %s\n", strerror(-error));
	return error ? 1 : 0;
}
