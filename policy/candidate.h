/*
 * candidate - a text of a message, and the values that a condition compares it
 * with, both prepared so that most comparisons end after one or two words.
 *
 * A message of some header fields meets thousands of values, and hardly any of
 * them hits. So each side is folded (ASCII upper case to lower case, other
 * bytes as they are) and summed up once: a hash for EQUALS, the first and the
 * last eight bytes for STARTS_WITH and ENDS_WITH, and for CONTAINS a set of
 * the pairs of bytes that occur (128 bits): a text that lacks a pair of the
 * value cannot contain it. Only what agrees so far is compared byte by byte.
 * Pure. Memory is the arena's.
 */
#ifndef FALLBACKMX_CANDIDATE_H
#define FALLBACKMX_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"

struct candidate {
	const char *shown;	/* as it was found; ended by NUL */
	const char *folded;	/* the same length */
	size_t n;
	bool address;		/* one address of a field, not its text */
	bool cut;		/* how it ends is not known */
	uint64_t hash, head, tail, pairs[2];
};

struct candidates {
	struct candidate *all;
	size_t n;
	bool known;	/* false: nobody has said; n is 0 */
	bool partial;	/* something may be missing: malformed, over a limit */
};

/* In the order of the words of the API, then ours. */
enum compare {
	COMPARE_NONE,
	COMPARE_EQUALS,
	COMPARE_NOT_EQUALS,
	COMPARE_STARTS_WITH,
	COMPARE_ENDS_WITH,
	COMPARE_CONTAINS,
	COMPARE_MATCHES,
	COMPARE_NOT_MATCHES,
};

/* What a value must agree with before its bytes are looked at. */
struct value_key {
	uint64_t a, b;
};

struct values {
	enum compare how;
	size_t n;
	const struct value_key *keys;
	const struct value {
		const char *folded;
		size_t n;
	} *all;
};

/* text lives as long as the candidate. */
void candidate_make(struct candidate *c, const char *text, struct arena *a);

/* how: not one of MATCHES. */
void values_make(struct values *v, enum compare how,
		 const char *const *strings, size_t n, struct arena *a);

/* One of the values hits (NOT_EQUALS: equals, the caller negates); for certain,
 * when the candidate was cut. */
bool values_hit(const struct values *v, const struct candidate *c);

#endif
