#include <config.h>

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "lib/base/crc.h"
#include "lib/base/text.h"

static const char segment_magic[8] = "FMXSEG\r\n";
static const char record_magic[4] = "FMXR";

/* Offsets in a segment's header. */
enum {
	SEGMENT_VERSION = 8,		/* 2 bytes */
	SEGMENT_LENGTH = 10,		/* 2: of the header */
	SEGMENT_NUMBER = 12,		/* 4 */
	SEGMENT_UUID = 16,		/* 16 */
	SEGMENT_CREATED = 32,		/* 8 */
	SEGMENT_PREVIOUS_END = 40,	/* 8 */
	SEGMENT_PREVIOUS_CHAIN = 48,	/* 32 */
	SEGMENT_RESERVED = 80,		/* 28 */
	SEGMENT_CRC = 108,		/* 4 */
};

/* In a record's; the chain goes over what stands before RECORD_CHAIN, with
 * RECORD_STATE as if it were 0. */
enum {
	RECORD_VERSION = 4,		/* 1 */
	RECORD_TYPE = 5,		/* 1 */
	RECORD_STATE = 6,		/* 1 */
	RECORD_PACKING = 7,		/* 1 */
	RECORD_LENGTH = 8,		/* 2: of the header */
	RECORD_CIPHER = 10,		/* 2: 0, none */
	RECORD_KEY_ID = 12,		/* 4: 0, none */
	RECORD_SEGMENT = 16,		/* 4 */
	RECORD_FIRST_SEGMENT = 20,	/* 4 */
	RECORD_OFFSET = 24,		/* 8 */
	RECORD_FIRST_OFFSET = 32,	/* 8 */
	RECORD_DURABLE = 40,		/* 8 */
	RECORD_TIME = 48,		/* 8 */
	RECORD_METADATA = 56,		/* 8 */
	RECORD_STORED = 64,		/* 8 */
	RECORD_RAW = 72,		/* 8 */
	RECORD_KEY = 80,		/* 32 */
	RECORD_METADATA_HASH = 112,	/* 32 */
	RECORD_PAYLOAD_HASH = 144,	/* 32 */
	RECORD_CHAIN = 176,		/* 32 */
	RECORD_RESERVED = 208,		/* 8 */
	RECORD_DATA_CRC = 216,		/* 4 */
	RECORD_CRC = 220,		/* 4: of the 220 bytes before */
};

static void
put16(uint8_t *at, uint16_t n)
{
	n = htole16(n);
	memcpy(at, &n, sizeof(n));
}

static void
put32(uint8_t *at, uint32_t n)
{
	n = htole32(n);
	memcpy(at, &n, sizeof(n));
}

static void
put64(uint8_t *at, uint64_t n)
{
	n = htole64(n);
	memcpy(at, &n, sizeof(n));
}

static uint16_t
get16(const uint8_t *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof(n));
	return le16toh(n);
}

static uint32_t
get32(const uint8_t *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return le32toh(n);
}

static uint64_t
get64(const uint8_t *at)
{
	uint64_t n;

	memcpy(&n, at, sizeof(n));
	return le64toh(n);
}

static uint32_t
crc(const uint8_t *at, size_t n)
{
	return (uint32_t)crc_add(CRC_32C, 0, at, n);
}

uint64_t
format_record_size(const struct format_record *r)
{
	return (FORMAT_RECORD_HEADER + r->metadata_n + r->stored_n + 7) &
	       ~(uint64_t)7;
}

void
format_put_segment(const struct format_segment *s,
		   uint8_t out[FORMAT_SEGMENT_HEADER])
{
	memset(out, 0, FORMAT_SEGMENT_HEADER);
	memcpy(out, segment_magic, sizeof(segment_magic));
	put16(out + SEGMENT_VERSION, FORMAT_VERSION);
	put16(out + SEGMENT_LENGTH, FORMAT_SEGMENT_HEADER);
	put32(out + SEGMENT_NUMBER, s->number);
	memcpy(out + SEGMENT_UUID, s->uuid, FORMAT_UUID);
	put64(out + SEGMENT_CREATED, (uint64_t)s->created_us);
	put64(out + SEGMENT_PREVIOUS_END, s->previous_end);
	memcpy(out + SEGMENT_PREVIOUS_CHAIN, s->previous_chain, HASH_SIZE);
	put32(out + SEGMENT_CRC, crc(out, SEGMENT_CRC));
}

