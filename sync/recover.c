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
	bool foreign;		/* it is another's, to be taken over */
	bool moved;		/* ... namely ours, from another path */
	struct names staged;
	struct ledger_row *rows;	/* in INTENT */
	size_t rows_n;
	enum row_state *becomes;	/* per row */
};

static int
foreign(struct mailbox *m, struct err *e)
{
	return err_stop(e, EX_CONFIG, "%s belongs to another ledger, or to "
			"this one under another name: if that state directory "
			"is lost or no longer used, or the Maildir was moved, "
			"run once with --take-over; mail that is in the "
			"Maildir is recognised", m->path);
}

/*
 * The mark is that of another mailbox of this ledger: the Maildir was moved,
 * and the rows of that mailbox are its rows.
 */
static int
follow_move(struct recovery *r, const char *mark, struct err *e)
{
	struct ledger *l = r->engine->ledger;
	struct mailbox *m = r->box;
	struct ledger_mailbox *rows;
	char its[DELIVERY_UUID_LEN + 1];
	size_t n;

	if (m->row.id != 0)
		return 0;
	if (ledger_mailboxes(l, &r->arena, &rows, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		engine_mark(r->engine, rows[i].path, its);
		if (strcmp(its, mark) != 0)
			continue;
		log_info("%s was %s before", m->path, rows[i].path);
		if (ledger_begin(l, e) < 0 ||
		    ledger_mailbox_move(l, rows[i].id, m->path, e) < 0 ||
		    ledger_commit(l, e) < 0)
			return -1;
		m->row = rows[i];
		m->row.path = m->row.user = NULL;
		r->moved = true;
		break;
	}
	return 0;
}

/* Compares the mark in the stage with what the ledger knows. */
static int
judge_mark(struct recovery *r, const struct answer *hello, struct err *e)
{
	struct mailbox *m = r->box;
	char ours[DELIVERY_UUID_LEN + 1];
	bool ok;

	engine_mark(r->engine, m->path, ours);
	ok = strcmp(hello->a.uuid, ours) == 0;
	r->foreign = hello->a.uuid[0] != '\0' && !ok;
	if (r->foreign && !r->engine->options->take_over)
		return foreign(m, e);
	if (r->foreign && follow_move(r, hello->a.uuid, e) < 0)
		return -1;
	m->mark = ok || r->moved ? hello->a.generation : 0;
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
judge_by_rename(struct recovery *r, struct err *e)
{
	const char *names[DELIVERY_BATCH_MAX] = { NULL };
	struct answer w;

	for (size_t i = 0; i < r->rows_n; i++)
		names[i] = r->rows[i].name;
	if (mailbox_names(r->box, DELIVERY_COMMIT, names, r->rows_n, &w,
			  e) < 0)
		return -1;
	for (size_t i = 0; i < r->rows_n; i++) {
		r->becomes[i] = ROW_DONE;
		if (w.status[i] != DELIVERY_EXISTS)
			continue;
		log_problem("%s: another file has the name new/%s; %s stays "
			    "in the source", r->box->path, names[i],
			    text_show(r->rows[i].key));
		r->becomes[i] = ROW_NONE;
	}
	return 0;
}

/* Finds out what each row becomes. */
static int
judge_rows(struct recovery *r, struct err *e)
{
	if (r->trusted)
		return judge_by_rename(r, e);
	for (size_t i = 0; i < r->rows_n; i++)
		if (judge_by_search(r, &r->rows[i], &r->becomes[i], e) < 0)
			return -1;
	return 0;
}

static int
record(struct recovery *r, struct err *e)
{
	struct ledger *l = r->engine->ledger;

	if (ledger_begin(l, e) < 0)
		return -1;
	for (size_t i = 0; i < r->rows_n; i++) {
		int s;

		r->rows[i].boot = clock_boot_id();
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

static int
sync_renames(struct mailbox *m, struct answer *w_r, struct err *e)
{
	return mailbox_ask(m, DELIVERY_SYNC, DELIVERY_RENAMED, w_r, NULL, e);
}

/* A rename that the ledger knows and the disk does not: done once more. */
static int
rename_again(struct recovery *r, const char *name, bool *renamed, struct err *e)
{
	struct answer w;
	bool done;

	if (ledger_is_done(r->engine->ledger, r->box->row.id, name, &done,
			   e) < 0)
		return -1;
	if (!done)
		return 0;
	if (r->box->delivered.data == NULL &&
	    mailbox_list(r->box, false, &r->box->delivered, e) < 0)
		return -1;
	if (names_find(&r->box->delivered, delivery_name_id(name)) != NULL)
		return 0;
	*renamed = true;
	return mailbox_names(r->box, DELIVERY_COMMIT, &name, 1, &w, e);
}

/* Everything else that is in the stage: no INTENT speaks for it. */
static int
drop_leftovers(struct recovery *r, struct err *e)
{
	const char *names[DELIVERY_BATCH_MAX];
	struct answer w;
	bool renamed = false;
	size_t n = 0;

	for (size_t i = 0; i < r->staged.n; i++)
		if (rename_again(r, r->staged.list[i], &renamed, e) < 0)
			return -1;
	if (renamed && sync_renames(r->box, &w, e) < 0)
		return -1;
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

	if (ledger_rows(l, r->box->row.id, ROW_SUSPECT, -1, &r->arena, &rows,
			&n, e) < 0)
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

/* A stage of another's becomes ours at once, not with the next mail. */
static int
take_over(struct recovery *r, struct err *e)
{
	struct mailbox *m = r->box;
	struct ledger *l = r->engine->ledger;
	struct answer w;

	if (!r->foreign)
		return 0;
	log_info("%s is taken over", m->path);
	if (engine_write_mark(r->engine, m, e) < 0 ||
	    mailbox_ask(m, DELIVERY_SYNC, 0, &w, NULL, e) < 0)
		return -1;
	if (ledger_begin(l, e) < 0 || engine_put_mailbox(r->engine, m, e) < 0)
		return -1;
	return ledger_commit(l, e);
}

/* In pieces: a deliverer keeps so many files open, and no more. */
static int
finish_all(struct recovery *r, struct err *e)
{
	do {
		if (ledger_rows(r->engine->ledger, r->box->row.id, ROW_INTENT,
				DELIVERY_BATCH_MAX, &r->arena, &r->rows,
				&r->rows_n, e) < 0)
			return -1;
		if (r->rows_n > 0 && finish_intents(r, e) < 0)
			return -1;
	} while (r->rows_n == DELIVERY_BATCH_MAX);
	return 0;
}

/* With the stage's lock in hand: what the ledger says of the mailbox now. Until
 * then another run may have written. */
static int
read_row(struct recovery *r, struct err *e)
{
	struct mailbox *m = r->box;

	ledger_rollback(r->engine->ledger);
	return ledger_mailbox(r->engine->ledger, m->path, m->target.user,
			      &m->row, e);
}

static int
recover(struct recovery *r, uint32_t flags, struct err *e)
{
	struct mailbox *m = r->box;
	struct answer hello, w;

	if (m->row.generation > 0 && !r->engine->options->take_over)
		flags |= DELIVERY_KNOWN;
	if (mailbox_start(m, &r->engine->spawner, flags, &hello, e) < 0)
		return -1;
	if (hello.a.status == DELIVERY_BUSY) {
		mailbox_close(m);
		return 0;
	}
	m->state = MAILBOX_OPEN;
	if (read_row(r, e) < 0 || judge_mark(r, &hello, e) < 0 ||
	    mailbox_list(m, true, &r->staged, e) < 0)
		return -1;
	if (finish_all(r, e) < 0 || review_suspects(r, e) < 0 ||
	    drop_leftovers(r, e) < 0)
		return -1;
	/* What is adopted from new/ and cur/ must be on disk like all else. */
	if (m->row.search && sync_renames(m, &w, e) < 0)
		return -1;
	return take_over(r, e);
}

/* A mailbox's trouble is its own; a foreign mark stops it only. */
static int
recover_with(struct engine *g, struct mailbox *m, uint32_t flags,
	     struct err *e)
{
	struct recovery r = { .engine = g, .box = m };
	int s = recover(&r, flags, e);

	names_free(&r.staged);
	arena_free(&r.arena);
	if (s == 0)
		return 0;
	ledger_rollback(g->ledger);
	if (e->kind == ERR_STOP && e->code != EX_CONFIG)
		return -1;
	engine_mailbox_failed(g, m, e);
	e->kind = ERR_TEMP;
	return -1;
}

int
recover_open(struct engine *g, struct mailbox *m, struct err *e)
{
	if (m->state == MAILBOX_OPEN)
		return 0;
	if (m->state == MAILBOX_FAILED)
		return err_set(e, ERR_TEMP, "%s failed before", m->path);
	return recover_with(g, m, 0, e);
}

int
recover_all(struct engine *g, struct err *e)
{
	struct arena a = { .head = NULL };
	struct ledger_mailbox *rows;
	size_t n;
	int r = ledger_mailboxes(g->ledger, &a, &rows, &n, e);

	for (size_t i = 0; r == 0 && i < n && !engine_must_stop(g); i++) {
		struct mailbox *m;

		if (!rows[i].open)
			continue;
		r = engine_known_mailbox(g, &rows[i], &m, e);
		if (r == 0 && m == NULL) {
			log_problem("deliveries to %s were interrupted, and "
				    "no mailbox of this run is that Maildir: "
				    "they wait", rows[i].path);
			report_exit(g->report, EX_TEMPFAIL);
		} else if (r == 0 && m->state == MAILBOX_CLOSED) {
			/* Another run that is at work there ends its own. */
			r = recover_with(g, m, DELIVERY_NO_WAIT, e);
		}
		if (r < 0 && e->kind != ERR_STOP)
			r = 0;
	}
	arena_free(&a);
	return r;
}
