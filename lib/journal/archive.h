/*
 * archive - all records of an archive, one after the other, or the one that an
 * id names. Needs no lock, and the archive may be written meanwhile: what was
 * added since it was opened may be seen or not.
 * Damage is told and passed over. One thread for each.
 */
#ifndef FALLBACKMX_ARCHIVE_H
#define FALLBACKMX_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "payload.h"
#include "segment.h"

struct archive {
	int dir;
	uint32_t *numbers;	/* of its segments, ascending */
	size_t n;
	/* private */
	size_t next;		/* the segment to be opened */
	uint64_t at, end;
	uint32_t opened;	/* the segment before that one; 0: none */
	/* That of the record, the one behind it, that of other bytes. */
	struct segment segment, ahead, other;
};

enum archive_found {
	ARCHIVE_RECORD,
	ARCHIVE_END,
	ARCHIVE_DAMAGED,	/* e says where; asking again goes on */
	ARCHIVE_FAILED,		/* it cannot be read: e */
};

/* Fails with ERR_STOP: EX_NOINPUT (no such directory, or nothing in it),
 * EX_NOPERM, EX_IOERR. */
int archive_open(struct archive *a_r, const char *dir, struct err *e);
void archive_close(struct archive *a);

/* From the first one on, or from that segment. */
enum archive_found archive_next(struct archive *a, struct format_record *r_r,
				const char **metadata_r, struct err *e);

/* The next archive_next() gives the first record behind that place. */
void archive_seek(struct archive *a, struct format_place behind);

/* The record of an id. Fails with ERR_STOP: EX_USAGE (no id), EX_NOINPUT (no
 * such record), EX_DATAERR (damaged). */
int archive_find(struct archive *a, const char *id, struct format_record *r_r,
		 const char **metadata_r, struct err *e);

/*
 * Opens the payload of the record that archive_next() or archive_find() gave
 * last; payload_close() it before the next such call. Of a record that says
 * "again" it is that of the first one, whose id is in the error if it is gone.
 * Fails with ERR_STOP: EX_UNAVAILABLE (erased, or its segment was removed),
 * EX_DATAERR.
 */
struct payload_reader *archive_payload(struct archive *a,
				       const struct format_record *r,
				       struct err *e);

#endif
