/*
 * address - the addresses in a header field such as From, To, Cc (RFC 5322,
 * 3.4; RFC 6532 for UTF-8).
 *
 * Groups are opened, display names, routes and comments dropped, quoted local
 * parts keep their quotes only where they need them. A domain that has an
 * international and an ASCII form (RFC 5891) gives the address in both, and as
 * it is written if that is neither.
 *
 * A field that is not well-formed (RFC 5322 with its obsolete forms; an empty
 * local part, a domain of other than letters, digits, "-", "_", "." and UTF-8
 * that stands for these, and a group in a group are not) is `malformed`: what
 * could be read is in the list, and the caller must not take "not in the list"
 * for "not there". Of a broken list each address is judged alone. More than
 * ADDRESSES_MAX of them, or one of more than ADDRESS_MAX bytes: `malformed`
 * too.
 *
 * The list is cut here, in linear time and without recursion; GMime, which
 * knows what mail programs write, reads one address at a time, and never a
 * name with encoded words: it would load any charset that these ask for.
 */
#ifndef FALLBACKMX_ADDRESS_H
#define FALLBACKMX_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"

#define ADDRESSES_MAX ((size_t)1000)
#define ADDRESS_MAX ((size_t)1000)

struct addresses {
	const char **all;	/* local@domain in valid UTF-8, the arena's */
	size_t n;		/* up to three for each address */
	bool malformed;
};

/* value: unfolded (head_value). decode_init() was called; then any number of
 * threads may call at once. */
void address_read(const char *value, struct addresses *r, struct arena *a);

#endif
