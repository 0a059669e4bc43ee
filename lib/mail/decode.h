/*
 * decode - header text as people read it.
 *
 * Encoded words (RFC 2047, also in the places where mail programs put them
 * against its rules) and raw UTF-8 (RFC 6532) become valid UTF-8. What cannot
 * be decoded (unknown charset, missing "?=") stays as it stands; bytes that are
 * no UTF-8 become U+FFFD; CR, LF, NUL and other control characters, which an
 * encoded word may carry, become a blank: the text is for comparing and
 * showing, never to be written into a header again. Linear time. GMime does
 * the decoding (g_mime_utils_header_decode_text). Pure apart from GMime's own
 * charset tables, which decode_init() sets up once for the program.
 */
#ifndef FALLBACKMX_DECODE_H
#define FALLBACKMX_DECODE_H

#include <stddef.h>

#include "lib/base/arena.h"

/* Once, before the first thread starts; again does no harm. */
void decode_init(void);

/* value: unfolded (head_value). The result is the arena's. */
const char *decode_text(const char *value, struct arena *a);

#endif
