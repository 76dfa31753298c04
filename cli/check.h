/*
 * check.h: what the files of `closeguard check` share.
 */
#ifndef CG_CHECK_H
#define CG_CHECK_H

#include <stdint.h>
#include <stdio.h>

#include "policy.h"

enum { CG_CHECK_TEXT = 200 }; /* room for a net, an address or a duration in words */

/* What the file is for, its settings, rules and suppressions, on stdout. */
void cg_check_print(const char *file, const struct cg_policy *policy);

/* What a rule does on each occasion, one line each; with `all`, also where that is nothing. */
void cg_check_actions(const struct cg_policy_rule *rule, bool all);

/*
 * Says which rule would apply to a connection told as "role=accepted local=10.0.0.1:8443 peer=192.0.2.7:51000
 * site=http_accept", what it would do, and why the rules before it do not match. Returns an exit code.
 */
int cg_check_explain(const char *file, const struct cg_policy *policy, const char *said);

/* "any IPv4 address, port 8443". `text` holds CG_CHECK_TEXT bytes, here and below, and is returned. */
const char *cg_check_net(const struct cg_policy_net *net, char *text);
/* "10.0.0.1", "2001:db8::1" */
const char *cg_check_address(const uint8_t address[16], char *text);
/* "500ms", "90s", "5m": the largest unit that leaves no rest. */
const char *cg_check_duration(uint64_t ms, char *text);

/* Reads "10.0.0.1:80", "[::1]:80" into a mapped address and a port. Returns 0 or -EINVAL. */
int cg_check_parse_address(const char *text, uint8_t ret_address[16], uint16_t *ret_port);

#endif
