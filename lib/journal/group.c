#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include "journal-private.h"
#include "lib/base/fsio.h"

#define PARTS 4		/* header, metadata, payload, padding */

/* What a segment gets at a time, of zeros that later groups write over. */
#define ROOM_PART ((uint64_t)16384)
#define ROOM_PARTS 64

/* A sender gives up after five days (RFC 5321, 4.5.4.1); what comes later is
 * no second try. The first one might be removed before it, too. */
#define AGAIN_US ((int64_t)7 * 86400 * 1000000)

/* One list of waiters and what became of it. */
struct group {
	struct waiter *first;
	size_t n;
	uint64_t bytes;		/* at most */
	int64_t now_us;		/* of the latest entry */
	bool full, roomy;	/* the disk */
};

uint64_t
waiter_size(const struct waiter *w)
{
	struct format_record r = w->record;

	r.stored_n = w->payload.stored_n;
	return format_record_size(&r);
}

static struct group
measure(struct waiter *first, size_t n)
{
	struct group g = { .first = first, .n = n };

	for (struct waiter *w = first; n > 0; w = w->next, n--) {
		g.bytes += waiter_size(w);
		if (w->record.time_us > g.now_us)
			g.now_us = w->record.time_us;
	}
	return g;
}

/* Whether another record has the bytes; else the record has them itself. */
static void
choose(struct journal *j, struct waiter *w)
{
	struct format_record *r = &w->record;
	const struct recent_entry *x = recent_find(&j->recent, r->key);

	r->stored_n = w->payload.stored_n;
	r->packing = w->payload.packing;
	r->data_crc = w->data_crc;
	r->first = (struct format_place){ .segment = 0 };
	if (r->type == FORMAT_CONTROL)
		return;
	r->type = FORMAT_MESSAGE;
	if (x == NULL || r->time_us - x->time_us > AGAIN_US)
		return;
	r->first = x->place;
	if (memcmp(x->hash, r->payload_hash, HASH_SIZE) != 0)
		return;		/* bytes are never left away unless equal */
	r->type = FORMAT_AGAIN;
	r->packing = FORMAT_PLAIN;
	r->stored_n = 0;
	r->data_crc = w->metadata_crc;
}

static int
lay_part(struct iovec *v, const void *data, uint64_t n)
{
	union {
		const void *in;
		void *out;	/* pwritev(2) does not write there */
	} base = { .in = data };

	v->iov_base = base.out;
	v->iov_len = (size_t)n;
	return n > 0;
}

/* The record behind *end and *chain, as parts; how many. */
static int
lay(struct journal *j, struct waiter *w, struct format_place *end,
    uint8_t chain[HASH_SIZE], struct iovec *v)
{
	static const uint8_t zeros[8];
	struct format_record *r = &w->record;
	uint64_t n;
	int parts = 0;

	choose(j, w);
	r->place = *end;
	r->durable = j->end;
	format_chain(r, chain, r->chain);
	format_put_record(r, w->header);
	memcpy(chain, r->chain, HASH_SIZE);
	n = FORMAT_RECORD_HEADER + r->metadata_n + r->stored_n;
	end->offset += format_record_size(r);
	parts += lay_part(v + parts, w->header, FORMAT_RECORD_HEADER);
	parts += lay_part(v + parts, w->metadata, r->metadata_n);
	parts += lay_part(v + parts, w->payload.stored, r->stored_n);
	parts += lay_part(v + parts, zeros, format_record_size(r) - n);
	return parts;
}

/* A flush of bytes that the file has already changes nothing else of it, which
 * costs a file system more than the bytes. So there is room for as much again
 * as a segment has, within limits. Returns the parts. */
static int
lay_room(const struct journal *j, uint64_t end, struct iovec *v)
{
	static const uint8_t zeros[ROOM_PART];
	const uint64_t most = j->options.segment_bytes;
	uint64_t room = end / ROOM_PART + 1;
	int parts = 0;

	if (end <= j->room || end >= most)
		return 0;
	if (room > (most - end) / ROOM_PART)
		room = (most - end) / ROOM_PART;
	while (parts < ROOM_PARTS && (uint64_t)parts < room)
		parts += lay_part(v + parts, zeros, ROOM_PART);
	return parts;
}

