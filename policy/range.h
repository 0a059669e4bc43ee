/*
 * range - a range of IP addresses in CIDR notation (RFC 4632, RFC 4291).
 * Bits behind the mask count for nothing. Pure.
 */
#ifndef FALLBACKMX_RANGE_H
#define FALLBACKMX_RANGE_H

#include <stdbool.h>

#include "facts.h"

struct range {
	struct ip ip;
	unsigned bits;
};

/* "192.0.2.0/24", "2001:db8::/32"; the mask must be there. -1: it is none. */
int range_read(const char *text, struct range *r_r);

/* Never across families. */
bool range_has(const struct range *r, const struct ip *ip);

/* For shapes. */
bool range_is_v4(const char *text);
bool range_is_v6(const char *text);
bool range_is_any(const char *text);

#endif
