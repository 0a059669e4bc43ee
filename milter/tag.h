/*
 * tag - the header that says that a mail came through here, and the values of
 * headers that we write.
 *
 *   X-FallbackMX: route=direct; ingress=mx; rules=vip,mark
 *
 * route is `fallback` for what a fallback relay brought; rules are those that
 * matched, in their order, `#2` for the third one if it has no name, and left
 * away when none did; `failure=CLASS` stands behind when the mail was taken
 * though something failed. Names come from documents and are ASCII there.
 *
 * Header values go out in one way only: ASCII, no CR, no NUL, LF and TAB for
 * each fold. Postfix writes values as they are, so that what is wrong here
 * would be another header, or mail that no plain server takes. Pure.
 */
#ifndef FALLBACKMX_MILTER_TAG_H
#define FALLBACKMX_MILTER_TAG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"

#define TAG_NAME "X-FallbackMX"
#define TAG_WIDTH 76	/* columns; a word that is longer has a line alone */

struct tag {
	bool relayed;
	const char *ingress;
	const char *const *rules;
	size_t rules_n;
	const char *failure;	/* NULL: nothing failed */
};

/* Whether a field of that name is a tag, ours or forged. */
bool tag_is_name(const char *name);

/* Its value, folded, without the blank in front. The arena's. */
const char *tag_value(const struct tag *t, struct arena *a);

/*
 * The value of a header that a document asks for: printable ASCII and TAB as
 * they are, other UTF-8 as encoded words (RFC 2047). NULL: it has a control
 * byte, or a line would be longer than 998 bytes with the name (n bytes).
 */
const char *tag_header(const char *value, size_t name_n, struct arena *a);

#endif