/* All of it behind the end of our segment; only then the end moves. */
static int
write_group(struct journal *j, struct group *g, struct err *e)
{
	struct iovec v[PARTS * JOURNAL_GROUP_MAX + ROOM_PARTS];
	struct format_place end = { j->number, j->end };
	int room;
	uint8_t chain[HASH_SIZE];
	struct waiter *w = g->first;
	int parts = 0, ret;
	off_t at;

	memcpy(chain, j->chain, HASH_SIZE);
	for (size_t i = 0; i < g->n; i++, w = w->next)
		parts += lay(j, w, &end, chain, v + parts);
	room = g->roomy ? lay_room(j, end.offset, v + parts) : 0;
	at = (off_t)j->end;
	ret = fsio_pwritev(j->fd, v, parts + room, at);	/* STEP archive-write */
	if (ret < 0)
		return err_errno(e, "cannot write segment %" PRIu32,
				 j->number);
	j->flushes++;
	ret = fsio_datasync(j->fd);	/* STEP archive-sync */
	if (ret < 0)
		return err_errno(e, "cannot flush segment %" PRIu32,
				 j->number);
	j->end = end.offset;
	if (j->end > j->room)
		j->room = j->end + (uint64_t)room * ROOM_PART;
	memcpy(j->chain, chain, HASH_SIZE);
	return 0;
}

static bool
is_full(int code)
{
	return code == ENOSPC || code == EDQUOT;
}

/* The rest is for what else lives on this disk, and for a message more. */
static int
check_room(struct journal *j, struct group *g, struct err *e)
{
	struct statvfs s;
	uint64_t there;

	if (fstatvfs(j->dir, &s) < 0)
		return err_errno(e, "cannot ask how much room there is");
	there = (uint64_t)s.f_bavail * s.f_frsize;
	g->full = there < j->options.free_bytes + g->bytes;
	g->roomy = there >= j->options.free_bytes + g->bytes +
			    ROOM_PARTS * ROOM_PART;
	return !g->full ? 0 : err_set(e, ERR_TEMP, "the disk has %" PRIu64
				      " MiB left, and %" PRIu64 " are to stay "
				      "free", there >> 20,
				      j->options.free_bytes >> 20);
}

static bool
wants_segment(const struct journal *j, const struct group *g)
{
	if (j->fd < 0)
		return true;
	return j->end > FORMAT_SEGMENT_HEADER &&
	       (j->end + g->bytes > j->options.segment_bytes ||
		g->now_us - j->created_us > j->options.segment_age_us);
}

/* Once more in a new segment, unless there is no room: what a failed write or
 * flush left in the old one is nobody's. */
static int
write_somewhere(struct journal *j, struct group *g, struct err *e)
{
	for (int tries = 2;; tries--) {
		int ret = 0;

		if (wants_segment(j, g))
			ret = grow_segment(j, g->now_us, e);
		if (ret == 0)
			ret = write_group(j, g, e);
		if (ret == 0)
			return 0;
		g->full = is_full(errno);
		fsio_close(&j->fd);
		if (tries == 1 || g->full)
			return -1;
		/* The new segment may have its name already. */
		if (grow_was_overtaken(j) && grow_find_end(j, e) < 0)
			return -1;
	}
}

/* 1: done, but without the lock. */
static int
commit_once(struct journal *j, struct group *g, struct err *e)
{
	int ret;

	if (grow_lock(j, e) < 0)
		return -1;
	ret = grow_must_look(j) ? grow_find_end(j, e) : 0;
	if (ret == 0)
		ret = check_room(j, g, e);
	if (ret == 0)
		ret = write_somewhere(j, g, e);
	if (ret == 0 && !grow_is_in_place(j))
		ret = 1;
	grow_unlock(j);
	return ret;
}

/* Without the lock somebody may have ended our segment before what we wrote:
 * once more, behind that. */
static int
commit(struct journal *j, struct group *g, struct err *e)
{
	int ret = 1;

	for (int tries = 0; tries < 3 && ret > 0; tries++)
		ret = commit_once(j, g, e);
	return ret <= 0 ? ret : err_set(e, ERR_TEMP, "somebody removes its "
					"lock");
}

void
group_commit(struct journal *j, struct waiter *first, size_t n)
{
	struct group g = measure(first, n);
	struct err e = { .kind = ERR_TEMP };
	const int ret = commit(j, &g, &e);

	if (ret < 0) {
		e.kind = ERR_TEMP;
		err_prefix(&e, "%s", j->shown);
	}
	for (struct waiter *w = first; n > 0; w = w->next, n--) {
		w->ret = ret;
		w->full = g.full;
		if (ret < 0)
			w->e = e;
		else if (w->record.type == FORMAT_MESSAGE)
			recent_add(&j->recent, &w->record);
	}
}
