#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/crc.h"
#include "lib/base/fsio.h"
#include "segment.h"

#define CHUNK ((size_t)65536)

static int
read_header(struct segment *s, uint32_t number, struct err *e)
{
	uint8_t raw[FORMAT_SEGMENT_HEADER];
	ssize_t n = fsio_pread(s->fd, raw, sizeof(raw), 0);
	struct stat st;
	const char *wrong;

	if (n < 0 || fstat(s->fd, &st) < 0)
		return err_errno(e, "cannot read segment %" PRIu32, number);
	wrong = n < (ssize_t)sizeof(raw) ? "it is too short"
		: format_get_segment(raw, &s->header);
	if (wrong == NULL && s->header.number != number)
		wrong = "it is another segment, renamed";
	if (wrong != NULL)
		return err_set(e, ERR_PERM, "cannot read segment %" PRIu32
			       ": %s", number, wrong);
	format_chain_start(raw, s->start);
	s->size = (uint64_t)st.st_size;
	return 0;
}

int
segment_open(struct segment *s_r, int dir, uint32_t number, struct err *e)
{
	char name[FORMAT_NAME_SIZE];

	memset(s_r, 0, offsetof(struct segment, window));
	format_name(number, name);
	s_r->fd = fsio_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
			      0);
	if (s_r->fd < 0)
		return err_errno(e, "cannot open segment %" PRIu32, number);
	if (read_header(s_r, number, e) < 0) {
		segment_close(s_r);
		return -1;
	}
	return 0;
}

void
segment_close(struct segment *s)
{
	fsio_close(&s->fd);
	free(s->metadata);
	s->metadata = NULL;
}

/* n bytes (at most a window) at an offset; NULL: they are not there, *failed_r
 * says whether that is the disk's doing. */
static const uint8_t *
look(struct segment *s, uint64_t at, size_t n, bool *failed_r)
{
	ssize_t got;

	*failed_r = false;
	if (at >= s->window_at && at + n <= s->window_at + s->window_n)
		return s->window + (at - s->window_at);
	got = fsio_pread(s->fd, s->window, SEGMENT_WINDOW, (off_t)at);
	*failed_r = got < 0;
	s->window_at = at;
	s->window_n = got < 0 ? 0 : (size_t)got;
	return s->window_n >= n ? s->window : NULL;
}

static enum segment_found
damaged(uint64_t offset, const char *wrong, struct err *e)
{
	err_set(e, ERR_PERM, "at %" PRIu64 ": %s", offset, wrong);
	return SEGMENT_DAMAGED;
}

static enum segment_found
failed(uint64_t offset, struct err *e)
{
	err_errno(e, "cannot read at %" PRIu64, offset);
	return SEGMENT_FAILED;
}

/* The file has so many bytes; it may have grown. */
static bool
reaches(struct segment *s, uint64_t end)
{
	struct stat st;

	if (end > s->size && fstat(s->fd, &st) == 0)
		s->size = (uint64_t)st.st_size;
	return end <= s->size;
}

/* The header at offset, by itself. */
static enum segment_found
read_header_at(struct segment *s, uint64_t offset, struct format_record *r_r,
	       struct err *e)
{
	bool broken;
	const uint8_t *raw = look(s, offset, FORMAT_RECORD_HEADER, &broken);
	const char *wrong;

	if (broken)
		return failed(offset, e);
	if (raw == NULL)
		return s->window_n == 0 ? SEGMENT_END
		       : damaged(offset, "the end of a record is missing", e);
	wrong = format_get_record(raw, r_r);
	if (wrong == NULL && (r_r->place.segment != s->header.number ||
			      r_r->place.offset != offset))
		wrong = "a record that belongs to another place";
	if (wrong != NULL)
		return damaged(offset, wrong, e);
	return reaches(s, offset + format_record_size(r_r)) ? SEGMENT_RECORD
	       : damaged(offset, "the end of a record is missing", e);
}

/* Behind the last byte from `at` on that is not zero, or, unless all are looked
 * at, the first one; `at`: there is none. Not beyond FORMAT_SEGMENT_MAX. */
