#include <config.h>

#include <stdio.h>
#include <string.h>

#include "engine-private.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

/*
 * --dry-run: what a run would do with every object, found out without any
 * deliverer and without writing a byte.
 */

static const char *const words[] = {
	[ROW_NONE] = "new", [ROW_INTENT] = "interrupted", [ROW_DONE] = "done",
	[ROW_DUPLICATE] = "duplicate", [ROW_SUSPECT] = "suspect",
};

static void
line(const struct engine *g, const struct object *o, const char *where,
     const char *what)
{
	if (!g->options->quiet)
		printf("%s -> %s [%s]\n", text_show(o->key), where, what);
}

static int
look(struct engine *g, const struct ledger_object *entry,
     const struct mailbox *m, enum row_state *state_r, struct err *e)
{
	enum row_state twin = ROW_NONE;

	*state_r = ROW_NONE;
	if (g->ledger == NULL)
		return 0;
	if (ledger_state(g->ledger, entry->id, m->row.id, state_r, e) < 0)
		return -1;
	if (*state_r == ROW_NONE &&
	    ledger_twin(g->ledger, entry, m->row.id, &twin, e) < 0)
		return -1;
	if (twin != ROW_NONE)
		*state_r = ROW_DUPLICATE;
	return 0;
}

/* The outcome that the run would count, as far as it can be known. */
static enum outcome
worse(enum outcome have, enum row_state state)
{
	if (have == OUTCOME_DEFERRED || state == ROW_DONE)
		return have;
	if (state == ROW_DUPLICATE)
		return have == OUTCOME_IMPORTED ? have : OUTCOME_DUPLICATE;
	return OUTCOME_IMPORTED;
}

static int
preview_target(struct engine *g, const struct object *o,
	       const struct ledger_object *entry, const struct target *t,
	       enum outcome *outcome_r, struct err *e)
{
	enum row_state state;
	struct mailbox *m;
	int r = engine_mailbox(g, g->source_index, t, &m, e);

	if (r < 0 && e->kind != ERR_TEMP)
		return -1;
	if (r < 0 || m->state == MAILBOX_FAILED) {
		*outcome_r = OUTCOME_DEFERRED;
		return 0;
	}
	if (look(g, entry, m, &state, e) < 0)
		return -1;
	line(g, o, m->path, words[state]);
	if (*outcome_r == OUTCOME_UNROUTED)
		*outcome_r = OUTCOME_SKIPPED;
	*outcome_r = worse(*outcome_r, state);
	return 0;
}

static int
preview_targets(struct engine *g, const struct object *o,
		const struct ledger_object *entry, const char *recipient,
		enum outcome *outcome_r, struct err *e)
{
	const struct source_settings *src = g->source.settings;
	const struct target catch_all = { .route = src->routes_n };
	struct targets t;

	recipients_route(g->source.settings, o->key, recipient, &t);
	*outcome_r = OUTCOME_UNROUTED;
	for (size_t i = 0; i < t.n; i++) {
		if (preview_target(g, o, entry, &t.list[i], outcome_r,
				   e) == 0)
			continue;
		/* No such user: as if no line had fitted. */
		if (e->kind == ERR_PERM && src->catch_all != NULL)
			preview_target(g, o, entry, &catch_all, outcome_r, e);
		if (e->kind == ERR_STOP)
			return -1;
	}
	if (*outcome_r == OUTCOME_UNROUTED)
		line(g, o, "(nowhere)", "unrouted");
	return 0;
}

static int
preview_fetched(struct engine *g, const struct object *o,
		const struct spool *s, const struct version *v,
		enum outcome *outcome_r, struct err *e)
{
	struct ledger_object entry = {
		.key = o->key, .ses_id = s->received.id,
	};

	memcpy(entry.body, s->body, HASH_SIZE);
	engine_oid(g, o->key, v->etag, s->size, entry.oid);
	if (g->ledger != NULL &&
	    ledger_find(g->ledger, entry.oid, &entry, e) < 0)
		return -1;
	if (entry.deleted) {
		line(g, o, "(nowhere)", "delivered before");
		*outcome_r = OUTCOME_DUPLICATE;
		return 0;
	}
	return preview_targets(g, o, &entry, s->received.recipient, outcome_r,
			       e);
}

static int
preview_object(struct engine *g, const struct object *o, struct err *e)
{
	enum outcome outcome = OUTCOME_SKIPPED;
	struct version v;
	struct spool s;

	if (engine_is_no_mail(o)) {
		line(g, o, "(nowhere)", "no mail");
		engine_outcome(g, o->key, OUTCOME_SKIPPED);
		return 0;
	}
	switch (g->source.kind->fetch(&g->source, o, &g->spooler, &s, &v,
				      e)) {
	case FETCH_OK:
		if (s.size == 0)
			line(g, o, "(nowhere)", "no mail");
		else if (preview_fetched(g, o, &s, &v, &outcome, e) < 0)
			return -1;
		if (outcome == OUTCOME_IMPORTED)
			g->report->bytes += s.size;
		break;
	case FETCH_GONE:
		outcome = OUTCOME_GONE;
		break;
	case FETCH_BUSY:
		line(g, o, "(nowhere)", "not settled");
		outcome = OUTCOME_WAITING;
		break;
	case FETCH_FAILED:
		engine_failed(g, o, e);
		return 0;
	}
	engine_outcome(g, o->key, outcome);
	return 0;
}

int
preview_source(struct engine *g, struct err *e)
{
	return engine_each(g, preview_object, e);
}
