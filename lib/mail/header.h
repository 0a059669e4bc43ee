/*
 * header - one header field of a mail, found in its raw head.
 * Pure, linear; no allocation.
 */
#ifndef FALLBACKMX_HEADER_H
#define FALLBACKMX_HEADER_H

#include <stddef.h>

/*
 * Copies the value of the first field with that name (ASCII case ignored,
 * RFC 5322 section 2.2) to out: unfolded, blanks at both ends removed, cut to
 * room - 1 bytes; raw bytes otherwise, NUL and a lone CR become a blank. No
 * such field before the first empty line: "". Lines end in CRLF or LF.
 */
void header_find(const char *head, size_t len, const char *name, char *out,
		 size_t room);

#endif
