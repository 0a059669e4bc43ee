/*
 * control - what the archive says of itself: records of type control, whose
 * metadata are one of these as JSON. docs/internals.md, "Control records".
 */
#ifndef FALLBACKMX_CONTROL_H
#define FALLBACKMX_CONTROL_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum control_word {
	CONTROL_ERASE,		/* id, sha256, reason: the payload goes */
	CONTROL_PRUNE,		/* segments: they go */
	CONTROL_RETENTION,	/* retention: from now on */
};

/* A segment that goes, so that the chain can be followed over its place. */
struct control_segment {
	int number, records;
	int end;		/* bytes that counted */
	const char *chain;	/* its last chain hash */
	const char *first, *last;	/* times of records, RFC 3339 */
};

struct control {
	int word;		/* enum control_word */
	int uid;		/* of who did it */
	const char *id, *sha256, *reason, *retention;	/* NULL: none */
	const struct control_segment *segments;
	size_t n;
};

/* The JSON text; free(). */
char *control_print(const struct control *c);

/* Texts are the arena's. Fails with ERR_PERM for anything else. */
int control_read(const char *text, size_t n, struct control *c_r,
		 struct arena *a, struct err *e);

#endif
