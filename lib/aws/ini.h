/*
 * ini - the syntax of AWS's shared files (~/.aws/config, ~/.aws/credentials),
 * read as botocore reads them (Python's RawConfigParser, and nested blocks):
 *
 *	[profile backup]	; comments begin a line with # or ;
 *	region = eu-west-1
 *	s3 =
 *	    addressing_style = path
 *
 * Keys are in any case, delimiters are "=" and ":", what is indented more than
 * the key above belongs to it. Other than there, a key or section given twice
 * is no mistake: the last value counts. CRLF and a BOM are fine.
 * Errors are "FILE:LINE: ..." and never show what stands in the file.
 */
#ifndef FALLBACKMX_INI_H
#define FALLBACKMX_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

#define INI_MAX ((size_t)1048576)	/* bytes of a file */

struct ini_entry {
	const char *section;	/* blanks in it squeezed, quotes removed; "" in
				 * front of the first section */
	const char *block;	/* the key that it is nested below, or NULL */
	const char *key;	/* in lower case */
	const char *value;	/* lines of several joined by "\n" */
	int line;
};

struct ini {
	char *text;		/* owns all strings */
	size_t len;
	struct ini_entry *entries;	/* in the order of the file */
	size_t n, room;
};

enum ini_kind {
	INI_SHARED,		/* keys stand in sections */
	INI_BARE,		/* and in front of the first one */
};

/* Takes a copy of text; name is for errors. ERR_STOP (EX_CONFIG) on failure;
 * then i is empty. */
int ini_parse(struct ini *i, enum ini_kind kind, const char *name,
	      const char *text, size_t len, struct err *e);

/* The value, or NULL; block NULL: not nested. */
const char *ini_get(const struct ini *i, const char *section,
		    const char *block, const char *key);

/* There is that section (also when nothing stands in it). */
bool ini_has(const struct ini *i, const char *section);

/* Wipes and frees. A zeroed struct is fine. */
void ini_free(struct ini *i);

#endif