static int
find_bytes(struct segment *s, uint64_t at, bool all, uint64_t *behind_r)
{
	uint8_t *chunk = mem_alloc(CHUNK);
	ssize_t got = 0;

	*behind_r = at;
	for (uint64_t i = at; i < FORMAT_SEGMENT_MAX; i += (uint64_t)got) {
		got = fsio_pread(s->fd, chunk, CHUNK, (off_t)i);
		if (got <= 0)
			break;
		for (size_t k = 0; k < (size_t)got; k++)
			if (chunk[k] != 0)
				*behind_r = i + k + 1;
		if (!all && *behind_r > at)
			break;
	}
	free(chunk);
	return got < 0 ? -1 : 0;
}

/* What begins at offset: a record, damage, or the room behind the last one. */
static enum segment_found
read_record(struct segment *s, uint64_t offset, struct format_record *r_r,
	    struct err *e)
{
	const enum segment_found found = read_header_at(s, offset, r_r, e);
	uint64_t behind;

	if (found != SEGMENT_DAMAGED)
		return found;
	if (find_bytes(s, offset, false, &behind) < 0)
		return failed(offset, e);
	return behind == offset ? SEGMENT_END : found;
}

uint64_t
segment_rest(struct segment *s, uint64_t end)
{
	uint64_t behind;

	return find_bytes(s, end, true, &behind) < 0 ? 0 : behind - end;
}

/* Metadata are small and mostly in the window with the header. */
static enum segment_found
read_metadata(struct segment *s, const struct format_record *r,
	      const char **metadata_r, struct err *e)
{
	const uint64_t at = r->place.offset + FORMAT_RECORD_HEADER;
	struct hash h = { .ctx = NULL };
	uint8_t hash[HASH_SIZE];
	const size_t n = (size_t)r->metadata_n;
	const uint8_t *raw = NULL;
	ssize_t got = 0;
	bool broken;

	free(s->metadata);
	s->metadata = mem_alloc(n + 1);
	if (n < SEGMENT_WINDOW - FORMAT_RECORD_HEADER)
		raw = look(s, at, n, &broken);
	if (raw != NULL)
		memcpy(s->metadata, raw, n);
	else
		got = fsio_pread(s->fd, s->metadata, n, (off_t)at);
	if (got < 0)
		return failed(at, e);
	if (raw == NULL && (size_t)got < n)
		return damaged(at, "the end of a record is missing", e);
	hash_begin(&h);
	hash_add(&h, s->metadata, n);
	hash_end(&h, hash);
	hash_free(&h);
	if (memcmp(hash, r->metadata_hash, HASH_SIZE) != 0)
		return damaged(at, "the metadata are damaged", e);
	s->metadata[n] = '\0';
	*metadata_r = (const char *)s->metadata;
	return SEGMENT_RECORD;
}

enum segment_found
segment_record(struct segment *s, uint64_t offset, struct format_record *r_r,
	       const char **metadata_r, struct err *e)
{
	enum segment_found found = read_record(s, offset, r_r, e);

	return found == SEGMENT_RECORD ? read_metadata(s, r_r, metadata_r, e)
	       : found;
}

enum segment_found
segment_whole(struct segment *s, const struct format_record *r, struct err *e)
{
	const uint64_t at = r->place.offset + FORMAT_RECORD_HEADER;
	const uint64_t n = r->metadata_n + r->stored_n;
	const uint64_t padded = format_record_size(r) - FORMAT_RECORD_HEADER;
	uint8_t *chunk = mem_alloc(CHUNK);
	enum segment_found found = SEGMENT_RECORD;
	uint64_t crc = 0;

	for (uint64_t i = 0; i < padded && found == SEGMENT_RECORD;) {
		const size_t want = padded - i < CHUNK ? (size_t)(padded - i)
				    : CHUNK;
		const size_t data = i >= n ? 0 : n - i < want ? (size_t)(n - i)
				    : want;
		ssize_t got = fsio_pread(s->fd, chunk, want, (off_t)(at + i));

		if (got < 0)
			found = failed(at, e);
		else if ((size_t)got < want)
			found = damaged(r->place.offset, "the end of a record "
					"is missing", e);
		crc = crc_add(CRC_32C, crc, chunk, data);
		for (size_t k = data; k < want; k++)
			if (found == SEGMENT_RECORD && chunk[k] != 0)
				found = damaged(r->place.offset, "something "
						"stands in the padding", e);
		i += want;
	}
	free(chunk);
	return found != SEGMENT_RECORD || crc == r->data_crc ? found
	       : damaged(r->place.offset, "the record is damaged", e);
}

