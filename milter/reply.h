/*
 * reply - what the client is told: a code, an enhanced status and one line of
 * text (RFC 5321, 4.2; RFC 3463).
 *
 * Always such that libmilter and Postfix take it: the code begins with 4 or 5
 * and is not 421, which would end the session; the status is of the same
 * class; the text is printable ASCII and short enough for a line of 512 bytes.
 * Pure.
 */
#ifndef FALLBACKMX_MILTER_REPLY_H
#define FALLBACKMX_MILTER_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#define REPLY_TEXT_MAX 480	/* bytes, NUL included */

/* Zero-initialised: there is none. */
struct reply {
	char code[4];		/* "550" */
	char status[10];	/* "5.7.1" */
	char text[REPLY_TEXT_MAX];
};

/*
 * Takes what somebody configured; either code or status may be NULL and comes
 * from the other. Where their classes differ, or one is none, it is 550 5.7.1;
 * 421 becomes 451. Of text the first line that has something counts; what
 * cannot be shown becomes "?".
 */
void reply_set(struct reply *r, const char *code, const char *status,
	       const char *text);

/* A 5yz: never again as it is. */
bool reply_is_permanent(const struct reply *r);

/* The text as smfi_setreply() wants it: each % twice. */
void reply_escape(const struct reply *r, char out[2 * REPLY_TEXT_MAX]);

#endif