const char *
format_get_segment(const uint8_t in[FORMAT_SEGMENT_HEADER],
		   struct format_segment *s_r)
{
	struct format_segment s = { .number = get32(in + SEGMENT_NUMBER) };

	if (memcmp(in, segment_magic, sizeof(segment_magic)) != 0)
		return "it does not begin as a segment does";
	if (get32(in + SEGMENT_CRC) != crc(in, SEGMENT_CRC))
		return "its header is damaged";
	if (get16(in + SEGMENT_VERSION) != FORMAT_VERSION ||
	    get16(in + SEGMENT_LENGTH) != FORMAT_SEGMENT_HEADER)
		return "a later version wrote it";
	memcpy(s.uuid, in + SEGMENT_UUID, FORMAT_UUID);
	s.created_us = (int64_t)get64(in + SEGMENT_CREATED);
	s.previous_end = get64(in + SEGMENT_PREVIOUS_END);
	memcpy(s.previous_chain, in + SEGMENT_PREVIOUS_CHAIN, HASH_SIZE);
	if (s.number == 0 || s.previous_end > FORMAT_SEGMENT_MAX)
		return "its header is impossible";
	*s_r = s;
	return NULL;
}

void
format_chain_start(const uint8_t header[FORMAT_SEGMENT_HEADER],
		   uint8_t chain_r[HASH_SIZE])
{
	struct hash h = { .ctx = NULL };

	hash_begin(&h);
	hash_add(&h, header, FORMAT_SEGMENT_HEADER);
	hash_end(&h, chain_r);
	hash_free(&h);
}

/* All but the two CRCs. */
static void
put_record(const struct format_record *r, uint8_t out[FORMAT_RECORD_HEADER])
{
	memset(out, 0, FORMAT_RECORD_HEADER);
	memcpy(out, record_magic, sizeof(record_magic));
	out[RECORD_VERSION] = FORMAT_VERSION;
	out[RECORD_TYPE] = (uint8_t)r->type;
	out[RECORD_STATE] = (uint8_t)r->state;
	out[RECORD_PACKING] = (uint8_t)r->packing;
	put16(out + RECORD_LENGTH, FORMAT_RECORD_HEADER);
	put32(out + RECORD_SEGMENT, r->place.segment);
	put64(out + RECORD_OFFSET, r->place.offset);
	put32(out + RECORD_FIRST_SEGMENT, r->first.segment);
	put64(out + RECORD_FIRST_OFFSET, r->first.offset);
	put64(out + RECORD_DURABLE, r->durable);
	put64(out + RECORD_TIME, (uint64_t)r->time_us);
	put64(out + RECORD_METADATA, r->metadata_n);
	put64(out + RECORD_STORED, r->stored_n);
	put64(out + RECORD_RAW, r->raw_n);
	memcpy(out + RECORD_KEY, r->key, HASH_SIZE);
	memcpy(out + RECORD_METADATA_HASH, r->metadata_hash, HASH_SIZE);
	memcpy(out + RECORD_PAYLOAD_HASH, r->payload_hash, HASH_SIZE);
	memcpy(out + RECORD_CHAIN, r->chain, HASH_SIZE);
}

void
format_chain(const struct format_record *r, const uint8_t before[HASH_SIZE],
	     uint8_t chain_r[HASH_SIZE])
{
	struct hash h = { .ctx = NULL };
	uint8_t header[FORMAT_RECORD_HEADER];

	put_record(r, header);
	header[RECORD_STATE] = FORMAT_WHOLE;
	hash_begin(&h);
	hash_add(&h, before, HASH_SIZE);
	hash_add(&h, header, RECORD_CHAIN);
	hash_end(&h, chain_r);
	hash_free(&h);
}

