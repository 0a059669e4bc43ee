#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "batch-private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/* What is left to do once the ledger says DONE: remove, tell, count. */

static void
tell(const struct job *j, const struct copy *c)
{
	if (c->failed || !c->unrecorded)
		return;
	if (!c->fresh)
		log_info("duplicate key=%s ses=%s message-id=%s mailbox=%s",
			 text_show(j->object->key), j->entry.ses_id,
			 text_show(j->message_id), c->box->path);
	else if (c->state == ROW_DONE)
		log_info("delivered key=%s ses=%s message-id=%s mailbox=%s "
			 "file=%s size=%llu", text_show(j->object->key),
			 j->entry.ses_id, text_show(j->message_id),
			 c->box->path, c->name,
			 (unsigned long long)j->entry.size);
}

static enum outcome
outcome_of(const struct engine *g, const struct job *j)
{
	bool fresh = false, duplicate = j->entry.deleted, failed = false;

	for (size_t i = 0; i < j->copies_n; i++) {
		const struct copy *c = &j->copies[i];

		if (c->state == ROW_SUSPECT)
			return OUTCOME_SUSPECT;
		failed |= c->failed;
		fresh |= c->fresh;
		duplicate |= c->unrecorded && !c->fresh;
	}
	if (failed)
		return OUTCOME_DEFERRED;
	if (j->copies_n == 0 && !j->entry.deleted && !j->known)
		return OUTCOME_UNROUTED;
	if (fresh || ids_have(&g->recovered, j->entry.id))
		return OUTCOME_IMPORTED;
	if (duplicate)
		return OUTCOME_DUPLICATE;
	return j->keep ? OUTCOME_WAITING : OUTCOME_SKIPPED;
}

/* A removal that is under way; the batch may be long over when it ends. */
struct removal_ticket {
	int64_t id;		/* of the ledger's object */
	struct object object;
	struct version version;
	char texts[];		/* key and version id */
};

static void
remove_object(struct engine *g, const struct job *j)
{
	const char *version = j->version.id ? j->version.id : "";
	size_t key = strlen(j->object->key) + 1, id = strlen(version) + 1;
	struct removal_ticket *t = mem_alloc(sizeof(*t) + key + id);

	t->id = j->entry.id;
	t->object = *j->object;
	t->object.key = memcpy(t->texts, j->object->key, key);
	t->version = j->version;
	if (j->version.id != NULL)
		t->version.id = memcpy(t->texts + key, version, id);
	g->source.kind->remove(&g->source, &t->object,
			       &t->version, t); /* STEP remove */
}

/* What cannot be removed today could not be yesterday and will not be in five
 * minutes: some by name, once a day. The log has all of them. */
static void
tell_stuck(struct engine *g, const char *key, const struct err *e)
{
	static const char text[] = "%s%s is delivered and stays in the "
				   "source: %s";
	const char *url = g->source.settings->url;
	char what[32];

	report_exit(g->report, EX_TEMPFAIL);
	if (g->stuck++ == 0) {
		snprintf(what, sizeof(what), "stays %lld",
			 (long long)clock_wall() / 86400);
		g->stuck_told = !engine_first(g, what);
	}
	if (g->stuck_told || g->stuck > STUCK_NAMED)
		log_info(text, url, text_show(key), e->text);
	else
		log_problem(text, url, text_show(key), e->text);
}

void
batch_removed(void *engine, void *ticket, enum removal r, const struct err *e)
{
	struct engine *g = engine;
	struct removal_ticket *t = ticket;

	switch (r) {
	case REMOVAL_OK:
		g->report->deleted++;
		ids_add(&g->removed, t->id);
		break;
	case REMOVAL_CHANGED:
		log_info("%s was replaced meanwhile: the new one comes with "
			 "the next run", text_show(t->object.key));
		break;
	case REMOVAL_FAILED:
		tell_stuck(g, t->object.key, e);
		break;
	}
	free(t);
}

static int
may_remove(struct engine *g, const struct job *j, bool *may_r, struct err *e)
{
	*may_r = false;
	if (j->keep || g->options->keep || g->source.settings->keep ||
	    j->entry.id == 0)
		return 0;
	for (size_t i = 0; i < j->copies_n; i++)
		if (j->copies[i].failed || j->copies[i].state == ROW_SUSPECT)
			return 0;
	return ledger_settled(g->ledger, &j->entry, may_r, e);
}

static void
finish(struct engine *g, struct job *j)
{
	enum outcome o = outcome_of(g, j);

	for (size_t i = 0; i < j->copies_n; i++)
		tell(j, &j->copies[i]);
	if (o == OUTCOME_IMPORTED)
		g->report->bytes += j->entry.size;
	engine_outcome(g, j->object->key, o);
	j->finished = true;
}

static int
by_key(const void *a, const void *b)
{
	const struct job *const *one = a, *const *other = b;

	return strcmp((*one)->object->key, (*other)->object->key);
}

/* In the order of the keys: a source may have work for each folder. */
static int
remove_all(struct engine *g, struct err *e)
{
	struct job *order[BATCH_JOBS];
	size_t n = g->batch.n;
	bool may;

	for (size_t i = 0; i < n; i++)
		order[i] = &g->batch.jobs[i];
	qsort(order, n, sizeof(*order), by_key);
	for (size_t i = 0; i < n; i++) {
		if (may_remove(g, order[i], &may, e) < 0)
			return -1;
		if (may)
			remove_object(g, order[i]);
	}
	return 0;
}

int
batch_finish(struct engine *g, struct err *e)
{
	for (size_t i = 0; i < g->batch.n; i++)
		finish(g, &g->batch.jobs[i]);
	return remove_all(g, e);
}

/* Deliverers that had no mail for longest make room for others. */
static void
close_idle(struct engine *g)
{
	size_t open = 0;

	for (struct mailbox *m = g->boxes; m != NULL; m = m->next)
		open += m->state == MAILBOX_OPEN;
	while (open > MAILBOXES_OPEN) {
		struct mailbox *idle = NULL;

		for (struct mailbox *m = g->boxes; m != NULL; m = m->next)
			if (m->state == MAILBOX_OPEN &&
			    (idle == NULL || m->used < idle->used))
				idle = m;
		mailbox_close(idle);
		open--;
	}
}

void
batch_reset(struct engine *g)
{
	struct batch *b = &g->batch;
	const double now = clock_monotonic();
	bool broken = false;

	for (size_t i = 0; i < b->n; i++) {
		if (b->jobs[i].finished)
			continue;
		broken = true;
		engine_outcome(g, b->jobs[i].object->key, OUTCOME_DEFERRED);
	}
	for (struct mailbox *m = g->boxes; m != NULL; m = m->next) {
		if (m->copies_n > 0)
			m->used = now;
		/* What is staged or still to be answered is not for the next
		 * batch. */
		if (broken && m->copies_n > 0)
			mailbox_close(m);
		m->copies_n = m->answered = 0;
	}
	b->n = b->boxes = 0;
	b->full = false;
	b->bytes = b->flying_bytes = 0;
	b->flying = 0;
	arena_free(&b->arena);
	close_idle(g);
}
