/*
 * What of the format people and file systems see: names, ids, heads.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "lib/base/text.h"

/* Crockford's base 32: no letter is taken for another one, and ASCII's order
 * is that of the numbers. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
#define DIGITS 12
#define OFFSET_BITS 25	/* of an offset in steps of 8 */

void
format_name(uint32_t number, char out[FORMAT_NAME_SIZE])
{
	snprintf(out, FORMAT_NAME_SIZE, "%010" PRIu32 ".segment", number);
}

uint32_t
format_number(const char *name)
{
	char again[FORMAT_NAME_SIZE];
	uint64_t n = 0;

	for (int i = 0; i < 10; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(name[i] - '0');
	}
	if (n > UINT32_MAX)
		return 0;
	format_name((uint32_t)n, again);
	return strcmp(name, again) == 0 ? (uint32_t)n : 0;
}

void
format_id(struct format_place p, char out[FORMAT_ID_SIZE])
{
	uint64_t n = (uint64_t)p.segment << OFFSET_BITS | p.offset / 8;

	for (int i = DIGITS - 1; i >= 0; i--, n /= 32)
		out[i] = digits[n % 32];
	out[DIGITS] = '\0';
}

bool
format_place(const char *id, struct format_place *p_r)
{
	uint64_t n = 0;

	if (strlen(id) != DIGITS)
		return false;
	for (int i = 0; i < DIGITS; i++) {
		const char *d = strchr(digits, id[i]);

		if (d == NULL)
			return false;
		n = n << 5 | (uint64_t)(d - digits);
	}
	if (n >> OFFSET_BITS == 0 || n >> OFFSET_BITS > UINT32_MAX)
		return false;
	p_r->segment = (uint32_t)(n >> OFFSET_BITS);
	p_r->offset = (n & (((uint64_t)1 << OFFSET_BITS) - 1)) * 8;
	return p_r->offset >= FORMAT_SEGMENT_HEADER;
}

void
format_put_head(const struct format_head *h, char out[FORMAT_HEAD_SIZE])
{
	char uuid[2 * FORMAT_UUID + 1], chain[2 * HASH_SIZE + 1];

	text_hex(uuid, h->uuid, FORMAT_UUID);
	text_hex(chain, h->chain, HASH_SIZE);
	snprintf(out, FORMAT_HEAD_SIZE, "fmx1:%s:%" PRIu32 ":%" PRIu64 ":%s",
		 uuid, h->end.segment, h->end.offset, chain);
}

/* One part of a head: up to the next colon, or the rest. False: too long. */
static bool
cut_part(const char **at, char *out, size_t size)
{
	size_t n = strcspn(*at, ":");

	if (n >= size)
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n + ((*at)[n] == ':');
	return true;
}

bool
format_get_head(const char *word, struct format_head *h_r)
{
	struct format_head h;
	char part[5][2 * HASH_SIZE + 1], again[FORMAT_HEAD_SIZE];
	const char *at = word;

	for (int i = 0; i < 5; i++)
		if (!cut_part(&at, part[i], sizeof(part[i])))
			return false;
	h.end.segment = (uint32_t)strtoul(part[2], NULL, 10);
	h.end.offset = strtoull(part[3], NULL, 10);
	if (!text_unhex(h.uuid, FORMAT_UUID, part[1]) ||
	    !text_unhex(h.chain, HASH_SIZE, part[4]))
		return false;
	format_put_head(&h, again);
	if (strcmp(word, again) != 0)
		return false;
	*h_r = h;
	return true;
}
