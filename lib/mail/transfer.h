/*
 * transfer - bytes that were written as text, read back (RFC 2045, 6; RFC
 * 4648, 4).
 *
 * Mail breaks the rules: what is no digit is passed over, padding may be
 * missing or stand between two texts that were pasted together, and an "="
 * that means nothing stands for itself. Pure, linear. What out has no room for
 * is left out and still counted.
 */
#ifndef FALLBACKMX_TRANSFER_H
#define FALLBACKMX_TRANSFER_H

#include <stddef.h>

#include "lib/base/buf.h"

/* Adds the bytes to out, which is initialised. They return how many. */
size_t transfer_base64(struct buf *out, const char *s, size_t n);

/* With "=" at the end of a line, which goes on then. */
size_t transfer_quoted(struct buf *out, const char *s, size_t n);

/* RFC 2047's "Q": no line ends, and "_" is a blank. */
size_t transfer_q(struct buf *out, const char *s, size_t n);

/* RFC 2231's, with "%". */
size_t transfer_percent(struct buf *out, const char *s, size_t n);

#endif
