#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine-private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/*
 * --audit: do source, ledger and Maildirs tell the same story? Read-only, safe
 * at any time; during a run of another process it may see work in progress.
 * A mail that its user has moved or deleted is no difference.
 */

static void
difference(struct engine *g)
{
	report_exit(g->report, EX_DATAERR);
}

static int
audit_listed(struct engine *g, const struct object *o, const char *etag,
	     uint64_t size, struct ledger_object *entry, struct err *e)
{
	bool settled = false;

	engine_oid(g, o->key, etag, size, entry->oid);
	if (g->ledger != NULL &&
	    ledger_find(g->ledger, entry->oid, entry, e) < 0)
		return -1;
	if (entry->id != 0 &&
	    ledger_settled(g->ledger, entry, &settled, e) < 0)
		return -1;
	if (entry->deleted) {
		log_problem("%s%s was delivered and removed, and is there "
			    "again: the next run removes it",
			    g->source.settings->url, text_show(o->key));
		difference(g);
	}
	engine_outcome(g, o->key, settled ? OUTCOME_SKIPPED
					  : OUTCOME_WAITING);
	return 0;
}

static int
audit_object(struct engine *g, const struct object *o, struct err *e)
{
	struct ledger_object entry = { .key = o->key, .ses_id = "" };
	struct version v;
	struct spool s;

	if (engine_is_no_mail(o)) {
		engine_outcome(g, o->key, OUTCOME_SKIPPED);
		return 0;
	}
	if (o->etag != NULL)
		return audit_listed(g, o, o->etag, o->size, &entry, e);
	switch (g->source.kind->fetch(&g->source, o, &g->spooler, &s, &v,
				      e)) {
	case FETCH_OK:
		if (s.size > 0)
			break;
		engine_outcome(g, o->key, OUTCOME_SKIPPED);
		return 0;
	case FETCH_FAILED:
		engine_failed(g, o, e);
		difference(g);
		return 0;
	case FETCH_GONE:
	case FETCH_BUSY:
		engine_outcome(g, o->key, OUTCOME_WAITING);
		return 0;
	}
	entry.ses_id = s.received.id;
	memcpy(entry.body, s.body, HASH_SIZE);
	return audit_listed(g, o, v.etag, s.size, &entry, e);
}

int
audit_source(struct engine *g, struct err *e)
{
	int r = engine_each(g, audit_object, e);

	if (!g->source.complete)
		difference(g);
	return r;
}

/* A damaged ledger may hold any name. */
static const char *
file_id(const struct ledger_row *r)
{
	static const char none[DELIVERY_ID_LEN + 1] = "";
	const char *id = delivery_name_id(r->name);

	return id ? id : none;
}

/* Rows of the ledger, sorted by the id in their file's name. */
static int
by_file_id(const void *a, const void *b)
{
	const struct ledger_row *x = a, *y = b;

	return memcmp(file_id(x), file_id(y), DELIVERY_ID_LEN);
}

static const struct ledger_row *
find_row(const struct ledger_row *rows, size_t n, const char *where)
{
	struct ledger_row key = { .name = where + 2 };

	return n == 0 ? NULL
	     : bsearch(&key, rows, n, sizeof(*rows), by_file_id);
}

/* By the arrival, with which the names of ours begin. */
static bool
is_old(const char *name)
{
	return strtoll(name, NULL, 10) < clock_wall() - LEDGER_RETENTION;
}

static int
audit_file(struct engine *g, struct mailbox *m, const struct ledger_row *rows,
	   size_t n, const char *where, struct err *e)
{
	const struct ledger_row *row = find_row(rows, n, where);
	const char *dir = where[0] == 'c' ? "cur" : "new";
	bool same;

	/* After a take-over there are mails that another ledger knew; and what
	 * arrived long ago may have been forgotten since. */
	if (row == NULL && (m->row.search || is_old(where + 2)))
		return 0;
	if (row == NULL) {
		log_problem("%s/%s/%s is not in the ledger", m->path, dir,
			    text_show(where + 2));
		difference(g);
		return 0;
	}
	if (mailbox_holds(m, where, row->added, row->content_size,
			  row->content, &same, e) < 0)
		return -1;
	if (!same) {
		log_problem("%s/%s/%s is not what was delivered (%s)", m->path,
			    dir, text_show(where + 2), text_show(row->key));
		difference(g);
	}
	return 0;
}

