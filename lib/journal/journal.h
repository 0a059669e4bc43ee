/*
 * journal - an archive that is written: one directory, append-only segments, a
 * chain of hashes over all records (docs/internals.md, "The archive").
 *
 * Any number of threads append at once; each returns when its record is on the
 * disk. One of those who wait writes for all and flushes once ("group
 * commit"). Packing and hashing are done before, without a lock. Several
 * processes may write to one archive: lock(2) for each group, and none ever
 * adds to a segment that another one began.
 *
 * A write or flush that failed is not repeated on the same file and what it
 * left is not trusted: the group goes into a new segment, whose header says
 * where the old one ends.
 *
 * What can go wrong is ERR_TEMP, with the journal usable as before, but for
 * what the entry itself is at fault for (ERR_PERM).
 */
#ifndef FALLBACKMX_JOURNAL_H
#define FALLBACKMX_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "lib/base/err.h"
#include "payload.h"

#define JOURNAL_LOCK "lock"	/* its name in the directory */

struct journal;

/* 0 takes the default of each. */
struct journal_options {
	int level;		/* of zstd; 3. -1: as it is */
	uint64_t segment_bytes;	/* then a new segment is begun; 64 MiB */
	int64_t segment_age_us;	/* the same; one day */
	uint64_t free_bytes;	/* of the disk, that are left alone; 256 MiB */
	int lock_wait_ms;	/* for another process; 10 s */
	bool existing;		/* the archive is not empty, or it fails */
};

struct journal_entry {
	int64_t time_us;	/* of the message, since 1970 */
	/* HASH_SIZE bytes that are equal when the same message comes again, or
	 * NULL. Bytes that are also equal are then not kept twice. */
	const uint8_t *key;
	const char *metadata;	/* JSON text, valid UTF-8, an object */
	size_t metadata_n;
	const struct payload_piece *pieces;	/* the message */
	size_t pieces_n;
	/* The rest of it: the first file_n bytes of an open file. */
	int file;
	uint64_t file_n;
};

struct journal_receipt {
	char id[FORMAT_ID_SIZE];
	bool again;	/* another record has the bytes: first */
	char first[FORMAT_ID_SIZE];	/* "": no record has the same key */
	bool full;	/* of a failure: there is no room (452 4.3.1) */
};

/* What was done since it was opened. */
struct journal_counts {
	uint64_t messages, again, flushes, groups, segments, failed;
	uint64_t raw_bytes, stored_bytes;
};

/*
 * Opens the archive in dir, which exists; an empty one becomes a new archive.
 * Reads the last segment. Fails with ERR_STOP (EX_CONFIG: no such directory;
 * EX_NOPERM; EX_DATAERR: it is damaged so that nothing may follow).
 */
int journal_open(const char *dir, const struct journal_options *o,
		 struct journal **j_r, struct err *e);

/*
 * Says on the disk where the segment that we write to ends, so that what is
 * damaged in it later is not taken for an append that was not finished: begins
 * the next one, which stays empty. Nothing if we wrote nothing, or if somebody
 * else did after us. For whoever stops in order; without it nothing is lost.
 * No thread may be in it. Fails as an append does.
 */
int journal_seal(struct journal *j, int64_t now_us, struct err *e);

/* No thread may be in it. */
void journal_close(struct journal *j);

/* Any thread. 0: on the disk. -1: maybe there, maybe not, and not promised. */
int journal_append(struct journal *j, const struct journal_entry *m,
		   struct journal_receipt *r_r, struct err *e);

/* Records what is done to the archive itself, in the same chain. */
int journal_control(struct journal *j, int64_t time_us, const char *metadata,
		    size_t metadata_n, struct journal_receipt *r_r,
		    struct err *e);

/* Any thread. */
void journal_count(struct journal *j, struct journal_counts *c_r);

/* How much of the last segment was found torn or damaged when it was opened,
 * as a line to log; "" if all was well. Valid while the journal is open. */
const char *journal_found(const struct journal *j);

#endif
