/*
 * option_names.h: the socket options that a policy can name.
 */
#ifndef CG_OPTION_NAMES_H
#define CG_OPTION_NAMES_H

struct cg_option_name {
	const char *name; /* as in <netinet/tcp.h> and <sys/socket.h> */
	int level, number;
};

/* Sorted by name; the last entry's name is NULL. */
extern const struct cg_option_name cg_option_names[];

/* The option of that name, or NULL. */
const struct cg_option_name *cg_option_names_find(const char *name);

#endif
