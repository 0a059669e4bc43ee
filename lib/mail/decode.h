/*
 * decode - header text as people read it.
 *
 * Encoded words (RFC 2047, also in the places where mail programs put them
 * against its rules, with RFC 2231's language) and raw UTF-8 (RFC 6532) become
 * valid UTF-8. Words side by side in one charset are decoded together: some
 * programs cut inside a character. What cannot be decoded (unknown charset,
 * missing "?=") stays as it stands; bytes that are nothing in their charset
 * become U+FFFD, and so do characters that reverse the direction of writing
 * (U+202A to 202E, U+2066 to 2069). CR, LF, NUL, TAB and other control
 * characters become a blank: the text is for comparing and showing, never to
 * be written into a header again.
 *
 * The charsets are those that decode_init() finds by the names that GMime
 * knows for them: mail uses no others, and nothing is loaded for what a
 * stranger wrote. Linear time. Pure after decode_init(), for any number of
 * threads at once.
 */
#ifndef FALLBACKMX_DECODE_H
#define FALLBACKMX_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/* Once, before the first thread starts; again does no harm. Loads the C
 * library's charset tables and keeps them. */
void decode_init(void);

/* value: unfolded (head_value). The result is the arena's. */
const char *decode_text(const char *value, struct arena *a);

/*
 * For bodies: adds n bytes in that charset to out as UTF-8, as far as there is
 * room. Control characters and directions stay; bytes that are said to be UTF-8
 * or ASCII stay whatever they are. False: the charset is not known; then
 * nothing is added.
 */
bool decode_charset(const char *charset, const char *bytes, size_t n,
		    struct buf *out);

#endif