/* The first offset from `from` on at which a header stands that is right. None
 * stands beyond FORMAT_SEGMENT_MAX, however long a file says that it is. */
static uint64_t
resume(struct segment *s, uint64_t from)
{
	struct format_record r;
	struct err e;

	for (; from < FORMAT_SEGMENT_MAX &&
	     from + FORMAT_RECORD_HEADER <= s->size; from += 8) {
		const enum segment_found found = read_header_at(s, from, &r,
								&e);

		if (found == SEGMENT_RECORD)
			return from;
		if (found == SEGMENT_FAILED)
			break;
	}
	return s->size;
}

uint64_t
segment_pass(struct segment *s, uint64_t at)
{
	struct format_record r;
	struct err e;

	return resume(s, read_header_at(s, at, &r, &e) == SEGMENT_RECORD
		      ? at + format_record_size(&r) : (at + 8) & ~(uint64_t)7);
}

static enum segment_found
read_whole(struct segment *s, uint64_t at, struct format_record *r_r,
	   struct err *e)
{
	enum segment_found found = read_record(s, at, r_r, e);

	return found == SEGMENT_RECORD ? segment_whole(s, r_r, e) : found;
}

static bool
follows(const struct format_record *r, const uint8_t chain[HASH_SIZE])
{
	uint8_t next[HASH_SIZE];

	format_chain(r, chain, next);
	return memcmp(next, r->chain, HASH_SIZE) == 0;
}

/* Records that were begun when the place at `bad` was durable tell that it was
 * acknowledged. So does a whole one there that does not follow: no append
 * leaves that. Then t goes on behind the last whole one. */
static int
judge_rest(struct segment *s, uint64_t bad, struct segment_tail *t,
	   struct err *e)
{
	struct segment_tail behind = *t;
	struct format_record r;
	uint64_t durable = 0;

	for (uint64_t at = bad; at < s->size; at = segment_pass(s, at)) {
		enum segment_found found = read_header_at(s, at, &r, e);

		if (found == SEGMENT_RECORD && r.durable > durable)
			durable = r.durable;
		if (found == SEGMENT_RECORD)
			found = segment_whole(s, &r, e);
		if (found == SEGMENT_FAILED)
			return -1;
		if (found != SEGMENT_RECORD)
			continue;
		if (at == bad)
			durable = bad + 1;
		behind.end = at + format_record_size(&r);
		memcpy(behind.chain, r.chain, HASH_SIZE);
	}
	if (durable <= bad)
		return 0;
	*t = behind;
	t->damage = bad;
	return 0;
}

int
segment_find_tail(struct segment *s, struct segment_tail *t_r, struct err *e)
{
	struct segment_tail t = { .end = FORMAT_SEGMENT_HEADER };
	struct format_record r;
	enum segment_found found;

	memcpy(t.chain, s->start, HASH_SIZE);
	while ((found = read_whole(s, t.end, &r, e)) == SEGMENT_RECORD &&
	       follows(&r, t.chain)) {
		t.end += format_record_size(&r);
		memcpy(t.chain, r.chain, HASH_SIZE);
	}
	if (found == SEGMENT_FAILED ||
	    (found != SEGMENT_END && judge_rest(s, t.end, &t, e) < 0))
		return err_prefix(e, "segment %" PRIu32, s->header.number);
	t.torn = segment_rest(s, t.end);
	*t_r = t;
	return 0;
}

static int
ascending(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
segment_list(int dir, uint32_t **all_r, size_t *n_r, struct err *e)
{
	int fd = fsio_openat(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint32_t *all = NULL;
	size_t n = 0;
	struct dirent *f;

	if (d == NULL) {
		err_errno(e, "cannot list the segments");
		fsio_close(&fd);
		return -1;
	}
	while (errno = 0, (f = readdir(d)) != NULL) {
		const uint32_t number = format_number(f->d_name);

		if (number == 0)
			continue;
		if ((n & (n + 1)) == 0)
			all = mem_grow(all, 2 * n + 2, sizeof(*all));
		all[n++] = number;
	}
	if (errno != 0) {
		err_errno(e, "cannot list the segments");
		closedir(d);
		free(all);
		return -1;
	}
	closedir(d);
	if (n > 0)
		qsort(all, n, sizeof(*all), ascending);
	*all_r = all;
	*n_r = n;
	return 0;
}
