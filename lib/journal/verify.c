#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <time.h>

#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "journal.h"
#include "verify-private.h"

/* An append may be going on. */
#define TRIES 20
#define PAUSE_NS 20000000

__attribute__((format(printf, 3, 0))) static void
say(struct verify_walk *w, enum verify_grade grade, const char *fmt,
    va_list ap)
{
	char line[1200];

	vsnprintf(line, sizeof(line), fmt, ap);
	w->v->wrong += grade == VERIFY_WRONG;
	w->v->tell(w->v->to, grade, line);
}

void
verify_wrong(struct verify_walk *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(w, VERIFY_WRONG, fmt, ap);
	va_end(ap);
}

void
verify_note(struct verify_walk *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(w, VERIFY_NOTE, fmt, ap);
	va_end(ap);
}

/* Whether the kept head is the one of this place. */
static void
meet(struct verify_walk *w)
{
	const struct format_head *h = w->v->against;

	if (h == NULL || h->end.segment != w->at.segment ||
	    h->end.offset != w->at.offset)
		return;
	w->met = true;
	if (!w->chained || memcmp(h->chain, w->chain, HASH_SIZE) != 0)
		verify_wrong(w, "segment %" PRIu32 " is another one than when "
			     "the head was kept", w->at.segment);
}

/* -1: it cannot be read. */
static int
check_payload(struct verify_walk *w, const struct format_record *r,
	      struct err *e)
{
	struct payload_reader *p = payload_open(w->a.segment.fd, r);
	char id[FORMAT_ID_SIZE];
	const void *data;
	ssize_t got;

	while ((got = payload_next(p, &data, e)) > 0)
		continue;
	payload_close(p);
	format_id(r->place, id);
	if (got < 0 && e->kind != ERR_PERM)
		return -1;
	if (got < 0)
		verify_wrong(w, "%s: %s", id, e->text);
	return 0;
}

/* What an erased payload leaves is zeros. */
static int
check_zeros(struct verify_walk *w, const struct format_record *r,
	    struct err *e)
{
	uint8_t data[4096];
	uint64_t at = r->place.offset + FORMAT_RECORD_HEADER + r->metadata_n;

	for (uint64_t left = r->stored_n; left > 0;) {
		const size_t n = left < sizeof(data) ? (size_t)left
				 : sizeof(data);

		if (fsio_pread(w->a.segment.fd, data, n, (off_t)at) !=
		    (ssize_t)n)
			return err_errno(e, "cannot read segment %" PRIu32,
					 r->place.segment);
		for (size_t i = 0; i < n; i++)
			if (data[i] != 0) {
				verify_wrong(w, "segment %" PRIu32 ", at %"
					     PRIu64 ": an erased record has "
					     "bytes", r->place.segment, at);
				return 0;
			}
		at += n;
		left -= n;
	}
	return 0;
}

static void
check_again(struct verify_walk *w, const struct format_record *r)
{
	struct payload_reader *p;
	char id[FORMAT_ID_SIZE];
	struct err e;

	p = archive_payload(&w->a, r, &e);
	payload_close(p);
	format_id(r->place, id);
	if (p == NULL && e.code == EX_DATAERR)
		verify_wrong(w, "%s: %s", id, e.text);
	else if (p == NULL)
		verify_note(w, "%s: %s", id, e.text);
}

/* By its kind; the record's own bytes are right. */
static int
check_kind(struct verify_walk *w, const struct format_record *r,
	   const char *metadata, struct err *e)
{
	struct verify *v = w->v;

	v->stored_bytes += r->stored_n;
	if (r->type == FORMAT_CONTROL) {
		v->controls++;
		verify_control(w, r, metadata);
		return 0;
	}
	if (r->type == FORMAT_AGAIN) {
		v->again++;
		check_again(w, r);
		return 0;
	}
	v->messages++;
	v->raw_bytes += r->raw_n;
	if (r->state == FORMAT_WHOLE)
		return check_payload(w, r, e);
	v->erased++;
	verify_erased(w, r);
	return check_zeros(w, r, e);
}

