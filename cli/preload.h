/*
 * preload.h: the value of LD_PRELOAD.
 */
#ifndef CG_PRELOAD_H
#define CG_PRELOAD_H

/*
 * Puts `library` in front of what `present` (NULL: nothing) names, and a sanitizer's runtime in front of that: the one
 * that the program is linked with (sanitizer, "" for none), and those already named. Another libcloseguard.so is left
 * out: two of them would see every call twice. Returns text to be freed, or NULL without memory.
 */
char *cg_preload_value(const char *library, const char *sanitizer, const char *present);

#endif
