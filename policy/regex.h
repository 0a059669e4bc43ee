/*
 * regex - regular expressions that cannot hang a mail server.
 *
 * PCRE2, UTF-8, ASCII or other letters' case ignored. A text that is longer
 * than REGEX_TEXT_MAX, is no UTF-8, or needs more work, depth or heap than
 * allowed, is no match and no mismatch: REGEX_UNKNOWN. PCRE2's own match limit
 * counts anew at each place of the text and takes a run over thousands of
 * characters for one step, so that a short pattern may take a minute within
 * it; therefore a callout before each item of the pattern counts the items, the
 * characters passed since the last one, and those that the item may pass before
 * it fails (a{1000}, \1). No JIT: it knows no heap limit and wants executable
 * memory.
 * An expression is never changed after it was made: many threads may use it.
 */
#ifndef FALLBACKMX_REGEX_H
#define FALLBACKMX_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"

#define REGEX_TEXT_MAX ((size_t)8192)	/* bytes */
#define REGEX_STEPS_MAX 20000		/* PCRE2's, at each place of the text */
#define REGEX_WORK_MAX ((size_t)1000000)	/* of one match: characters */
#define REGEX_WORK_ITEM 16		/* ... that an item counts for */
#define REGEX_DEPTH_MAX 1000
#define REGEX_HEAP_MAX 1024		/* KiB */

enum regex_answer {
	REGEX_NO,
	REGEX_YES,
	REGEX_UNKNOWN,
};

struct regex;

/* NULL: it is none, and why (size bytes) says so. Memory is the arena's. */
struct regex *regex_new(const char *pattern, struct arena *a, char *why,
			size_t size);

/* *work: what may be spent, of one message for example; less after each call.
 * When it is too little for the text all is REGEX_UNKNOWN. */
enum regex_answer regex_match(const struct regex *r, const char *s, size_t n,
			      size_t *work);

/* All of s is the pattern, which is one of our own tables: never wrong, case
 * counts. */
bool regex_whole(const char *pattern, const char *s, size_t n);

#endif
