#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch-private.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/* An object on its way into the batch: planned, named, sent to the stages. */

/* Lines in front of the mail: what Postfix would have added, and ours. */
static size_t
added_lines(const struct job *j, const struct received *r, const char *id,
	    char *out, size_t room)
{
	int n = 0;

	if (r->recipient[0] != '\0')
		n = snprintf(out, room, "Delivered-To: %s\n"
			     "X-Original-To: %s\n", r->recipient,
			     r->recipient);
	n += snprintf(out + n, room - (size_t)n,
		      "X-FallbackMX: route=fallback; id=%s%s%s\n", id,
		      j->entry.ses_id[0] ? "; ses=" : "", j->entry.ses_id);
	return (size_t)n;
}

/* Makes the name and the added lines; returns the bytes of the lines. */
static uint32_t
name_file(struct copy *c, const struct job *j, const struct spool *s,
	  bool verbatim, char *lines, size_t room)
{
	char id[DELIVERY_ID_LEN + 1];

	engine_file_id(j->entry.oid, id);
	c->added = 0;
	if (!verbatim)
		c->added = (uint32_t)added_lines(j, &s->received, id, lines,
						 room);
	/* ,S= is Maildir++'s size in the name: quota without stat(2). */
	snprintf(c->name, sizeof(c->name), "%lld.F%s.fallbackmx,S=%llu",
		 (long long)j->entry.arrival, id,
		 (unsigned long long)(c->added + s->content_size));
	return c->added;
}

static int
send_copy(struct engine *g, struct job *j, struct copy *c,
	  const struct spool *s, struct err *e)
{
	const bool verbatim = g->source.settings->verbatim;
	struct delivery_request q = {
		.op = DELIVERY_PUT, .size = s->size,
		.mtime = j->entry.arrival,
		.flags = verbatim ? DELIVERY_VERBATIM : 0,
	};
	char lines[DELIVERY_ADDED_MAX];
	struct mailbox *m = c->box;

	if (!m->marked && engine_write_mark(g, m, e) < 0)
		return -1;
	q.added = name_file(c, j, s, verbatim, lines, sizeof(lines));
	memcpy(q.name, c->name, sizeof(q.name));
	if (mailbox_send(m, &q, lines, q.added, s->fd, e) < 0)
		return -1;
	if (m->copies_n == 0)
		g->batch.boxes++;
	m->copies[m->copies_n++] = c;
	if (m->copies_n == DELIVERY_BATCH_MAX)
		g->batch.full = true;
	g->batch.flying++;
	g->batch.flying_bytes += s->size;
	return 0;
}

/* In the Maildir already, though the ledger does not know. */
static int
find_delivered(struct engine *g, struct copy *c, const struct job *j,
	       struct err *e)
{
	const char *where = names_find(&c->box->delivered,
				       delivery_name_id(c->name));
	bool same = false;

	if (where != NULL)
		batch_answers(g, c->box);
	if (where != NULL &&
	    mailbox_holds(c->box, where, c->added, j->entry.content_size,
			  j->entry.content, &same, e) < 0)
		return -1;
	if (same) {
		c->state = ROW_DONE;
		c->unrecorded = true;
	}
	return 0;
}

static int
stage_copy(struct engine *g, struct job *j, struct copy *c,
	   const struct spool *s, struct err *e)
{
	const bool verbatim = g->source.settings->verbatim;
	char lines[DELIVERY_ADDED_MAX];

	if (c->box->row.search) {
		name_file(c, j, s, verbatim, lines, sizeof(lines));
		if (find_delivered(g, c, j, e) < 0)
			return -1;
		if (c->state == ROW_DONE)
			return 0;
	}
	batch_collect(g, FLIGHT_COPIES - 1, s->size < FLIGHT_BYTES
					  ? FLIGHT_BYTES - s->size : 0);
	if (c->box->state != MAILBOX_OPEN)
		return err_set(e, ERR_TEMP, "failed meanwhile");
	if (send_copy(g, j, c, s, e) < 0)
		return -1;
	c->state = ROW_INTENT;
	c->fresh = c->unrecorded = true;
	return 0;
}

