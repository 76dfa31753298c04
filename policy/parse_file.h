/*
 * parse_file.h: reading one of a policy's files.
 */
#ifndef CG_CONFIG_FILE_H
#define CG_CONFIG_FILE_H

#include "parse.h"

/*
 * Reads the file and enters it in the policy's files, as the last of them; there must be room for one more. `parent` is
 * the index of the file that includes it, or -1. Returns its bytes with a NUL behind them, to be freed, and their
 * number; or NULL with the reason in why[0..why_size).
 */
char *cg_config_file(struct cg_config *parse, const char *path, int parent, size_t *ret_size, char *why,
                     size_t why_size);

#endif