/* One record at w->at; w goes on behind it, or behind the damage. */
static enum segment_found
check_record(struct verify_walk *w, struct err *e)
{
	struct segment *s = &w->a.segment;
	struct format_record r;
	const char *metadata;
	uint8_t chain[HASH_SIZE];
	enum segment_found found = segment_record(s, w->at.offset, &r,
						  &metadata, e);

	if (found == SEGMENT_RECORD)
		found = segment_whole(s, &r, e);
	if (found != SEGMENT_RECORD)
		return found;
	format_chain(&r, w->chain, chain);
	if (w->chained && memcmp(chain, r.chain, HASH_SIZE) != 0)
		verify_wrong(w, "segment %" PRIu32 ", at %" PRIu64 ": the "
			     "chain is broken", w->at.segment, w->at.offset);
	memcpy(w->chain, r.chain, HASH_SIZE);
	w->at.offset += format_record_size(&r);
	if (check_kind(w, &r, metadata, e) < 0)
		return SEGMENT_FAILED;
	meet(w);
	return SEGMENT_RECORD;
}

/* Damage at w->at: told, passed. The chain is taken up behind it, by the word
 * of the next record. */
static void
pass(struct verify_walk *w, uint64_t end, const struct err *e)
{
	const uint64_t next = segment_pass(&w->a.segment, w->at.offset);
	const bool more = next < end && next < w->a.segment.size;

	verify_wrong(w, "segment %" PRIu32 ", %s%s", w->at.segment, e->text,
		     more ? "" : end == UINT64_MAX ? " (an append that was not "
		     "finished, or damage to the last ones)" : ", and all "
		     "behind it");
	w->chained = false;
	w->at.offset = more ? next : end;
}

/* Where a segment ends is the next one's word. */
static uint64_t
end_of(struct verify_walk *w, uint32_t number)
{
	struct segment *ahead = &w->a.ahead;
	uint64_t end = UINT64_MAX;
	struct err e;

	if (segment_open(ahead, w->a.dir, number + 1, &e) == 0) {
		end = ahead->header.previous_end;
		segment_close(ahead);
	}
	return end;
}

/* In the last segment the end is moving: what is not whole may become so, as
 * long as somebody has the archive's lock, or we cannot see that; or a next
 * segment says that this one ends before it. */
static enum segment_found
check_moving(struct verify_walk *w, uint64_t *end, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	enum segment_found found = check_record(w, e);
	bool quiet;
	int lock;

	if (*end != UINT64_MAX || found != SEGMENT_DAMAGED)
		return found;
	lock = fsio_openat(w->a.dir, JOURNAL_LOCK, O_RDONLY, 0);
	quiet = lock < 0 && errno == ENOENT;	/* else it is not for us */
	for (int i = 0; i < TRIES && !quiet && found == SEGMENT_DAMAGED;
	     i++) {
		quiet = lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) == 0;
		if (!quiet)
			nanosleep(&pause, NULL);
		w->a.segment.window_n = 0;
		found = check_record(w, e);
		*end = end_of(w, w->at.segment);
		if (*end != UINT64_MAX)
			break;
	}
	fsio_close(&lock);
	return found == SEGMENT_DAMAGED && w->at.offset >= *end ? SEGMENT_END
	       : found;
}

static int
check_records(struct verify_walk *w, uint64_t end, struct err *e)
{
	uint64_t sure = FORMAT_SEGMENT_HEADER;	/* behind the last record */
	uint64_t rest = 0;

	w->at.offset = sure;
	meet(w);
	while (w->at.offset < end) {
		enum segment_found found = check_moving(w, &end, e);

		if (found == SEGMENT_FAILED)
			return -1;
		if (found == SEGMENT_END)
			break;
		if (found == SEGMENT_RECORD)
			sure = w->at.offset;
		else
			pass(w, end, e);
	}
	if (w->at.offset == UINT64_MAX)
		w->at.offset = sure;
	if (end != UINT64_MAX && w->at.offset != end)
		verify_wrong(w, "segment %" PRIu32 " ends at %" PRIu64 ", and "
			     "not at %" PRIu64 " as the next one says",
			     w->at.segment, w->at.offset, end);
	else if (end < w->a.segment.size)
		rest = segment_rest(&w->a.segment, end);
	if (rest > 0)
		verify_note(w, "segment %" PRIu32 ": %" PRIu64 " bytes behind "
			    "its end, of an append that was not finished",
			    w->at.segment, rest);
	return 0;
}

