/*
 * symbol_file.h: by which files a module may be asked about, so that no name comes from one that was not loaded.
 */
#ifndef CG_SYMBOL_FILE_H
#define CG_SYMBOL_FILE_H

#include <stdbool.h>

#include "annex.h"
#include "record.h"

enum { CG_SYMBOL_MAPPED = 64 };

/*
 * Sets what the annex is to be asked about; `mapped` has to live as long. False where it is not known which file was
 * loaded: names from a file that is not would be wrong, and look right.
 */
bool cg_symbol_file_of(const struct cg_module *module, const char *path, char mapped[CG_SYMBOL_MAPPED],
                       struct cg_annex_module *ret);

/* Takes the annex's answer, notes a doubt that a reader has to know of, and returns what is to be made of it. */
int cg_symbol_file_judge(const struct cg_annex_module *file, int answer);

/* Why functions of some module are not named; NULL: no doubt. */
const char *cg_symbol_file_doubt(void);

void cg_symbol_file_after_fork(void);

#endif
