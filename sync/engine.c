#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "engine-private.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "state.h"

/* Trouble with the ledger shows elsewhere; saying it twice does no harm. */
bool
engine_first(void *engine, const char *what)
{
	struct engine *g = engine;
	bool first = false;
	struct err e;

	if (ledger_begin(g->ledger, &e) < 0 ||
	    ledger_notice(g->ledger, g->source_id, what, &first, &e) < 0 ||
	    ledger_commit(g->ledger, &e) < 0) {
		ledger_rollback(g->ledger);
		return true;
	}
	return first;
}

static int
leave_alone(struct engine *g, const struct object *o, const char *what)
{
	if (engine_first(g, o->key))
		log_problem("%s%s is no mail (%s): left alone, said once",
			    g->source.settings->url, text_show(o->key), what);
	engine_outcome(g, o->key, OUTCOME_SKIPPED);
	return 0;
}

static int
engine_object(struct engine *g, const struct object *o, struct err *e)
{
	struct version v;
	struct spool s;

	if (engine_is_no_mail(o))
		return leave_alone(g, o, "SES's setup note");
	if (o->known)
		return batch_add_known(g, o, e);
	switch (g->source.kind->fetch(&g->source, o, &g->spooler, &s, &v,
				      e)) {
	case FETCH_OK:
		if (s.size > 0)
			return batch_add(g, o, &s, &v, e);
		fsio_close(&s.fd);
		return leave_alone(g, o, "empty");
	case FETCH_GONE:
		log_problem("%s%s has gone between listing and reading: "
			    "somebody else removes mail there",
			 g->source.settings->url, text_show(o->key));
		engine_outcome(g, o->key, OUTCOME_GONE);
		return 0;
	case FETCH_BUSY:
		g->unread = true;
		engine_outcome(g, o->key, OUTCOME_WAITING);
		return 0;
	case FETCH_FAILED:
		break;
	}
	if (e->kind == ERR_STOP)
		return -1;
	g->unread = true;
	engine_failed(g, o, e);
	return 0;
}

static int
engine_prune(struct engine *g, struct err *e)
{
	ids_sort(&g->seen);
	if (ledger_begin(g->ledger, e) < 0 || batch_mark_removed(g, e) < 0 ||
	    ledger_prune(g->ledger, g->source_id, g->seen.list, g->seen.n,
			 clock_wall(), e) < 0)
		return -1;
	return ledger_commit(g->ledger, e);
}

static void
engine_stopped(struct engine *g, const struct err *e)
{
	log_problem("%s", e->text);
	report_exit(g->report, e->kind == ERR_STOP && e->code != 0
			       ? e->code : EX_TEMPFAIL);
}

/* Every object of a listing has an outcome, also what a stop left over. */
static void
engine_leave(struct engine *g)
{
	const size_t left = g->source.kind->left(&g->source);

	g->report->listed += left;
	g->listed += left;
	while (g->done < g->listed)
		engine_outcome(g, "", OUTCOME_WAITING);
	engine_outcomes_told(g);
}

static void
tell_stopped(struct engine *g)
{
	struct source *s = &g->source;

	log_problem("%s: stopped %s with %zu objects left for the next run",
		    s->settings->url, engine_why_stopped(),
		    g->listed - g->done + s->kind->left(s));
	report_exit(g->report, EX_TEMPFAIL);
}

int
engine_each(struct engine *g,
	    int (*work)(struct engine *g, const struct object *o,
			struct err *e), struct err *e)
{
	struct source *s = &g->source;
	bool stopped = false;
	struct object o;
	int more = 0, r = 0;

	while (r == 0 && !stopped && (more = s->kind->next(s, &o, e)) == 1) {
		g->report->listed++;
		g->listed++;
		stopped = engine_must_stop(g);
		if (!stopped)
			r = work(g, &o, e);
		report_progress(g->done, g->listed + s->kind->left(s));
	}
	report_progress(1, 1);
	/* Asked to end while nothing came. */
	stopped |= more == 0 && !s->complete && engine_must_stop(g);
	if (more < 0)
		engine_stopped(g, e);
	if (r == 0)
		r = batch_flush(g, e);
	else
		batch_reset(g);
	if (!s->complete)
		report_exit(g->report, EX_TEMPFAIL);
	if (stopped && r == 0)
		tell_stopped(g);
	g->whole = r == 0 && more == 0 && !stopped && s->complete;
	if (r == 0)
		s->kind->finish(s);
	engine_leave(g);
	return r;
}

static int
engine_import(struct engine *g, struct err *e)
{
	if (recover_all(g, e) < 0 || engine_each(g, engine_object, e) < 0)
		return -1;
	return g->whole && !g->unread ? engine_prune(g, e) : 0;
}

/* One source's trouble is not the next one's. */
static int
engine_skipped(struct engine *g, const struct err *e)
{
	engine_stopped(g, e);
	return 0;
}

static int
register_source(struct engine *g, const struct source_name *n, struct err *e)
{
	if (ledger_source(g->ledger, n->url, &g->source_id, g->sid, e) < 0)
		return -1;
	if (g->source_id != 0)
		return 0;
	if (ledger_begin(g->ledger, e) < 0 ||
	    ledger_source(g->ledger, n->url, &g->source_id, g->sid, e) < 0 ||
	    ledger_set_place(g->ledger, g->source_id, n->place, e) < 0)
		return -1;
	return ledger_commit(g->ledger, e);
}

