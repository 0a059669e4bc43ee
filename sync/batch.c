#include <config.h>

#include <string.h>
#include <sysexits.h>

#include "batch-private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/*
 * The order of this file is the promise (docs/internals.md, "Exactly once"):
 * stage, sync, INTENT, rename, sync, DONE, remove. What can fail stands before
 * what cannot be undone.
 */

#define REFUSED_MAX 20		/* mails, before the mailbox is given up */
#define ANSWER_MS ((DELIVERY_ALARM + 10) * 1000)

static void
landed(struct engine *g, const struct copy *c)
{
	g->batch.flying--;
	g->batch.flying_bytes -= c->job->entry.size;
}

void
batch_box_failed(struct engine *g, struct mailbox *m, const struct err *e)
{
	engine_mailbox_failed(g, m, e);
	for (size_t i = 0; i < m->copies_n; i++)
		m->copies[i]->failed = true;
	for (; m->answered < m->copies_n; m->answered++)
		landed(g, m->copies[m->answered]);
}

/* The answer to the oldest PUT of m that is still due. */
static void
take_answer(struct engine *g, struct mailbox *m)
{
	struct copy *c = m->copies[m->answered];
	struct job *j = c->job;
	struct answer w;
	struct err e;

	m->answered++;
	landed(g, c);
	if (mailbox_receive(m, DELIVERY_PUT, &w, NULL, &e) < 0) {
		c->failed = true;
		if (w.a.status == DELIVERY_FAILED && m->refused++ < REFUSED_MAX)
			log_problem("%s waits: %s", text_show(j->object->key),
				    e.text);
		else
			batch_box_failed(g, m, &e);
	} else if (w.a.size != c->added + j->entry.content_size) {
		err_set(&e, ERR_TEMP, "the deliverer has stored another "
			"number of bytes");
		batch_box_failed(g, m, &e);
	}
}

void
batch_answers(struct engine *g, struct mailbox *m)
{
	while (m->answered < m->copies_n)
		take_answer(g, m);
}

void
batch_collect(struct engine *g, size_t copies, uint64_t bytes)
{
	while (g->batch.flying > copies || g->batch.flying_bytes > bytes) {
		struct pollfd p[DELIVERY_BATCH_MAX];
		struct mailbox *of[DELIVERY_BATCH_MAX];
		nfds_t n = 0;
		struct err e;

		for (struct mailbox *m = g->boxes; m != NULL; m = m->next) {
			if (m->answered == m->copies_n)
				continue;
			p[n] = (struct pollfd){ .fd = m->sock,
						.events = POLLIN };
			of[n++] = m;
		}
		/* Nobody answers: the first one waits longest. */
		if (g->source.kind->wait(&g->source, p, n, ANSWER_MS) == 0) {
			err_set(&e, ERR_TEMP, "no answer for %d s: is its "
				"file system there?", ANSWER_MS / 1000);
			batch_box_failed(g, of[0], &e);
			continue;
		}
		for (nfds_t i = 0; i < n; i++)
			if (p[i].revents != 0)
				take_answer(g, of[i]);
	}
}

static bool
is_live(const struct mailbox *m)
{
	return m->state == MAILBOX_OPEN && m->copies_n > 0;
}

/* After the rename a failed sync leaves mails that may not be on disk. */
static void
suspect(struct engine *g, struct mailbox *m, const struct err *e)
{
	for (size_t i = 0; i < m->copies_n; i++)
		if (m->copies[i]->committed == DELIVERY_OK)
			m->copies[i]->state = ROW_SUSPECT;
	report_exit(g->report, EX_IOERR);
	engine_mailbox_failed(g, m, e);
}

