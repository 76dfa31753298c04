/*
 * scan_line.h: the lines of `closeguard scan` for a person. scan_line.c has the lines, scan_peers.c the peers' one.
 */
#ifndef CG_SCAN_LINE_H
#define CG_SCAN_LINE_H

#include "fmt.h"
#include "scan.h"

/* Looks what kind of terminal stdout is, if any: colour and width follow from it. */
void cg_scan_line_begin(void);

/* Prints the line and begins the next. `colour`: an SGR parameter, NULL for none. */
void cg_scan_line_put(struct cg_buf *line, const char *colour);

/* The word that a line begins with. */
void cg_scan_line_label(struct cg_buf *line, const char *name);

/* "nginx[4242]" of the process at that index. */
void cg_scan_line_process(const struct cg_scan *scan, long index, struct cg_buf *line);

/* " 5m12s (at most 6m)"; nothing where no age is known. */
void cg_scan_line_age(const struct cg_scan_socket *socket, struct cg_buf *line);

/* The whole line of one socket. */
void cg_scan_line_socket(const struct cg_scan *scan, const struct cg_scan_socket *socket, struct cg_buf *line);

/* The whole line of the services that most sockets in TIME_WAIT were connected to; after cg_scan_waits_sort. */
void cg_scan_line_waits(const struct cg_scan *scan, struct cg_buf *line);

/* The whole line of what tells more of a process: its threads' stacks, by a tool that fits its runtime. */
void cg_scan_line_next(const struct cg_scan *scan, long index, struct cg_buf *line);

/* The whole line of the peers; none where no peer is known. */
void cg_scan_line_peers(const struct cg_scan *scan, const size_t *list, size_t count, struct cg_buf *line);

#endif
