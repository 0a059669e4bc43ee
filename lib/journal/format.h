/*
 * format - the bytes of an archive: segment headers, record headers, names of
 * files, ids of records, heads of the chain. docs/internals.md, "The archive's
 * format", is the description; this is the only code that knows offsets.
 *
 * All numbers are little-endian. Everything begins at a multiple of 8; what is
 * between is zero. Pure; no allocation.
 */
#ifndef FALLBACKMX_FORMAT_H
#define FALLBACKMX_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/hash.h"

#define FORMAT_VERSION 1
#define FORMAT_UUID 16
#define FORMAT_SEGMENT_HEADER 112
#define FORMAT_RECORD_HEADER 224

/* What a reader must be ready for, and a writer never exceeds. */
#define FORMAT_METADATA_MAX ((uint64_t)16 << 20)
#define FORMAT_RAW_MAX ((uint64_t)128 << 20)
/* zstd's worst case for FORMAT_RAW_MAX is less than that. */
#define FORMAT_STORED_MAX (FORMAT_RAW_MAX + ((uint64_t)1 << 20))
/* No segment is longer, whatever is written last; an id holds no more. */
#define FORMAT_SEGMENT_MAX ((uint64_t)256 << 20)

#define FORMAT_NAME_SIZE 32
#define FORMAT_ID_SIZE 13	/* 12 characters and NUL */
#define FORMAT_HEAD_SIZE 160

enum format_type {
	FORMAT_MESSAGE = 1,
	FORMAT_AGAIN = 2,	/* bytes that another record has */
	FORMAT_CONTROL = 3,	/* what was done to the archive */
};

enum format_state {
	FORMAT_WHOLE = 0,
	FORMAT_ERASED = 1,	/* zeros stand where the payload was */
};

enum format_packing {
	FORMAT_PLAIN = 0,
	FORMAT_ZSTD = 1,
};

/* Where a record begins; segments count from 1, {0, 0} is no record. */
struct format_place {
	uint32_t segment;
	uint64_t offset;
};

struct format_segment {
	uint8_t uuid[FORMAT_UUID];	/* of the archive */
	uint32_t number;
	int64_t created_us;		/* microseconds since 1970 */
	/* The segment before: where what it holds ends, and its last chain
	 * hash. 0 and zeros in the first. */
	uint64_t previous_end;
	uint8_t previous_chain[HASH_SIZE];
};

struct format_record {
	enum format_type type;
	enum format_state state;
	enum format_packing packing;
	struct format_place place;	/* of this record */
	/* Up to here the segment was durable when this was written. */
	uint64_t durable;
	int64_t time_us;
	uint64_t metadata_n, stored_n, raw_n;
	struct format_place first;	/* the record with the same key */
	uint8_t key[HASH_SIZE];		/* zeros: none */
	uint8_t metadata_hash[HASH_SIZE], payload_hash[HASH_SIZE];
	uint8_t chain[HASH_SIZE];
	uint32_t data_crc;	/* CRC-32C of metadata and stored payload */
};

/* Bytes that the record takes, the padding behind it included. */
uint64_t format_record_size(const struct format_record *r);

void format_put_segment(const struct format_segment *s,
			uint8_t out[FORMAT_SEGMENT_HEADER]);
/* NULL, or what is wrong with it. */
const char *format_get_segment(const uint8_t in[FORMAT_SEGMENT_HEADER],
			       struct format_segment *s_r);

/* The chain hash before the first record of a segment. */
void format_chain_start(const uint8_t header[FORMAT_SEGMENT_HEADER],
			uint8_t chain_r[HASH_SIZE]);
/* What the chain hash of r is behind `before`; r->chain is not looked at. */
void format_chain(const struct format_record *r,
		  const uint8_t before[HASH_SIZE], uint8_t chain_r[HASH_SIZE]);

void format_put_record(const struct format_record *r,
		       uint8_t out[FORMAT_RECORD_HEADER]);
/* NULL, or what is wrong with it: magic, CRC, lengths, words that this version
 * does not know. The place is checked by the caller. */
const char *format_get_record(const uint8_t in[FORMAT_RECORD_HEADER],
			      struct format_record *r_r);

/* "0000000001.segment". */
void format_name(uint32_t number, char out[FORMAT_NAME_SIZE]);
/* The number of such a name; 0: it is another. */
uint32_t format_number(const char *name);

/* Twelve characters of 0-9 and a-z without i, l, o, u: they sort as records
 * were written. */
void format_id(struct format_place p, char out[FORMAT_ID_SIZE]);
/* False: no id. */
bool format_place(const char *id, struct format_place *p_r);

/* The state of an archive at a place in its chain, as one word:
 * fmx1:UUID:SEGMENT:OFFSET:HASH. */
struct format_head {
	uint8_t uuid[FORMAT_UUID];
	struct format_place end;	/* behind the last record */
	uint8_t chain[HASH_SIZE];
};
void format_put_head(const struct format_head *h, char out[FORMAT_HEAD_SIZE]);
/* False: no such word. */
bool format_get_head(const char *word, struct format_head *h_r);

#endif
