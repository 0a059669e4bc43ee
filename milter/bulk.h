/*
 * bulk - the bytes of one message while it comes in: in memory as long as it
 * is small, then in a file without a name on the archive's file system. A
 * process that dies leaves nothing behind.
 *
 * Zero-initialised is valid and empty. A failure is remembered and tells itself
 * at the end: what comes behind it is thrown away, and so is a message of more
 * than FORMAT_RAW_MAX bytes. One thread at a time.
 */
#ifndef FALLBACKMX_MILTER_BULK_H
#define FALLBACKMX_MILTER_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/journal/payload.h"

#define BULK_MEMORY ((size_t)262144)	/* bytes; beyond, a file */

struct bulk {
	const char *dir;	/* where a file may be; the caller's */
	unsigned char *memory;
	size_t n, room;		/* of it */
	bool is_file;
	int fd;			/* if is_file */
	uint64_t size;		/* of all */
	int error;		/* errno of the first failure; 0: none */
};

void bulk_begin(struct bulk *s, const char *dir);
void bulk_add(struct bulk *s, const void *data, size_t n);

/* All of it, until bulk_end(); the source points to *memory_r. ERR_TEMP;
 * *full_r: there was no room on the disk. ERR_PERM: it is too large. */
int bulk_source(const struct bulk *s, struct payload_source *s_r,
		struct payload_piece *memory_r, bool *full_r, struct err *e);
void bulk_end(struct bulk *s);

#endif
