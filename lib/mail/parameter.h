/*
 * parameter - what stands behind the semicolons of a header field: boundary,
 * charset, a file's name (RFC 2045, 5.1), whole or in pieces and encoded (RFC
 * 2231). Pure after decode_init(), linear.
 */
#ifndef FALLBACKMX_PARAMETER_H
#define FALLBACKMX_PARAMETER_H

#include "lib/base/arena.h"

/*
 * The parameter of that name of value, which is unfolded (head_value); "" if
 * there is none. Encoded words (RFC 2047), which have no place here but are
 * common, are not decoded, and nothing is made safe: decode_text() does both.
 * Pieces are taken in their order in value. The result is the arena's.
 */
const char *parameter_get(const char *value, const char *name,
			  struct arena *a);

#endif
