/*
 * report_page.h: the page of report_html.c without its data, which cli/html/pack.sh makes at build time.
 */
#ifndef CG_REPORT_PAGE_H
#define CG_REPORT_PAGE_H

#include <stddef.h>

extern const unsigned char cg_report_page_head[]; /* up to where the data stands, in a script element */
extern const size_t cg_report_page_head_size;
extern const unsigned char cg_report_page_tail[]; /* from behind the data on */
extern const size_t cg_report_page_tail_size;

#endif
