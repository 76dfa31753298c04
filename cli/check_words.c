/* check_words.c: addresses, nets and durations, to and from text. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

const char *cg_check_duration(uint64_t ms, char *text)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	unsigned i = 0;
	while (ms % units[i].ms)
		i++;
	snprintf(text, CG_CHECK_TEXT, "%" PRIu64 "%s", ms / units[i].ms, units[i].unit);
	return text;
}

const char *cg_check_address(const uint8_t address[16], char *text)
{
	bool ipv4 = memcmp(address, mapped, sizeof mapped) == 0;
	if (!inet_ntop(ipv4 ? AF_INET : AF_INET6, address + (ipv4 ? 12 : 0), text, CG_CHECK_TEXT))
		text[0] = '\0';
	return text;
}

const char *cg_check_net(const struct cg_policy_net *net, char *text)
{
	char address[CG_CHECK_TEXT], ports[40] = "";
	bool ipv4 = memcmp(net->bytes, mapped, sizeof mapped) == 0 && net->prefix >= 96;
	unsigned whole = ipv4 ? 32 : 128, prefix = ipv4 ? net->prefix - 96u : net->prefix;
	cg_check_address(net->bytes, address);
	if (net->port_last && net->port_first == net->port_last)
		snprintf(ports, sizeof ports, ", port %u", net->port_first);
	else if (net->port_last)
		snprintf(ports, sizeof ports, ", ports %u to %u", net->port_first, net->port_last);
	if (!prefix)
		snprintf(text, CG_CHECK_TEXT, "any %saddress%s", ipv4 ? "IPv4 " : "", ports);
	else if (prefix == whole)
		snprintf(text, CG_CHECK_TEXT, "%.60s%s", address, ports);
	else
		snprintf(text, CG_CHECK_TEXT, "%.60s/%u%s", address, prefix, ports);
	return text;
}

int cg_check_parse_address(const char *text, uint8_t ret_address[16], uint16_t *ret_port)
{
	char address[CG_CHECK_TEXT];
	uint8_t bytes[16];
	const char *colon = strrchr(text, ':');
	bool ipv6 = text[0] == '[';
	size_t n = colon ? (size_t)(colon - text) : 0;
	if (!n || n >= sizeof address || (ipv6 && text[n - 1] != ']'))
		return -EINVAL;
	const char *digits = colon + 1;
	unsigned long port = strspn(digits, "0123456789") == strlen(digits) ? strtoul(digits, NULL, 10) : 0;
	if (port < 1 || port > 65535)
		return -EINVAL;
	memcpy(address, text + ipv6, n - 2 * ipv6);
	address[n - 2 * ipv6] = '\0';
	memcpy(bytes, mapped, sizeof mapped);
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, address, bytes + (ipv6 ? 0 : 12)) != 1)
		return -EINVAL;
	memcpy(ret_address, bytes, sizeof bytes);
	*ret_port = (uint16_t)port;
	return 0;
}