static void
audit_doubles(struct engine *g, const struct mailbox *m,
	      const struct names *now)
{
	for (size_t i = 1; i < now->n; i++) {
		const char *a = now->list[i - 1], *b = now->list[i];

		if (memcmp(delivery_name_id(a + 2), delivery_name_id(b + 2),
			   DELIVERY_ID_LEN) != 0)
			continue;
		log_problem("%s holds one mail twice: %s and %s", m->path,
			    text_show(a), text_show(b));
		difference(g);
	}
}

/* The deliveries that are not at their end. */
static int
audit_open(struct engine *g, const struct ledger_mailbox *row, struct err *e)
{
	static const enum row_state open[] = { ROW_INTENT, ROW_SUSPECT };
	struct arena a = { .head = NULL };
	int r = 0;

	for (size_t k = 0; r == 0 && k < 2; k++) {
		struct ledger_row *rows;
		size_t n = 0;

		r = ledger_rows(g->ledger, row->id, open[k], -1, &a, &rows,
				&n, e);
		for (size_t i = 0; r == 0 && i < n; i++) {
			/* An admin has removed it: nothing is left to do. */
			if (open[k] == ROW_SUSPECT && rows[i].gone)
				continue;
			log_problem("%s: the delivery of %s is %s", row->path,
				    text_show(rows[i].key),
				    open[k] == ROW_INTENT ? "interrupted: the "
				    "next run ends it" : "suspect");
			difference(g);
		}
	}
	arena_free(&a);
	return r;
}

static int
audit_delivered(struct engine *g, struct mailbox *m, struct err *e)
{
	struct arena a = { .head = NULL };
	struct names now = { .n = 0 };
	struct ledger_row *rows = NULL;
	struct answer hello;
	size_t n = 0;
	int r;

	r = ledger_rows(g->ledger, m->row.id, ROW_DONE, -1, &a, &rows, &n,
			e);
	if (r == 0)
		r = mailbox_start(m, &g->spawner, DELIVERY_READ_ONLY, &hello,
				  e);
	if (r == 0)
		r = mailbox_list(m, false, &now, e);
	if (r == 0 && n > 0)
		qsort(rows, n, sizeof(*rows), by_file_id);
	for (size_t i = 0; r == 0 && i < now.n; i++)
		r = audit_file(g, m, rows, n, now.list[i], e);
	if (r == 0)
		audit_doubles(g, m, &now);
	mailbox_close(m);
	names_free(&now);
	arena_free(&a);
	return r;
}

int
audit_mailboxes(struct engine *g, struct err *e)
{
	struct arena a = { .head = NULL };
	struct ledger_mailbox *rows = NULL;
	size_t n = 0;
	int r = 0;

	if (g->ledger == NULL)
		return 0;
	r = ledger_mailboxes(g->ledger, &a, &rows, &n, e);
	for (size_t i = 0; r == 0 && i < n && !engine_must_stop(g); i++) {
		struct mailbox *m = NULL;

		r = audit_open(g, &rows[i], e);
		if (r < 0)
			break;
		r = engine_known_mailbox(g, &rows[i], &m, e);
		if (r == 0 && m == NULL)
			log_problem("%s is in the ledger, and no mailbox of "
				    "this run is that Maildir: not compared",
				    rows[i].path);
		else if (r == 0)
			r = audit_delivered(g, m, e);
		if (r < 0 && e->kind != ERR_STOP) {
			engine_mailbox_failed(g, m, e);
			difference(g);
			r = 0;
		}
	}
	arena_free(&a);
	return r;
}
