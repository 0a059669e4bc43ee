/*
 * store - the archives that are open, each once however many snapshots name it,
 * so that a reload neither closes one nor begins a new segment. Opening is for
 * the main thread; dropping for any.
 */
#ifndef FALLBACKMX_MILTER_STORE_H
#define FALLBACKMX_MILTER_STORE_H

#include <stdint.h>

#include "counter.h"
#include "lib/base/err.h"
#include "lib/journal/journal.h"

struct store {
	const char *name;
	const char *path;	/* its directory */
	struct journal *journal;
	struct counter *stored, *again, *failed;
	/* private */
	uint64_t free_bytes;
	unsigned refs;
	struct store *next;
};

/* The archive of that name below directory, which must be there; its own is
 * made. NULL: as journal_open() fails. */
struct store *store_open(const char *directory, const char *name,
			 uint64_t free_bytes, struct err *e);
void store_drop(struct store *s);	/* NULL is allowed */

/* When it stops: says in all archives where they end (journal_seal()). No
 * message may be in the middle. */
void store_seal(void);

#endif
