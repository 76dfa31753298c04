/*
 * options_parse.h: one function per kind of setting, text in, a field of struct cg_options out.
 *
 * `size` is the field's. Each returns 0 or -errno and leaves the field alone on failure. For options.c.
 */
#ifndef CG_OPTIONS_PARSE_H
#define CG_OPTIONS_PARSE_H

#include <stddef.h>

typedef int cg_options_parse(const char *text, void *ret_field, size_t size);

cg_options_parse cg_options_parse_switch;   /* bool */
cg_options_parse cg_options_parse_text;     /* char[size]; -ENAMETOOLONG */
cg_options_parse cg_options_parse_format;   /* enum cg_format */
cg_options_parse cg_options_parse_mode;     /* unsigned, octal; its owner may read and write, and others never write */
cg_options_parse cg_options_parse_duration; /* uint64_t, ns */
cg_options_parse cg_options_parse_interval; /* uint64_t, ns, 10 ms to 1 h */
cg_options_parse cg_options_parse_stacks;   /* enum cg_stacks */
cg_options_parse cg_options_parse_depth;    /* unsigned, 1 to 64 */
cg_options_parse cg_options_parse_signal;   /* int; "" and "none" are 0 */
cg_options_parse cg_options_parse_exitcode; /* int, 0 to 255 */

#endif