/* All mailboxes sync at the same time; one that fails fails alone. */
static void
sync_all(struct engine *g, uint32_t flags)
{
	struct delivery_request q = { .op = DELIVERY_SYNC, .flags = flags };
	struct answer w;
	struct err e;

	for (struct mailbox *m = g->boxes; m != NULL; m = m->next)
		if (is_live(m) && mailbox_send(m, &q, NULL, 0, -1, &e) < 0)
			batch_box_failed(g, m, &e);
	for (struct mailbox *m = g->boxes; m != NULL; m = m->next) {
		struct pollfd p = { .fd = m->sock, .events = POLLIN };

		if (!is_live(m))
			continue;
		/* Disks are slow: the source's own work goes on meanwhile. */
		g->source.kind->wait(&g->source, &p, 1, ANSWER_MS);
		if (mailbox_receive(m, DELIVERY_SYNC, &w, NULL, &e) == 0)
			continue;
		/* A deliverer that only died leaves INTENT: recoverable. */
		if (flags == DELIVERY_RENAMED && w.a.status == DELIVERY_FAILED)
			suspect(g, m, &e);
		else
			batch_box_failed(g, m, &e);
	}
}

int
batch_mark_removed(struct engine *g, struct err *e)
{
	const int64_t now = clock_wall();

	for (size_t i = 0; i < g->removed.n; i++)
		if (ledger_deleted(g->ledger, g->removed.list[i], now, e) < 0)
			return -1;
	g->removed.n = 0;
	return 0;
}

static int
put_rows(struct engine *g, struct job *j, struct err *e)
{
	for (size_t i = 0; i < j->copies_n; i++) {
		struct copy *c = &j->copies[i];
		struct ledger_row row = {
			.state = c->state, .name = c->name,
			.added = c->added, .boot = clock_boot_id(),
		};

		if (!c->unrecorded || c->failed)
			continue;
		if (j->entry.id == 0) {
			if (ledger_add(g->ledger, g->source_id, &j->entry,
				       e) < 0)
				return -1;
			ids_add(&g->seen, j->entry.id);
		}
		row.object = j->entry.id;
		row.mailbox = c->box->row.id;
		if (ledger_put(g->ledger, &row, e) < 0)
			return -1;
	}
	return 0;
}

/* The mailboxes' rows, with the generation of the mark in their stage. */
static int
put_mailboxes(struct engine *g, struct err *e)
{
	for (struct mailbox *m = g->boxes; m != NULL; m = m->next)
		if (m->touched && engine_put_mailbox(g, m, e) < 0)
			return -1;
	return 0;
}

static bool
has_unrecorded(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->jobs[i].copies_n; k++)
			if (b->jobs[i].copies[k].unrecorded &&
			    !b->jobs[i].copies[k].failed)
				return true;
	return false;
}

static int
write_intents(struct engine *g, struct err *e)
{
	if (ledger_begin(g->ledger, e) < 0 ||
	    batch_mark_removed(g, e) < 0 || put_mailboxes(g, e) < 0)
		return -1;
	for (size_t i = 0; i < g->batch.n; i++)
		if (put_rows(g, &g->batch.jobs[i], e) < 0)
			return -1;
	return ledger_commit(g->ledger, e); /* STEP intent */
}

/* Another file has the name: the same mail, or the admin must look. */
static void
name_taken(struct engine *g, struct mailbox *m, struct copy *c)
{
	const struct ledger_object *o = &c->job->entry;
	char where[DELIVERY_NAME_MAX + 2] = "n/";
	bool same = false;
	struct err e;

	memcpy(where + 2, c->name, strlen(c->name) + 1);
	if (mailbox_holds(m, where, c->added, o->content_size, o->content,
			  &same, &e) < 0) {
		batch_box_failed(g, m, &e);
		return;
	}
	if (same) {
		c->committed = DELIVERY_OK;
		c->leftover = true;
		return;
	}
	log_problem("%s: another file has the name new/%s: move it away; %s "
		    "stays in the source", m->path, c->name,
		    text_show(o->key));
}

static size_t
names_to_rename(const struct mailbox *m, const char *names[DELIVERY_BATCH_MAX])
{
	size_t n = 0;

	for (size_t i = 0; is_live(m) && i < m->copies_n; i++)
		if (!m->copies[i]->failed)
			names[n++] = m->copies[i]->name;
	return n;
}

