#include <config.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "maintain.h"
#include "verify-private.h"

static void
keep(struct verify_erased **all, size_t *n, const char *id,
     const char *sha256)
{
	struct verify_erased *x;

	if ((*n & (*n + 1)) == 0)
		*all = mem_grow(*all, 2 * *n + 2, sizeof(**all));
	x = &(*all)[(*n)++];
	*x = (struct verify_erased){ .id = "" };
	memcpy(x->id, id, strnlen(id, sizeof(x->id) - 1));
	memcpy(x->sha256, sha256, strnlen(sha256, sizeof(x->sha256) - 1));
}

static void
keep_pruned(struct verify_walk *w, const struct control_segment *s)
{
	if ((w->pruned_n & (w->pruned_n + 1)) == 0)
		w->pruned = mem_grow(w->pruned, 2 * w->pruned_n + 2,
				     sizeof(*w->pruned));
	w->pruned[w->pruned_n++] = s;
}

void
verify_control(struct verify_walk *w, const struct format_record *r,
	       const char *metadata)
{
	struct control c;
	char id[FORMAT_ID_SIZE];
	struct err e;

	if (control_read(metadata, (size_t)r->metadata_n, &c, &w->arena, &e) <
	    0) {
		format_id(r->place, id);
		verify_wrong(w, "%s: %s", id, e.text);
		return;
	}
	if (c.word == CONTROL_ERASE && c.id != NULL && c.sha256 != NULL)
		keep(&w->orders, &w->orders_n, c.id, c.sha256);
	for (size_t i = 0; i < c.n; i++)
		keep_pruned(w, &c.segments[i]);
}

void
verify_erased(struct verify_walk *w, const struct format_record *r)
{
	char id[FORMAT_ID_SIZE], sha256[2 * HASH_SIZE + 1];

	format_id(r->place, id);
	text_hex(sha256, r->payload_hash, HASH_SIZE);
	keep(&w->erased, &w->erased_n, id, sha256);
}

static bool
has(const struct verify_erased *all, size_t n, const struct verify_erased *x)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].id, x->id) == 0 &&
		    strcmp(all[i].sha256, x->sha256) == 0)
			return true;
	return false;
}

/* The record of an order is there and has its bytes. */
static bool
is_there(struct verify_walk *w, const struct verify_erased *order)
{
	struct format_record r;
	const char *metadata;
	struct err e;

	return archive_find(&w->a, order->id, &r, &metadata, &e) == 0 &&
	       r.state == FORMAT_WHOLE;
}

/* Somebody erases or prunes this moment. */
static bool
is_maintained(struct verify_walk *w)
{
	int fd = fsio_openat(w->a.dir, MAINTAIN_LOCK, O_RDONLY, 0);
	const bool is = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

	fsio_close(&fd);
	return is;
}

/* Asked for first: who ends between the two questions has done it. */
static void
compare_order(struct verify_walk *w, const struct verify_erased *order)
{
	const bool busy = is_maintained(w);

	if (!is_there(w, order))
		return;
	if (busy)
		verify_note(w, "%s: it is being erased", order->id);
	else
		verify_wrong(w, "%s: it was to be erased and is still there; "
			     "erase it again", order->id);
}

static void
compare_erased(struct verify_walk *w)
{
	for (size_t i = 0; i < w->erased_n; i++)
		if (!has(w->orders, w->orders_n, &w->erased[i]))
			verify_wrong(w, "%s: its bytes are gone, and no record "
				     "says why", w->erased[i].id);
	for (size_t i = 0; i < w->orders_n; i++)
		if (!has(w->erased, w->erased_n, &w->orders[i]))
			compare_order(w, &w->orders[i]);
}

static const struct control_segment *
find_pruned(const struct verify_walk *w, uint32_t number)
{
	for (size_t i = w->pruned_n; i > 0; i--)
		if (w->pruned[i - 1]->number == (int64_t)number)
			return w->pruned[i - 1];
	return NULL;
}

/* What lies before the first segment that is there. */
static void
compare_pruned(struct verify_walk *w)
{
	const uint32_t first = w->a.numbers[0];
	const struct control_segment *s = find_pruned(w, first - 1);
	struct segment *ahead = &w->a.ahead;
	char chain[2 * HASH_SIZE + 1];
	struct err e;

	if (first == 1 || segment_open(ahead, w->a.dir, first, &e) < 0)
		return;
	text_hex(chain, ahead->header.previous_chain, HASH_SIZE);
	if (s == NULL)
		verify_wrong(w, "segments 1 to %" PRIu32 " are missing, and no "
			     "record says why", first - 1);
	else if (strcmp(s->chain, chain) != 0 ||
		 (uint64_t)s->end != ahead->header.previous_end)
		verify_wrong(w, "segment %" PRIu32 " does not follow the one "
			     "that was pruned: the chain is broken", first);
	else
		verify_note(w, "segments 1 to %" PRIu32 " were pruned",
			    first - 1);
	segment_close(ahead);
}

/* A kept head that no place of the chain was. */
static void
compare_head(struct verify_walk *w)
{
	const struct format_head *h = w->v->against;
	const struct control_segment *s = find_pruned(w, h->end.segment);
	char chain[2 * HASH_SIZE + 1];

	text_hex(chain, h->chain, HASH_SIZE);
	if (memcmp(h->uuid, w->v->head.uuid, FORMAT_UUID) != 0)
		verify_wrong(w, "the head that was kept is another archive's");
	else if (w->met)
		return;
	else if (h->end.segment >= w->a.numbers[0])
		verify_wrong(w, "segment %" PRIu32 " has no record that ends "
			     "at %" PRIu64 ", where the head was kept: what "
			     "followed was cut off or replaced",
			     h->end.segment, h->end.offset);
	else if (s != NULL && (uint64_t)s->end == h->end.offset &&
		 strcmp(s->chain, chain) != 0)
		verify_wrong(w, "segment %" PRIu32 ", which was pruned, was "
			     "another one when the head was kept",
			     h->end.segment);
	else if (s == NULL || (uint64_t)s->end != h->end.offset)
		verify_note(w, "the head that was kept lies in segment %"
			    PRIu32 ", which is not there any more: it cannot "
			    "be compared", h->end.segment);
}

void
verify_compare(struct verify_walk *w)
{
	compare_erased(w);
	compare_pruned(w);
	if (w->v->against != NULL)
		compare_head(w);
}
