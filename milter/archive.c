#include <config.h>

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alive.h"
#include "archive.h"
#include "lib/base/log.h"
#include "record.h"
#include "store.h"

/* One archive and what it is asked. */
struct request {
	const struct vault *archive;
	bool required;
	bool *wanted;	/* by recipient; NULL: all, without a rule */
};

struct requests {
	struct request *all;
	size_t n;
};

static struct request *
request_of(struct requests *q, const struct vault *archive, size_t n,
	   struct arena *a)
{
	struct request *r = q->all;

	while (r < q->all + q->n && r->archive != archive)
		r++;
	if (r == q->all + q->n) {
		*r = (struct request){ .archive = archive };
		r->wanted = arena_alloc(a, n + 1);
		q->n++;
	}
	return r;
}

/* Of one that several rules ask the strictest counts. */
static void
collect_asked(const struct archiving *x, struct requests *q)
{
	struct message *m = &x->session->message;
	const struct verdict *v = &x->judgement->verdict;
	enum storage storage = STORAGE_REQUIRED;

	for (size_t i = 0; i < v->recipients_n; i++)
		for (size_t k = 0; k < v->recipients[i].actions_n; k++) {
			const struct vault *a = snapshot_archive(
				m->snapshot, v->recipients[i].actions[k].action,
				&storage);
			struct request *r;

			if (a == NULL)
				continue;
			r = request_of(q, a, v->recipients_n, &m->memory);
			r->wanted[i] = true;
			r->required |= storage == STORAGE_REQUIRED;
		}
}

static bool
is_taken(const struct plan *p)
{
	return p->result != RESULT_REJECTED && p->result != RESULT_TEMPFAILED;
}

