#include <config.h>

#include <stdlib.h>

#include "ledger-private.h"

/* Ids of undeleted objects of the source that are not among seen (sorted). */
static int
find_vanished(struct ledger *l, int64_t source, const int64_t *seen, size_t n,
	      int64_t **list_r, size_t *n_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT id FROM object"
		" WHERE source = ?1 AND deleted = 0 ORDER BY id", e);
	size_t at = 0, room = 0;
	int r = -1;

	if (s != NULL)
		sqlite3_bind_int64(s, 1, source);
	while (s != NULL && (r = ledger_step(l, s, e)) == 1) {
		int64_t id = sqlite3_column_int64(s, 0);

		while (at < n && seen[at] < id)
			at++;
		if (at < n && seen[at] == id)
			continue;
		if (*n_r == room) {
			room = room ? 2 * room : 16;
			*list_r = mem_grow(*list_r, room, sizeof(**list_r));
		}
		(*list_r)[(*n_r)++] = id;
	}
	return r;
}

/* Whoever removed the object has looked at a SUSPECT; an INTENT is not over. */
static int
is_over(struct ledger *l, int64_t id, bool *over_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT NOT EXISTS (SELECT 1"
		" FROM delivery WHERE object = ?1 AND state = 1)", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, id);
	if (ledger_step(l, s, e) != 1)
		return ledger_error(l, "read", e);
	*over_r = sqlite3_column_int(s, 0) != 0;
	sqlite3_reset(s);
	return 0;
}

static int
end_suspects(struct ledger *l, int64_t id, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "UPDATE delivery SET state = 2"
		" WHERE object = ?1 AND state = 4", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, id);
	return ledger_run(l, s, e);
}

static int
forget_old(struct ledger *l, int64_t source, int64_t before, struct err *e)
{
	sqlite3_stmt *rows = ledger_statement(l, "DELETE FROM delivery WHERE"
		" object IN (SELECT id FROM object WHERE source = ?1 AND"
		" deleted BETWEEN 1 AND ?2)", e);
	sqlite3_stmt *objects = ledger_statement(l, "DELETE FROM object WHERE"
		" source = ?1 AND deleted BETWEEN 1 AND ?2", e);

	if (rows == NULL || objects == NULL)
		return -1;
	sqlite3_bind_int64(rows, 1, source);
	sqlite3_bind_int64(rows, 2, before);
	sqlite3_bind_int64(objects, 1, source);
	sqlite3_bind_int64(objects, 2, before);
	if (ledger_run(l, rows, e) < 0)
		return -1;
	return ledger_run(l, objects, e);
}

int
ledger_prune(struct ledger *l, int64_t source, const int64_t *seen, size_t n,
	     int64_t now, struct err *e)
{
	int64_t *list = NULL;
	size_t vanished = 0;
	int r = find_vanished(l, source, seen, n, &list, &vanished, e);

	for (size_t i = 0; r == 0 && i < vanished; i++) {
		bool over = false;

		r = is_over(l, list[i], &over, e);
		if (r == 0 && over)
			r = end_suspects(l, list[i], e);
		if (r == 0 && over)
			r = ledger_deleted(l, list[i], now, e);
	}
	free(list);
	return r < 0 ? -1 : forget_old(l, source, now - LEDGER_RETENTION, e);
}
