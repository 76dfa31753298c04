/* parse_net.c: addresses with a prefix and ports: "10.0.0.0/8:8000-8999", "[2001:db8::]/32:443", "*:80". */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

enum { LONGEST = 80 }; /* of a text that could be an address with all that may follow it */

/* A decimal number of at most `max` that ends at `end`, or -1. */
static int number(const char *text, const char *end, int max)
{
	int value = 0;
	if (text == end)
		return -1;
	for (; text < end; text++) {
		if (!isdigit((unsigned char)*text))
			return -1;
		value = value * 10 + (*text - '0');
		if (value > max)
			return -1;
	}
	return value;
}

static const char *read_ports(const char *text, struct cg_policy_net *net)
{
	const char *end = text + strlen(text), *dash = strchr(text, '-');
	int first = number(text, dash ? dash : end, 65535), last = dash ? number(dash + 1, end, 65535) : first;
	if (first < 1 || last < 1)
		return "has no port from 1 to 65535, or range of them, behind its colon";
	if (last < first)
		return "has a range of ports whose end is before its beginning";
	net->port_first = (uint16_t)first;
	net->port_last = (uint16_t)last;
	return NULL;
}

static bool has_bits_beyond(const struct cg_policy_net *net)
{
	for (unsigned bit = net->prefix; bit < 128; bit++)
		if (net->bytes[bit / 8] >> (7 - bit % 8) & 1)
			return true;
	return false;
}

/* `address` ends in NUL, and so does `prefix`, which is NULL where there is none. */
static const char *read_address(const char *address, const char *prefix, bool ipv6, struct cg_policy_net *net)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	unsigned of_family = ipv6 ? 128 : 32;
	if (ipv6) {
		if (inet_pton(AF_INET6, address, net->bytes) != 1)
			return "is no IPv6 address";
	} else {
		if (inet_pton(AF_INET, address, net->bytes + 12) != 1)
			return "is no IPv4 address";
		memcpy(net->bytes, mapped, sizeof mapped);
	}
	int bits = prefix ? number(prefix, prefix + strlen(prefix), (int)of_family) : (int)of_family;
	if (bits < 0)
		return ipv6 ? "has a prefix that is no number from 0 to 128"
		            : "has a prefix that is no number from 0 to 32";
	net->prefix = (uint8_t)(128 - of_family + (unsigned)bits);
	return has_bits_beyond(net) ? "has address bits beyond its prefix, so one of the two is wrong" : NULL;
}

/* Cuts the text into address, prefix and ports; NULL where one is absent. */
static const char *split(char *text, char **ret_address, char **ret_prefix, char **ret_ports, bool *ret_ipv6)
{
	char *after = text, *colon = strchr(text, ':');
	*ret_ipv6 = text[0] == '[' || (colon && strchr(colon + 1, ':'));
	*ret_address = text;
	if (text[0] == '[') {
		after = strchr(text, ']');
		if (!after)
			return "has a [ without ]";
		*ret_address = text + 1;
		*after++ = '\0';
		if (*after && *after != '/' && *after != ':')
			return "has neither a prefix nor a port behind its ]";
	}
	char *slash = strchr(after, '/');
	*ret_ports = text[0] == '[' || !*ret_ipv6 ? strchr(after, ':') : NULL;
	if (*ret_ports && slash > *ret_ports)
		return "has its prefix behind the port";
	if (*ret_ports)
		*(*ret_ports)++ = '\0';
	if (slash)
		*slash++ = '\0';
	*ret_prefix = slash;
	return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *read_net(const char *said, struct cg_policy_net *net)
{
	char text[LONGEST], *address = text, *prefix = NULL, *ports = NULL;
	bool ipv6 = false;
	if (!said[0] || strlen(said) >= sizeof text)
		return "is no address";
	memcpy(text, said, strlen(said) + 1);
	const char *fault = split(text, &address, &prefix, &ports, &ipv6);
	bool any = !ipv6 && (strcmp(address, "*") == 0 || (!address[0] && ports));
	if (!fault && any && prefix)
		fault = "has a prefix but no address";
	if (!fault && !any)
		fault = read_address(address, prefix, ipv6, net);
	if (!fault && ports)
		fault = read_ports(ports, net);
	return fault;
}

void cg_config_net(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                   void *field)
{
	struct cg_policy_net net = {.said = true};
	const char *text = cg_config_text_of(parse, setting, key->allowed);
	const char *fault = text ? read_net(text, &net) : NULL;
	if (fault)
		cg_config_refuse(parse, setting, fault, key->allowed);
	else if (text)
		*(struct cg_policy_net *)field = net;
}
