#include <config.h>

#include <stdlib.h>

#include "ledger-private.h"

/* An object whose presence has changed, or that has been gone for long. */
struct change {
	int64_t id, deleted;	/* what deleted is to become; 0: listed */
	bool forget;
};

struct changes {
	struct change *list;
	size_t n, room;
};

static void
add(struct changes *c, int64_t id, int64_t deleted, bool forget)
{
	if (c->n == c->room) {
		c->room = c->room ? 2 * c->room : 16;
		c->list = mem_grow(c->list, c->room, sizeof(*c->list));
	}
	c->list[c->n++] = (struct change){
		.id = id, .deleted = deleted, .forget = forget,
	};
}

static void
judge(struct changes *c, int64_t id, int64_t deleted, bool seen, int64_t now)
{
	const int64_t before = now - LEDGER_RETENTION;

	if (seen && deleted != 0)
		/* Back, or never taken away: its row must outlive it. */
		add(c, id, deleted > 0 ? now : 0, false);
	else if (!seen && deleted == 0)
		add(c, id, -now, false);
	else if (!seen && (deleted > 0 ? deleted : -deleted) < before)
		add(c, id, deleted, true);
}

/* seen is sorted, and so is what the ledger gives. */
static int
compare(struct ledger *l, int64_t source, const int64_t *seen, size_t n,
	int64_t now, struct changes *c, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT id, deleted FROM object"
		" WHERE source = ?1 AND deleted < ?2 ORDER BY id", e);
	size_t at = 0;
	int r = -1;

	if (s != NULL) {
		sqlite3_bind_int64(s, 1, source);
		sqlite3_bind_int64(s, 2, now - LEDGER_RETENTION);
	}
	while (s != NULL && (r = ledger_step(l, s, e)) == 1) {
		int64_t id = sqlite3_column_int64(s, 0);

		while (at < n && seen[at] < id)
			at++;
		judge(c, id, sqlite3_column_int64(s, 1),
		      at < n && seen[at] == id, now);
	}
	return r;
}

static int
run_with_id(struct ledger *l, const char *sql, int64_t id, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, sql, e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, id);
	return ledger_run(l, s, e);
}

static int
forget(struct ledger *l, int64_t id, struct err *e)
{
	static const char rows[] = "DELETE FROM delivery WHERE object = ?1"
		" AND state <> 1";
	static const char object[] = "DELETE FROM object WHERE id = ?1 AND"
		" NOT EXISTS (SELECT 1 FROM delivery WHERE object = ?1)";

	if (run_with_id(l, rows, id, e) < 0)
		return -1;
	return run_with_id(l, object, id, e);
}

int
ledger_prune(struct ledger *l, int64_t source, const int64_t *seen, size_t n,
	     int64_t now, struct err *e)
{
	struct changes c = { .n = 0 };
	int r = compare(l, source, seen, n, now, &c, e);

	for (size_t i = 0; r == 0 && i < c.n; i++)
		r = c.list[i].forget
		  ? forget(l, c.list[i].id, e)
		  : ledger_deleted(l, c.list[i].id, c.list[i].deleted, e);
	free(c.list);
	return r;
}
