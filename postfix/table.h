/*
 * table - the entries of a lookup table of Postfix, as they are written
 * (DATABASE_README): nothing is looked up. Known are types whose source is a
 * text: cidr, texthash, pcre, regexp; hash, btree, lmdb, cdb and dbm, of which
 * postmap(1) reads it; inline and static. Files of at most 1 MiB.
 */
#ifndef FALLBACKMX_POSTFIX_TABLE_H
#define FALLBACKMX_POSTFIX_TABLE_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct table_entry {
	const char *key, *value;
	const char *file;	/* "": it stands in the parameter */
	size_t line;		/* where it begins, from 1 */
};

/* The next "TYPE:NAME" of a list, with its braces; NULL: that was the last. */
const char *table_next(const char **list, struct arena *a);

/* All of a table, in the arena. -1: it is of another type, or cannot be
 * read. */
int table_read(const char *table, struct arena *a, struct table_entry **all_r,
	       size_t *n_r, struct err *e);

#endif
