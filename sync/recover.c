#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine-private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/*
 * What an earlier run left half done in one mailbox. The stage is the witness:
 * an INTENT whose file is not there was renamed, whatever the user has done
 * with the mail since; one whose file is there was not (docs/internals.md).
 */
struct recovery {
	struct engine *engine;
	struct mailbox *box;
	struct arena arena;
	bool trusted;		/* the stage is as new as the ledger */
	bool foreign;		/* it is another ledger's, to be taken over */
	struct names staged;
	struct ledger_row *rows;	/* in INTENT */
	size_t rows_n;
	enum row_state *becomes;	/* per row */
};

static int
foreign(struct mailbox *m, const char *uuid, struct err *e)
{
	return err_stop(e, EX_CONFIG, "%s belongs to another ledger (%s): if "
			"that state directory is lost or no longer used, run "
			"once with --take-over; mail that is in the Maildir "
			"is recognised", m->path, uuid);
}

/* Compares the mark in the stage with what the ledger knows. */
static int
judge_mark(struct recovery *r, const struct answer *hello, struct err *e)
{
	struct mailbox *m = r->box;
	const char *ours = ledger_uuid(r->engine->ledger);
	bool ok = strcmp(hello->a.uuid, ours) == 0;

	r->foreign = hello->a.uuid[0] != '\0' && !ok;
	if (r->foreign && !r->engine->options->take_over)
		return foreign(m, hello->a.uuid, e);
	m->mark = ok ? hello->a.generation : 0;
	r->trusted = m->mark >= m->row.generation;
	/* Unless both are of the same moment, one of them is new, restored or
	 * taken over: what is in the Maildir may not be in the ledger. That
	 * stays so, for objects that this run does not come to. */
	if (m->mark != m->row.generation || m->row.generation == 0)
		m->row.search = m->touched = true;
	if (!m->row.search || m->delivered.data != NULL)
		return 0;
	if (mailbox_list(m, false, &m->delivered, e) < 0)
		return -1;
	m->row.search = m->delivered.n > 0;
	return 0;
}

/* The state of a row whose stage is not to be believed. */
static int
judge_by_search(struct recovery *r, const struct ledger_row *row,
		enum row_state *state_r, struct err *e)
{
	const char *id = delivery_name_id(row->name);
	const char *where = id ? names_find(&r->box->delivered, id) : NULL;
	bool same = false;

	if (where != NULL &&
	    mailbox_holds(r->box, where, row->added, row->content_size,
			  row->content, &same, e) < 0)
		return -1;
	*state_r = same ? ROW_DONE : ROW_NONE;
	return 0;
}

/* Renames what is still staged. What is not was renamed, whether the user has
 * left it in new/ or not. */