static void
take_renamed(struct engine *g, struct mailbox *m)
{
	const char *names[DELIVERY_BATCH_MAX];
	size_t n = names_to_rename(m, names);
	struct answer w;
	struct err e;

	if (n == 0)
		return;
	if (mailbox_receive_names(m, DELIVERY_COMMIT, n, &w, &e) < 0) {
		/* Each name has its own fate, unless the deliverer is gone. */
		if (w.a.count != n) {
			batch_box_failed(g, m, &e);
			return;
		}
		log_problem("%s", e.text);
	}
	n = 0;
	for (size_t i = 0; i < m->copies_n; i++) {
		struct copy *c = m->copies[i];

		if (c->failed)
			continue;
		c->committed = w.status[n++];
		if (c->committed == DELIVERY_EXISTS)
			name_taken(g, m, c);
	}
}

/* All mailboxes rename at the same time. */
static void
rename_all(struct engine *g)
{
	for (struct mailbox *m = g->boxes; m != NULL; m = m->next) {
		const char *names[DELIVERY_BATCH_MAX];
		size_t n = names_to_rename(m, names);
		struct err e;

		if (n > 0 && mailbox_send_names(m, DELIVERY_COMMIT, names, n,
						&e) < 0)
			batch_box_failed(g, m, &e);
	}
	for (struct mailbox *m = g->boxes; m != NULL; m = m->next)
		take_renamed(g, m);
}

/* INTENT becomes DONE, SUSPECT, or nothing where the rename was refused. */
static int
settle_copy(struct engine *g, struct copy *c, struct err *e)
{
	struct ledger_row row = {
		.object = c->job->entry.id, .mailbox = c->box->row.id,
		.boot = clock_boot_id(),
	};

	if (!c->fresh || c->failed)
		return 0;
	if (c->committed != DELIVERY_OK) {
		c->failed = true;
		c->state = ROW_NONE;
		return ledger_forget(g->ledger, &row, e);
	}
	if (c->state == ROW_INTENT)
		c->state = ROW_DONE;
	return ledger_move(g->ledger, &row, ROW_INTENT, c->state, e);
}

static int
write_done(struct engine *g, struct err *e)
{
	struct batch *b = &g->batch;

	if (ledger_begin(g->ledger, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->jobs[i].copies_n; k++)
			if (settle_copy(g, &b->jobs[i].copies[k], e) < 0)
				return -1;
	return ledger_commit(g->ledger, e); /* STEP done */
}

/* Stage files whose INTENT is gone again. Left there they would go with the
 * next run, so a failure is no trouble. */
static void
drop_refused(struct engine *g)
{
	struct answer w;
	struct err e;

	for (struct mailbox *m = g->boxes; m != NULL; m = m->next) {
		const char *names[DELIVERY_BATCH_MAX];
		size_t n = 0;

		for (size_t i = 0; i < m->copies_n; i++)
			if (m->copies[i]->state == ROW_NONE ||
			    m->copies[i]->leftover)
				names[n++] = m->copies[i]->name;
		if (n > 0 && is_live(m) &&
		    mailbox_names(m, DELIVERY_DROP, names, n, &w, &e) < 0)
			batch_box_failed(g, m, &e);
	}
}

static int
commit(struct engine *g, struct err *e)
{
	batch_collect(g, 0, 0);
	sync_all(g, 0);
	if (!has_unrecorded(&g->batch))
		return 0;
	if (write_intents(g, e) < 0)
		return -1;
	rename_all(g);
	sync_all(g, DELIVERY_RENAMED);
	if (write_done(g, e) < 0)
		return -1;
	drop_refused(g);
	return 0;
}

int
batch_flush(struct engine *g, struct err *e)
{
	int r = 0;

	if (g->batch.n > 0)
		r = commit(g, e);
	if (r < 0)
		ledger_rollback(g->ledger);
	if (r == 0)
		r = batch_finish(g, e);
	batch_reset(g);
	return r;
}