/* A bucket of that name somewhere else may be another one: what it holds is
 * none of what the ledger knows, or the same mail again. *moved_r: so it is,
 * and nobody has said that it is the same; e tells. */
static int
check_place(struct engine *g, const struct source_name *n, bool *moved_r,
	    struct err *e)
{
	struct arena a = { .head = NULL };
	const char *known;
	int r = ledger_place(g->ledger, g->source_id, &a, &known, e);

	*moved_r = r == 0 && strcmp(known, n->place) != 0;
	if (*moved_r && g->options->take_over && g->spooler.dir != NULL) {
		*moved_r = false;
		if (ledger_begin(g->ledger, e) < 0 ||
		    ledger_set_place(g->ledger, g->source_id, n->place,
				     e) < 0)
			r = -1;
		else
			r = ledger_commit(g->ledger, e);
	}
	if (*moved_r)
		err_stop(e, EX_CONFIG, "%s was read from %s until now, and "
			 "%s is another place: run once with --take-over if "
			 "it is the same bucket, else name another state "
			 "directory with --state-dir", n->url, known,
			 n->place);
	arena_free(&a);
	return r;
}

/* One source under its lock. */
static int
engine_locked(struct engine *g, const struct source_name *n, struct err *e)
{
	const struct source_settings *s =
		&g->settings->sources[g->source_index];
	bool moved;
	int lock = -1, r;

	if (register_source(g, n, e) < 0 || check_place(g, n, &moved, e) < 0)
		return -1;
	if (moved)
		return engine_skipped(g, e);
	switch (state_lock(g->settings->state_dir, g->sid, &lock, e)) {
	case STATE_BUSY:
		return 0;
	case STATE_STALE:
		log_problem("%s: %s", s->url, e->text);
		report_exit(g->report, EX_TEMPFAIL);
		return 0;
	case STATE_FAILED:
		return -1;
	case STATE_LOCKED:
		break;
	}
	if (source_open(&g->source, s, &g->listener, g->spooler.dir, e) < 0) {
		fsio_close(&lock);
		return engine_skipped(g, e);
	}
	r = engine_import(g, e);
	source_close(&g->source);
	fsio_close(&lock);
	return r;
}

static int
engine_source(struct engine *g, struct err *e)
{
	const bool audit = g->options->audit;
	const struct source_settings *s =
		&g->settings->sources[g->source_index];
	struct source_name n;
	bool moved = false;
	int r;

	g->listed = g->done = g->seen.n = 0;
	g->unrouted = g->failed = g->stuck = 0;
	g->unread = false;
	g->spooler.verbatim = s->verbatim;
	if (source_name(s, &n, e) < 0)
		return engine_skipped(g, e);
	if (!audit && !g->options->dry_run) {
		g->spooler.dir = g->settings->state_dir;
		return engine_locked(g, &n, e);
	}
	if (g->ledger != NULL &&
	    ledger_source(g->ledger, n.url, &g->source_id, g->sid, e) < 0)
		return -1;
	if (g->ledger != NULL && g->source_id != 0 &&
	    check_place(g, &n, &moved, e) < 0)
		return -1;
	if (moved)
		return engine_skipped(g, e);
	if (source_open(&g->source, s, &g->listener, NULL, e) < 0)
		return engine_skipped(g, e);
	r = audit ? audit_source(g, e) : preview_source(g, e);
	source_close(&g->source);
	return r;
}

static int
engine_sources(struct engine *g, struct err *e)
{
	const size_t n = g->settings->sources_n;
	size_t i;

	for (i = 0; i < n && !engine_must_stop(g); i++) {
		g->source_index = i;
		if (engine_source(g, e) < 0)
			return -1;
	}
	if (i < n) {
		log_problem("stopped with %zu sources left for the next run",
			    n - i);
		report_exit(g->report, EX_TEMPFAIL);
	}
	return 0;
}

static void
engine_free(struct engine *g)
{
	while (g->boxes != NULL) {
		struct mailbox *m = g->boxes;

		g->boxes = m->next;
		mailbox_free(m);
	}
	ledger_close(g->ledger);
	spooler_free(&g->spooler);
	ids_free(&g->seen);
	ids_free(&g->recovered);
	ids_free(&g->removed);
	free(g);
}

void
engine_run(const struct settings *s, const struct sync_options *o,
	   struct report *r, int sock)
{
	const bool read_only = o->dry_run || o->audit;
	struct engine *g = mem_alloc(sizeof(*g));
	struct err e;
	int ok = 0;

	g->settings = s;
	g->options = o;
	g->report = r;
	g->spawner = (struct spawner){ .settings = s, .sock = sock };
	g->spooler.fd = -1;
	g->listener = (struct source_listener){
		.owner = g, .wanted = batch_wants, .removed = batch_removed,
		.first = engine_first, .stopping = engine_stopping,
	};
	g->begun = clock_monotonic();
	if (ledger_open(&g->ledger, s->state_dir, read_only, &e) < 0) {
		engine_stopped(g, &e);
		engine_free(g);
		return;
	}
	ok = engine_sources(g, &e);
	if (ok == 0 && o->audit)
		ok = audit_mailboxes(g, &e);
	/* Without the ledger nothing more may be delivered or deleted. */
	if (ok < 0)
		engine_stopped(g, &e);
	engine_free(g);
}
