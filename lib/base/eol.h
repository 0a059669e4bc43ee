/*
 * eol - CRLF to LF in a stream. A CR that no LF follows and an LF that no CR
 * precedes stay as they are, whatever way the stream is cut into pieces.
 * Engine (for the hash) and deliverer (for the file) both use it.
 */
#ifndef FALLBACKMX_EOL_H
#define FALLBACKMX_EOL_H

#include <stdbool.h>
#include <stddef.h>

struct eol {
	bool cr;	/* the last byte seen was a CR, not yet passed on */
};

/* Converts n bytes; out has room for n + 1. Returns the bytes put there. */
size_t eol_convert(struct eol *s, const char *in, size_t n, char *out);

/* At the end of the stream: 1 with *out set if a CR is still due, else 0. */
size_t eol_end(struct eol *s, char *out);

#endif