/* What the ledger says of this copy; opens the mailbox when it must. */
static int
look_up(struct engine *g, struct job *j, struct copy *c, struct err *e)
{
	struct ledger *l = g->ledger;
	enum row_state twin;

	if (ledger_state(l, j->entry.id, c->box->row.id, &c->state, e) < 0)
		return -1;
	if (c->state == ROW_DONE || c->state == ROW_DUPLICATE)
		return 0;
	if (recover_open(g, c->box, e) < 0)
		return -1;
	if (ledger_state(l, j->entry.id, c->box->row.id, &c->state, e) < 0)
		return -1;
	if (c->state != ROW_NONE)
		return 0;
	if (ledger_twin(l, &j->entry, c->box->row.id, &twin, e) < 0)
		return -1;
	if (twin != ROW_NONE) {
		c->state = ROW_DUPLICATE;
		c->unrecorded = true;
	}
	return 0;
}

/* ERR_STOP only; a mailbox that has trouble makes the copy failed. */
static int
plan_copy(struct engine *g, struct job *j, struct copy *c,
	  const struct spool *s, struct err *e)
{
	if (look_up(g, j, c, e) < 0) {
		c->failed = true;
		return e->kind == ERR_STOP ? -1 : 0;
	}
	if (c->state != ROW_NONE || stage_copy(g, j, c, s, e) == 0)
		return 0;
	c->failed = true;
	if (e->kind == ERR_STOP)
		return -1;
	if (c->box->state == MAILBOX_OPEN)
		batch_box_failed(g, c->box, e);
	return 0;
}

/* Adds a copy; none when it would be the second one to the same Maildir. */
static int
plan_target(struct engine *g, struct job *j, const struct target *t,
	    const struct spool *s, struct err *e)
{
	struct copy *c = &j->copies[j->copies_n];

	*c = (struct copy){ .job = j };
	if (engine_mailbox(g, g->source_index, t, &c->box, e) < 0) {
		if (e->kind == ERR_TEMP) {
			c->failed = true;
			j->copies_n++;
		}
		return -1;
	}
	if (j->copies_n > 0 && c->box == j->copies[0].box)
		return 0;
	j->copies_n++;
	return plan_copy(g, j, c, s, e);
}

static int
plan(struct engine *g, struct job *j, const struct spool *s, struct err *e)
{
	const struct source_settings *src = g->source.settings;
	const struct target catch_all = { .route = src->routes_n };
	struct targets t;

	recipients_route(src, j->object->key, s->received.recipient, &t);
	j->keep = t.keep;
	/* One that came back is not delivered again. */
	for (size_t i = 0; !j->entry.deleted && i < t.n; i++) {
		if (plan_target(g, j, &t.list[i], s, e) == 0)
			continue;
		if (e->kind == ERR_STOP)
			return -1;
		/* No such user: as if no line had fitted. */
		if (e->kind == ERR_PERM && src->catch_all != NULL &&
		    plan_target(g, j, &catch_all, s, e) < 0 &&
		    e->kind == ERR_STOP)
			return -1;
	}
	return 0;
}

/* A job that outlives what the source says of its object. */
static void
begin_job(struct engine *g, struct job *j, const struct object *o,
	  const struct version *v, const uint8_t oid[HASH_SIZE])
{
	struct arena *a = &g->batch.arena;
	struct object *mine = arena_alloc(a, sizeof(*mine));

	*mine = *o;
	mine->key = arena_strdup(a, o->key);
	mine->etag = arena_strdup(a, v->etag);
	*j = (struct job){ .object = mine, .version = *v };
	if (v->id != NULL)
		j->version.id = arena_strdup(a, v->id);
	j->entry = (struct ledger_object){
		.key = mine->key, .etag = mine->etag, .ses_id = "",
	};
	j->message_id = "";
	memcpy(j->entry.oid, oid, HASH_SIZE);
}

static int
identify(struct engine *g, struct job *j, const struct object *o,
	 const struct spool *s, const struct version *v,
	 const uint8_t oid[HASH_SIZE], struct err *e)
{
	struct arena *a = &g->batch.arena;

	begin_job(g, j, o, v, oid);
	j->entry.ses_id = arena_strdup(a, s->received.id);
	j->entry.size = s->size;
	j->entry.content_size = s->content_size;
	j->entry.arrival = engine_arrival(o, s);
	j->message_id = arena_strdup(a, s->message_id);
	memcpy(j->entry.body, s->body, HASH_SIZE);
	memcpy(j->entry.content, s->content, HASH_SIZE);
	if (ledger_read(g->ledger, e) < 0)
		return -1;
	if (ledger_find(g->ledger, j->entry.oid, &j->entry, e) < 0)
		return -1;
	if (j->entry.id != 0)
		ids_add(&g->seen, j->entry.id);
	return 0;
}

