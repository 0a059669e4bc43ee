/*
 * addresslist - addresses and domains to be in or not (SES Developer Guide,
 * "Address lists"), 100,000 of them, looked up in constant time.
 *
 *   local@domain    this address
 *   domain          any address at exactly this domain
 *   *@domain        the same
 *   *suf@domain     local parts that end so; pre*@domain: that begin so
 *   *.domain        any address below this domain, however deep, not at it
 *   local@*.domain  this local part below this domain
 *
 * Case is ignored (ASCII). Beside the star are no or 3 to 19 characters of a
 * local part; behind "*." 2 to 9 labels: so a look-up asks for some fifty keys
 * at most, however long the address is.
 */
#ifndef FALLBACKMX_ADDRESSLIST_H
#define FALLBACKMX_ADDRESSLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"

#define ADDRESSLIST_MAX 100000	/* entries */

struct addresslist;

/* For shapes: one of the forms above, 3 to 320 characters. */
bool addresslist_entry_ok(const char *entry);

/* Entries were checked; they live as long as the list. The arena's. */
struct addresslist *addresslist_new(const char *const *entries, size_t n,
				    struct arena *a);

/* folded: in ASCII lower case, n bytes. */
bool addresslist_has(const struct addresslist *l, const char *folded,
		     size_t n);

#endif
