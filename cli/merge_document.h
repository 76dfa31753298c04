/*
 * merge_document.h: parts of the merged document. Each function returns a new value, NULL without memory.
 */
#ifndef CG_MERGE_DOCUMENT_H
#define CG_MERGE_DOCUMENT_H

#include "merge.h"

/* RFC 3339, or null. */
json_t *cg_document_time(int64_t ms);

/* A string, or null for NULL. */
json_t *cg_document_text(const char *text);

/* An integer where it is whole. */
json_t *cg_document_number(double number);

/* An object of host, pid and app. */
json_t *cg_document_process(const struct cg_merge_process *process);

/* The one place that a line has room for, of a finding whose other places are in `json`: a frame, or null. */
json_t *cg_document_site(const struct cg_merge_finding *finding, const json_t *json);

/* Takes out what several processes told of one backlog. Before the findings. */
void cg_merge_backlogs(struct cg_merge *merge);

/* At most eight of those on the other side, the most frequent first; open: of processes that have some now. */
json_t *cg_document_peers(const struct cg_merge_finding *finding, bool open);

/* All findings: leaks first, the largest of them first; then those that are over. */
json_t *cg_document_findings(struct cg_merge *merge);

/* What policies did, the most frequent first. */
json_t *cg_document_actions(struct cg_merge *merge);

#endif