/* The header of the open segment against the one before. */
static void
check_header(struct verify_walk *w, uint32_t before)
{
	const struct format_segment *h = &w->a.segment.header;

	if (w->v->segments == 0)
		memcpy(w->v->head.uuid, h->uuid, FORMAT_UUID);
	else if (memcmp(w->v->head.uuid, h->uuid, FORMAT_UUID) != 0)
		verify_wrong(w, "segment %" PRIu32 " belongs to another "
			     "archive", h->number);
	if (before + 1 != h->number && before > 0)
		verify_wrong(w, "segments %" PRIu32 " to %" PRIu32 " are "
			     "missing", before + 1, h->number - 1);
	else if (before > 0 && w->chained &&
		 memcmp(w->chain, h->previous_chain, HASH_SIZE) != 0)
		verify_wrong(w, "segment %" PRIu32 " does not follow the one "
			     "before it: the chain is broken", h->number);
	w->chained = true;
	memcpy(w->chain, w->a.segment.start, HASH_SIZE);
	w->at.segment = h->number;
	w->v->segments++;
	w->v->file_bytes += w->a.segment.size;
}

static int
check_segment(struct verify_walk *w, size_t i, struct err *e)
{
	struct archive *a = &w->a;
	const uint32_t before = i > 0 ? a->numbers[i - 1] : 0;
	int ret = segment_open(&a->segment, a->dir, a->numbers[i], e);

	if (ret < 0 && e->kind != ERR_PERM && errno == ENOENT) {
		verify_note(w, "segment %" PRIu32 " was pruned while this was "
			    "running", a->numbers[i]);
		w->chained = false;
		return 0;
	}
	if (ret < 0 && e->kind != ERR_PERM)
		return -1;
	if (ret < 0) {
		verify_wrong(w, "%s", e->text);
		w->chained = false;
		return 0;
	}
	check_header(w, before);
	ret = check_records(w, end_of(w, a->numbers[i]), e);
	segment_close(&a->segment);
	return ret;
}

/* Segments that were begun since: a record without bytes may have been met
 * whose reason stands there. */
static int
add_new(struct archive *a, struct err *e)
{
	const uint32_t last = a->numbers[a->n - 1];
	uint32_t *all;
	size_t n;

	if (segment_list(a->dir, &all, &n, e) < 0)
		return -1;
	a->numbers = mem_grow(a->numbers, a->n + n, sizeof(*a->numbers));
	for (size_t i = 0; i < n; i++)
		if (all[i] > last)
			a->numbers[a->n++] = all[i];
	free(all);
	return 0;
}

static int
walk(struct verify_walk *w, struct err *e)
{
	int ret = 0;

	for (size_t i = 0; i < w->a.n && ret == 0; i++) {
		ret = check_segment(w, i, e);
		if (ret == 0 && i + 1 == w->a.n)
			ret = add_new(&w->a, e);
	}
	if (ret < 0) {
		e->kind = ERR_STOP;
		e->code = EX_IOERR;
		return -1;
	}
	w->v->head.end = w->at;
	memcpy(w->v->head.chain, w->chain, HASH_SIZE);
	verify_compare(w);
	return 0;
}

int
verify_archive(struct verify *v, const char *dir, struct err *e)
{
	struct verify_walk *w = mem_alloc(sizeof(*w));
	int ret;

	w->v = v;
	ret = archive_open(&w->a, dir, e);
	if (ret == 0) {
		ret = walk(w, e);
		archive_close(&w->a);
	}
	arena_free(&w->arena);
	free(w->erased);
	free(w->orders);
	free(w->pruned);
	free(w);
	return ret;
}
