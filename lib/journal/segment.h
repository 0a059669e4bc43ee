/*
 * segment - one file of an archive, read without any lock: while a writer adds
 * to it, what is whole is there and the rest is not. A record is looked at
 * where it should begin; what is damaged is passed by looking for the next
 * header that says of itself that it stands there.
 * Memory: a window, and one record's metadata. One thread for each.
 */
#ifndef FALLBACKMX_SEGMENT_H
#define FALLBACKMX_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "lib/base/err.h"

#define SEGMENT_WINDOW ((size_t)16384)

struct segment {
	int fd;			/* -1: not open */
	struct format_segment header;
	uint8_t start[HASH_SIZE];	/* the chain before its first record */
	uint64_t size;		/* when it was opened */
	/* private */
	uint64_t window_at;
	size_t window_n;
	uint8_t *metadata;
	uint8_t window[SEGMENT_WINDOW];
};

enum segment_found {
	SEGMENT_RECORD,
	SEGMENT_END,		/* nothing begins there: the file ends, or has
				 * only zeros, room for what is to come */
	SEGMENT_DAMAGED,	/* e says what is wrong */
	SEGMENT_FAILED,		/* it cannot be read: e */
};

/* Opens segment `number` of the directory. Fails with ERR_PERM when its header
 * is wrong, with ERR_TEMP (errno is ENOENT, ...) when it cannot be read. */
int segment_open(struct segment *s_r, int dir, uint32_t number,
		 struct err *e);
void segment_close(struct segment *s);

/* The record at offset: its header, and its metadata, which are the segment's
 * until the next call. The payload is not looked at. */
enum segment_found segment_record(struct segment *s, uint64_t offset,
				  struct format_record *r_r,
				  const char **metadata_r, struct err *e);

/* Whether metadata, payload and padding of r stand there as they were written:
 * their CRC. SEGMENT_RECORD: they do. */
enum segment_found segment_whole(struct segment *s,
				 const struct format_record *r, struct err *e);

/*
 * Behind the damage at `at`: where the next header stands that is right;
 * s->size: there is none. Of a record whose own header is right its length is
 * believed: what a stranger put into a payload is not looked at.
 */
uint64_t segment_pass(struct segment *s, uint64_t at);

/* Bytes that stand behind the end of its records: of an append that was not
 * finished. The room that a writer made there is none, nor is what cannot be
 * read. */
uint64_t segment_rest(struct segment *s, uint64_t end);

/* Where a writer has to go on, or where a segment that has none behind it
 * ends. */
struct segment_tail {
	uint64_t end;		/* behind the last record */
	uint8_t chain[HASH_SIZE];
	uint64_t torn;		/* bytes behind it: an append that was never
				 * acknowledged */
	uint64_t damage;	/* where acknowledged bytes are damaged; 0 */
};

/*
 * Reads all of it. Bytes behind which nothing stands that was written after
 * they were durable are a torn tail; others are damage, which stays where it
 * is, and the chain goes on behind it. Fails when it cannot be read.
 */
int segment_find_tail(struct segment *s, struct segment_tail *t_r,
		      struct err *e);

/* Numbers of all segments of a directory, ascending; free() them. */
int segment_list(int dir, uint32_t **all_r, size_t *n_r, struct err *e);

#endif