/* -1 also when something is not at its end. */
static int
all_done(struct engine *g, const struct object *o,
	 const struct ledger_object *entry, struct err *e)
{
	const struct source_settings *src = g->source.settings;
	struct targets t;
	bool settled;

	if (ledger_settled(g->ledger, entry, &settled, e) < 0 || !settled)
		return -1;
	recipients_route(src, o->key, "", &t);
	for (size_t i = 0; !entry->deleted && i < t.n; i++) {
		enum row_state state;
		struct mailbox *m;

		if (engine_mailbox(g, g->source_index, &t.list[i], &m, e) < 0 ||
		    ledger_state(g->ledger, entry->id, m->row.id, &state,
				 e) < 0 || state != ROW_DONE)
			return -1;
	}
	return 0;
}

/* Who gets it must be in the key: all else is known from the bytes only. */
bool
batch_wants(void *engine, const struct object *o)
{
	struct engine *g = engine;
	struct ledger_object entry = { .key = o->key, .ses_id = "" };
	struct err e;

	if (g->options->audit)	/* compares names and ETags */
		return false;
	if (g->ledger == NULL || g->options->dry_run ||
	    g->source.settings->authority != AUTHORITY_MAILBOX)
		return true;
	engine_oid(g, o->key, o->etag, o->size, entry.oid);
	return ledger_read(g->ledger, &e) < 0 ||
	       ledger_find(g->ledger, entry.oid, &entry, &e) < 0 ||
	       entry.id == 0 || all_done(g, o, &entry, &e) < 0;
}

/* The same mail is in this batch already, under another key; or the same
 * object, from the place of a killed removal. */
static bool
has_twin(const struct batch *b, const struct spool *s,
	 const uint8_t oid[HASH_SIZE])
{
	for (size_t i = 0; i < b->n; i++) {
		const struct ledger_object *o = &b->jobs[i].entry;

		if (memcmp(o->oid, oid, HASH_SIZE) == 0)
			return true;
		if (s->received.id[0] != '\0' &&
		    strcmp(o->ses_id, s->received.id) == 0 &&
		    memcmp(o->body, s->body, HASH_SIZE) == 0)
			return true;
	}
	return false;
}

static bool
is_full(const struct batch *b)
{
	return b->full || b->n == BATCH_JOBS || b->bytes >= BATCH_BYTES ||
	       b->boxes > BATCH_BOXES - TARGETS_MAX ||
	       clock_monotonic() - b->begun >= BATCH_SECONDS;
}

int
batch_add(struct engine *g, const struct object *o, struct spool *s,
	  const struct version *v, struct err *e)
{
	struct batch *b = &g->batch;
	uint8_t oid[HASH_SIZE];
	struct job *j;
	int r = 0;

	engine_oid(g, o->key, v->etag, s->size, oid);
	if (has_twin(b, s, oid))
		r = batch_flush(g, e);
	if (b->n == 0)
		b->begun = clock_monotonic();
	j = &b->jobs[b->n];
	if (r == 0)
		r = identify(g, j, o, s, v, oid, e);
	if (r == 0) {
		b->n++;
		b->bytes += s->size;
		r = plan(g, j, s, e);
	}
	fsio_close(&s->fd);
	if (r < 0)
		return -1;
	return is_full(b) ? batch_flush(g, e) : 0;
}

int
batch_add_known(struct engine *g, const struct object *o, struct err *e)
{
	struct batch *b = &g->batch;
	struct version v = { .id = NULL };
	uint8_t oid[HASH_SIZE];
	struct job *j = &b->jobs[b->n];

	snprintf(v.etag, sizeof(v.etag), "%s", o->etag);
	engine_oid(g, o->key, v.etag, o->size, oid);
	if (b->n == 0)
		b->begun = clock_monotonic();
	begin_job(g, j, o, &v, oid);
	j->entry.size = o->size;
	j->known = true;
	if (ledger_read(g->ledger, e) < 0 ||
	    ledger_find(g->ledger, oid, &j->entry, e) < 0)
		return -1;
	ids_add(&g->seen, j->entry.id);
	b->n++;
	return is_full(b) ? batch_flush(g, e) : 0;
}