static void
collect(const struct archiving *x, const struct plan *p, struct requests *q)
{
	struct message *m = &x->session->message;
	const struct snapshot *s = m->snapshot;
	struct request *r;

	q->all = arena_alloc(&m->memory,
			     (s->archives_n + 1) * sizeof(*q->all));
	if (x->judgement != NULL)
		collect_asked(x, q);
	if (s->rest_archive != NULL && is_taken(p)) {
		r = request_of(q, s->rest_archive, m->recipients_n,
			       &m->memory);
		r->required |= s->settings.archive->storage ==
			STORAGE_REQUIRED;
		r->wanted = NULL;
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *
lower(const char *s, struct arena *a)
{
	char *copy = arena_strdup(a, s);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

/* The same message from the same sender for the same people, whatever was
 * written above it on its way here. */
static void
make_key(struct message *m, const bool *wanted, uint8_t key[HASH_SIZE])
{
	const char **all = arena_alloc(&m->memory, (m->recipients_n + 1) *
				       sizeof(*all));
	struct hash h = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < m->recipients_n; i++)
		if (wanted == NULL || wanted[i])
			all[n++] = lower(m->recipients[i], &m->memory);
	qsort(all, n, sizeof(*all), by_text);
	hash_begin(&h);
	hash_add_field(&h, m->keep.same, HASH_SIZE);
	hash_add_field(&h, m->mail_from, strlen(m->mail_from));
	for (size_t i = 0; i < n; i++)
		hash_add_field(&h, all[i], strlen(all[i]));
	hash_end(&h, key);
	hash_free(&h);
}

/* One archive's copy on its way. */
struct copy {
	const struct request *request;
	struct journal_entry entry;
	struct payload_piece memory;
	uint8_t key[HASH_SIZE];
	struct buf metadata;
	struct journal_receipt receipt;
	struct err e;
	int ret;
	bool elsewhere;		/* in a thread of its own */
	pthread_t thread;
};

static void
write_metadata(const struct archiving *x, const struct plan *p,
	       struct copy *c)
{
	struct record record = { x->session, x->judgement, p,
				 c->request->wanted };

	buf_init(&c->metadata, RECORD_MAX);
	record_write(&record, &c->metadata);
	if (!c->metadata.cut)
		return;
	/* Without the trail rather than not at all. */
	record.judgement = NULL;
	buf_clear(&c->metadata);
	record_write(&record, &c->metadata);
}

/* All that takes the message's memory, which is one thread's. */
static void
prepare(const struct archiving *x, const struct plan *p, struct copy *c)
{
	struct message *m = &x->session->message;
	struct payload_source source;

	write_metadata(x, p, c);
	make_key(m, c->request->wanted, c->key);
	c->ret = bulk_source(&m->keep.bulk, &source, &c->memory,
			     &c->receipt.full, &c->e);
	if (c->ret == 0 && c->metadata.cut)
		c->ret = err_set(&c->e, ERR_PERM, "what is known of it is too "
				 "long");
	c->entry = (struct journal_entry){
		.time_us = x->time_us, .key = c->key,
		.metadata = c->metadata.data, .metadata_n = c->metadata.len,
		.pieces = source.pieces, .pieces_n = source.pieces_n,
		.file = source.file, .file_n = source.file_n,
	};
}

static void *
append(void *copy)
{
	struct copy *c = copy;

	if (c->ret == 0)
		c->ret = journal_append(c->request->archive->store->journal,
					&c->entry, &c->receipt, &c->e);
	return NULL;
}

/* All wait at the same time. Where there is only one, and that is mostly so,
 * no thread is begun. */
static void
append_all(struct copy *all, size_t n)
{
	for (size_t i = 1; i < n; i++)
		all[i].elsewhere = pthread_create(&all[i].thread, NULL, append,
						  &all[i]) == 0;
	for (size_t i = 0; i < n; i++)
		if (!all[i].elsewhere)
			append(&all[i]);
	for (size_t i = 0; i < n; i++)
		if (all[i].elsewhere)
			pthread_join(all[i].thread, NULL);
}

static void
note_stored(struct message *m, const struct store *s,
	    const struct journal_receipt *receipt, struct plan *p)
{
	p->archived[p->archived_n++] = arena_printf(&m->memory, "%s/%s",
						    s->name, receipt->id);
	counter_add(receipt->again ? s->again : s->stored, 1);
}

static const char *
name_of(const struct message *m)
{
	return *m->queue_id != '\0' ? m->queue_id : "NOQUEUE";
}

static void
conclude(struct message *m, const struct copy *c, struct plan *p)
{
	const struct request *r = c->request;

	if (c->ret == 0) {
		note_stored(m, r->archive->store, &c->receipt, p);
		return;
	}
	counter_add(r->archive->store->failed, 1);
	log_problem("%s: cannot archive in %s: %s", name_of(m),
		    r->archive->name, c->e.text);
	plan_not_archived(m, r->required, c->e.kind == ERR_PERM ? PLAN_NEVER
			  : c->receipt.full ? PLAN_FULL : PLAN_LATER, p);
}

void
archive_message(const struct archiving *x, struct plan *p)
{
	struct message *m = &x->session->message;
	struct requests q = { NULL, 0 };
	struct alive alive = { .name = name_of(m), .tell = x->tick,
			       .arg = x->arg };
	struct copy *all;

	if (!m->keep.on || p->result == RESULT_TEMPFAILED)
		return;
	collect(x, p, &q);
	if (q.n == 0)
		return;
	keep_close(&m->keep);
	p->archived = arena_alloc(&m->memory, q.n * sizeof(*p->archived));
	all = arena_alloc(&m->memory, q.n * sizeof(*all));
	for (size_t i = 0; i < q.n; i++) {
		all[i].request = &q.all[i];
		prepare(x, p, &all[i]);
	}
	alive.seconds = (unsigned)m->snapshot->settings.wait;
	alive_begin(&alive);
	append_all(all, q.n);
	alive_end(&alive);
	for (size_t i = 0; i < q.n; i++) {
		conclude(m, &all[i], p);
		buf_free(&all[i].metadata);
	}
}
