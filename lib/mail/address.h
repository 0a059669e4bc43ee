/*
 * address - the addresses in a header field such as From, To, Cc (RFC 5322,
 * 3.4; RFC 6532 for UTF-8).
 *
 * Groups are opened, display names and comments dropped, quoted local parts
 * keep their quotes only where they need them. A field that is not well-formed
 * (RFC 5322 with its obsolete forms) is `malformed`: what could be read is in
 * the list, and the caller must not take "not in the list" for "not there".
 * At most ADDRESSES_MAX; more: `malformed`. Linear time. GMime reads the list.
 */
#ifndef FALLBACKMX_ADDRESS_H
#define FALLBACKMX_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"

#define ADDRESSES_MAX ((size_t)1000)

struct addresses {
	const char **all;	/* local@domain, the arena's */
	size_t n;
	bool malformed;
};

/* value: unfolded (head_value). decode_init() was called. */
void address_read(const char *value, struct addresses *r, struct arena *a);

#endif