static int
judge_by_rename(struct recovery *r, size_t from, size_t n, struct err *e)
{
	const char *names[DELIVERY_BATCH_MAX] = { NULL };
	struct answer w;

	for (size_t i = 0; i < n; i++)
		names[i] = r->rows[from + i].name;
	if (mailbox_names(r->box, DELIVERY_COMMIT, names, n, &w, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		r->becomes[from + i] = ROW_DONE;
		if (w.status[i] != DELIVERY_EXISTS)
			continue;
		log_problem("%s: another file has the name new/%s; %s stays "
			    "in the source", r->box->path, names[i],
			    text_show(r->rows[from + i].key));
		r->becomes[from + i] = ROW_NONE;
	}
	return 0;
}

/* Finds out what each row becomes. */
static int
judge_rows(struct recovery *r, struct err *e)
{
	for (size_t i = 0; !r->trusted && i < r->rows_n; i++)
		if (judge_by_search(r, &r->rows[i], &r->becomes[i], e) < 0)
			return -1;
	for (size_t i = 0; r->trusted && i < r->rows_n;
	     i += DELIVERY_BATCH_MAX) {
		size_t n = r->rows_n - i;

		if (n > DELIVERY_BATCH_MAX)
			n = DELIVERY_BATCH_MAX;
		if (judge_by_rename(r, i, n, e) < 0)
			return -1;
	}
	return 0;
}

static int
record(struct recovery *r, struct err *e)
{
	struct ledger *l = r->engine->ledger;

	if (ledger_begin(l, e) < 0)
		return -1;
	for (size_t i = 0; i < r->rows_n; i++) {
		int s = 0;

		if (r->becomes[i] == ROW_NONE)
			s = ledger_forget(l, &r->rows[i], e);
		else
			s = ledger_move(l, &r->rows[i], ROW_INTENT,
					r->becomes[i], e);
		if (s < 0)
			return -1;
	}
	return ledger_commit(l, e); /* STEP recover-done */
}

/* Everything that is in the stage and that no INTENT speaks for. */
static int
drop_leftovers(struct recovery *r, struct err *e)
{
	const char *names[DELIVERY_BATCH_MAX];
	struct answer w;
	size_t n = 0;

	for (size_t i = 0; i < r->staged.n; i++) {
		names[n++] = r->staged.list[i];
		if (n < DELIVERY_BATCH_MAX && i + 1 < r->staged.n)
			continue;
		if (mailbox_names(r->box, DELIVERY_DROP, names, n, &w, e) < 0)
			return -1;
		n = 0;
	}
	return 0;
}

static void
tell(struct recovery *r)
{
	for (size_t i = 0; i < r->rows_n; i++) {
		const struct ledger_row *row = &r->rows[i];

		if (r->becomes[i] == ROW_DONE) {
			ids_add(&r->engine->recovered, row->object);
			log_info("delivered key=%s mailbox=%s file=%s "
				 "recovered=yes", text_show(row->key),
				 r->box->path, row->name);
		} else if (r->becomes[i] == ROW_SUSPECT) {
			log_problem("%s: %s may not be on disk: a sync failed "
				    "after its delivery; it stays in the "
				    "source", r->box->path,
				    text_show(row->key));
		}
	}
}

static int
sync_renames(struct mailbox *m, struct answer *w_r, struct err *e)
{
	return mailbox_ask(m, DELIVERY_SYNC, DELIVERY_RENAMED, w_r, NULL, e);
}

static int
finish_intents(struct recovery *r, struct err *e)
{
	struct answer w = { .a.status = DELIVERY_OK };
	int synced;

	r->becomes = arena_alloc(&r->arena,
				 (r->rows_n + 1) * sizeof(*r->becomes));
	if (judge_rows(r, e) < 0)
		return -1;
	/* The renames of the run before us may be in memory only. */
	synced = sync_renames(r->box, &w, e); /* STEP recover-sync */
	if (synced < 0) {
		if (w.a.status != DELIVERY_FAILED)
			return -1;
		for (size_t i = 0; i < r->rows_n; i++)
			if (r->becomes[i] == ROW_DONE)
				r->becomes[i] = ROW_SUSPECT;
		report_exit(r->engine->report, EX_IOERR);
	}
	if (record(r, e) < 0)
		return -1;
	tell(r);
	return 0;
}

static int
review(struct recovery *r, const struct ledger_row *row,
       const struct names *now, size_t *cleared, struct err *e)
{
	struct ledger *l = r->engine->ledger;
	const char *id = delivery_name_id(row->name);
	const char *where = id ? names_find(now, id) : NULL;
	bool same = false;

	if (id == NULL || strcmp(row->boot, clock_boot_id()) == 0)
		return 0;
	if (where == NULL) {
		/* Back in the stage: the rename never reached the disk. */
		return names_find(&r->staged, id) == NULL
		     ? 0 : ledger_forget(l, row, e);
	}
	if (mailbox_holds(r->box, where, row->added, row->content_size,
			  row->content, &same, e) < 0)
		return -1;
	*cleared += same;
	return same ? ledger_move(l, row, ROW_SUSPECT, ROW_DONE, e) : 0;
}

/*
 * SUSPECT: a sync failed after the rename, and the kernel may have dropped the
 * pages. Only after a reboot does the disk tell what it has.
 */
static int
review_suspects(struct recovery *r, struct err *e)
{
	struct ledger *l = r->engine->ledger;
	struct names now = { .n = 0 };
	struct ledger_row *rows;
	size_t n, cleared = 0;

	if (ledger_rows(l, r->box->row.id, ROW_SUSPECT, &r->arena, &rows, &n,
			e) < 0)
		return -1;
	if (n == 0)
		return 0;
	if (mailbox_list(r->box, false, &now, e) < 0 ||
	    ledger_begin(l, e) < 0)
		goto failed;
	for (size_t i = 0; i < n; i++)
		if (review(r, &rows[i], &now, &cleared, e) < 0)
			goto failed;
	names_free(&now);
	if (cleared > 0)
		log_info("%s: %zu suspect deliveries are on disk", r->box->path,
			 cleared);
	return ledger_commit(l, e);
failed:
	names_free(&now);
	ledger_rollback(l);
	return -1;
}

/* A stage of another ledger becomes ours at once, not with the next mail. */
static int
take_over(struct recovery *r, struct err *e)
{
	struct mailbox *m = r->box;
	struct answer w;

	if (!r->foreign)
		return 0;
	log_info("%s is taken over from another ledger", m->path);
	if (mailbox_mark(m, ledger_uuid(r->engine->ledger), e) < 0 ||
	    mailbox_ask(m, DELIVERY_SYNC, 0, &w, NULL, e) < 0)
		return -1;
	return ledger_begin(r->engine->ledger, e) < 0 ||
	       engine_put_mailbox(r->engine, m, e) < 0
	     ? -1 : ledger_commit(r->engine->ledger, e);
}

static int
recover(struct recovery *r, struct err *e)
{
	struct answer hello;

	if (mailbox_start(r->box, &r->engine->spawner, false, &hello, e) < 0)
		return -1;
	r->box->state = MAILBOX_OPEN;
	if (judge_mark(r, &hello, e) < 0 ||
	    mailbox_list(r->box, true, &r->staged, e) < 0)
		return -1;
	if (ledger_rows(r->engine->ledger, r->box->row.id, ROW_INTENT,
			&r->arena, &r->rows, &r->rows_n, e) < 0)
		return -1;
	if (r->rows_n > 0 && finish_intents(r, e) < 0)
		return -1;
	if (review_suspects(r, e) < 0 || drop_leftovers(r, e) < 0)
		return -1;
	/* Under the stage's lock: from here on nobody else writes rows of
	 * this mailbox, and the moment of the questions is now. */
	ledger_rollback(r->engine->ledger);
	return take_over(r, e);
}

int
recover_open(struct engine *g, struct mailbox *m, struct err *e)
{
	struct recovery r = { .engine = g, .box = m };
	int s;

	if (m->state == MAILBOX_OPEN)
		return 0;
	if (m->state == MAILBOX_FAILED)
		return err_set(e, ERR_TEMP, "%s failed before", m->path);
	s = recover(&r, e);
	names_free(&r.staged);
	arena_free(&r.arena);
	if (s == 0)
		return 0;
	ledger_rollback(g->ledger);
	/* A foreign mark stops this mailbox only. */
	if (e->kind == ERR_STOP && e->code != EX_CONFIG)
		return -1;
	engine_mailbox_failed(g, m, e);
	e->kind = ERR_TEMP;
	return -1;
}

int
recover_all(struct engine *g, struct err *e)
{
	struct arena a = { .head = NULL };
	struct ledger_mailbox *rows;
	size_t n;
	int r = ledger_mailboxes(g->ledger, &a, &rows, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct mailbox *m;

		if (!rows[i].open)
			continue;
		r = engine_known_mailbox(g, &rows[i], &m, e);
		if (r == 0 && m == NULL)
			log_problem("deliveries to %s were interrupted, and "
				    "no mailbox of this run is that Maildir: "
				    "they wait", rows[i].path);
		else if (r == 0)
			r = recover_open(g, m, e);
		if (r < 0 && e->kind != ERR_STOP)
			r = 0;
	}
	arena_free(&a);
	return r;
}
