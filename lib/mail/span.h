/*
 * span - a header field that is read word by word, and what its words mean.
 *
 * Comments (RFC 5322, 3.2.2) are skipped, they nest and know quoted pairs; the
 * clauses are those of a Received line (RFC 5321, 4.4). Folds may stand as
 * they are. Pure, linear, no allocation; points into the caller's bytes.
 */
#ifndef FALLBACKMX_SPAN_H
#define FALLBACKMX_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes not yet read; taking something moves at. */
struct span {
	const char *at, *end;
	bool torn;		/* a comment did not end */
};

/* In the order in which they may stand. */
enum clause {
	CLAUSE_FROM,
	CLAUSE_BY,
	CLAUSE_VIA,
	CLAUSE_WITH,
	CLAUSE_ID,
	CLAUSE_FOR,
	CLAUSES,		/* none of them */
};

size_t span_len(struct span s);

/* The whole of s is that word; ASCII case ignored. */
bool span_is(struct span s, const char *word);

/* The next comment, without its outer parentheses. False: there is something
 * else before it, or nothing. */
bool span_comment(struct span *in, struct span *inside_r);

/* A semicolon is a word of its own. False at the end. */
bool span_word(struct span *in, struct span *word_r);

enum clause span_clause(struct span word);

/* The rest is a date as far as its form goes: no semicolon, and comments end.
 * Anything else is the work of a HELO name that would be the whole line. */
bool span_ends(struct span in);

#endif