void
format_put_record(const struct format_record *r,
		  uint8_t out[FORMAT_RECORD_HEADER])
{
	put_record(r, out);
	put32(out + RECORD_DATA_CRC, r->data_crc);
	put32(out + RECORD_CRC, crc(out, RECORD_CRC));
}

/* Nothing but what this version writes: what it does not know it must not
 * take for something else. */
static bool
known(const uint8_t in[FORMAT_RECORD_HEADER], const struct format_record *r)
{
	static const uint8_t zeros[8];

	return in[RECORD_VERSION] == FORMAT_VERSION &&
	       get16(in + RECORD_LENGTH) == FORMAT_RECORD_HEADER &&
	       in[RECORD_TYPE] >= FORMAT_MESSAGE &&
	       in[RECORD_TYPE] <= FORMAT_CONTROL &&
	       r->state <= FORMAT_ERASED && r->packing <= FORMAT_ZSTD &&
	       get16(in + RECORD_CIPHER) == 0 &&
	       get32(in + RECORD_KEY_ID) == 0 &&
	       memcmp(in + RECORD_RESERVED, zeros, sizeof(zeros)) == 0;
}

static bool
possible(const struct format_record *r)
{
	return r->metadata_n <= FORMAT_METADATA_MAX &&
	       r->stored_n <= FORMAT_STORED_MAX &&
	       r->raw_n <= FORMAT_RAW_MAX &&
	       r->place.offset >= FORMAT_SEGMENT_HEADER &&
	       r->place.offset % 8 == 0 &&
	       r->place.offset < FORMAT_SEGMENT_MAX &&
	       r->durable <= r->place.offset &&
	       r->first.offset < FORMAT_SEGMENT_MAX &&
	       r->first.offset % 8 == 0 &&
	       (r->type == FORMAT_MESSAGE || r->stored_n == 0) &&
	       (r->packing != FORMAT_PLAIN || r->type != FORMAT_MESSAGE ||
		r->stored_n == r->raw_n) &&
	       (r->state == FORMAT_WHOLE || r->type == FORMAT_MESSAGE);
}

const char *
format_get_record(const uint8_t in[FORMAT_RECORD_HEADER],
		  struct format_record *r_r)
{
	struct format_record r = {
		.type = in[RECORD_TYPE],
		.state = in[RECORD_STATE],
		.packing = in[RECORD_PACKING],
		.place = { get32(in + RECORD_SEGMENT),
			   get64(in + RECORD_OFFSET) },
		.first = { get32(in + RECORD_FIRST_SEGMENT),
			   get64(in + RECORD_FIRST_OFFSET) },
		.durable = get64(in + RECORD_DURABLE),
		.time_us = (int64_t)get64(in + RECORD_TIME),
		.metadata_n = get64(in + RECORD_METADATA),
		.stored_n = get64(in + RECORD_STORED),
		.raw_n = get64(in + RECORD_RAW),
		.data_crc = get32(in + RECORD_DATA_CRC),
	};

	if (memcmp(in, record_magic, sizeof(record_magic)) != 0)
		return "no record begins here";
	if (get32(in + RECORD_CRC) != crc(in, RECORD_CRC))
		return "the header is damaged";
	if (!known(in, &r))
		return "a later version wrote it";
	memcpy(r.key, in + RECORD_KEY, HASH_SIZE);
	memcpy(r.metadata_hash, in + RECORD_METADATA_HASH, HASH_SIZE);
	memcpy(r.payload_hash, in + RECORD_PAYLOAD_HASH, HASH_SIZE);
	memcpy(r.chain, in + RECORD_CHAIN, HASH_SIZE);
	if (!possible(&r))
		return "the header is impossible";
	*r_r = r;
	return NULL;
}
