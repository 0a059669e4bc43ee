#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "ledger-private.h"

int
ledger_put(struct ledger *l, const struct ledger_row *r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "INSERT OR REPLACE INTO delivery"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, r->object);
	sqlite3_bind_int64(s, 2, r->mailbox);
	sqlite3_bind_int(s, 3, (int)r->state);
	ledger_bind_text(s, 4, r->name);
	sqlite3_bind_int64(s, 5, (int64_t)r->added);
	ledger_bind_text(s, 6, r->boot);
	return ledger_run(l, s, e);
}

int
ledger_move(struct ledger *l, const struct ledger_row *r, enum row_state from,
	    enum row_state to, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "UPDATE delivery SET state = ?4,"
		" boot = ?5 WHERE object = ?1 AND mailbox = ?2 AND state = ?3",
		e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, r->object);
	sqlite3_bind_int64(s, 2, r->mailbox);
	sqlite3_bind_int(s, 3, (int)from);
	sqlite3_bind_int(s, 4, (int)to);
	ledger_bind_text(s, 5, r->boot);
	return ledger_run(l, s, e);
}

int
ledger_forget(struct ledger *l, const struct ledger_row *r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "DELETE FROM delivery WHERE"
		" object = ?1 AND mailbox = ?2 AND state IN (1, 4)", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, r->object);
	sqlite3_bind_int64(s, 2, r->mailbox);
	return ledger_run(l, s, e);
}

#define ROW_COLUMNS "SELECT d.object, d.mailbox, d.state, d.name, d.added,"  \
	" d.boot, o.content_size, o.content, o.key, o.deleted"		     \
	" FROM delivery d"						     \
	" JOIN object o ON o.id = d.object"

static void
read_row(sqlite3_stmt *s, struct arena *a, struct ledger_row *r)
{
	*r = (struct ledger_row){
		.object = sqlite3_column_int64(s, 0),
		.mailbox = sqlite3_column_int64(s, 1),
		.state = (enum row_state)sqlite3_column_int(s, 2),
		.name = ledger_column_string(s, 3, a),
		.added = (uint64_t)sqlite3_column_int64(s, 4),
		.boot = ledger_column_string(s, 5, a),
		.content_size = (uint64_t)sqlite3_column_int64(s, 6),
		.key = ledger_column_string(s, 8, a),
		.gone = sqlite3_column_int64(s, 9) != 0,
	};
	ledger_column_hash(s, 7, r->content);
}

int
ledger_state(struct ledger *l, int64_t object, int64_t mailbox,
	     enum row_state *state_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT state FROM delivery"
		" WHERE object = ?1 AND mailbox = ?2", e);
	int r;

	*state_r = ROW_NONE;
	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, object);
	sqlite3_bind_int64(s, 2, mailbox);
	r = ledger_step(l, s, e);
	if (r != 1)
		return r;
	*state_r = (enum row_state)sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return 0;
}

int
ledger_rows(struct ledger *l, int64_t mailbox, enum row_state state,
	    int limit, struct arena *a, struct ledger_row **list_r,
	    size_t *n_r, struct err *e)
{
	/* The index of the open states is used only if it is asked for. */
	static const char open[] = ROW_COLUMNS " WHERE d.mailbox = ?1"
		" AND d.state = ?2 AND d.state IN (1, 4)"
		" ORDER BY o.arrival, d.object LIMIT ?3";
	static const char any[] = ROW_COLUMNS " WHERE d.mailbox = ?1"
		" AND d.state = ?2 ORDER BY o.arrival, d.object LIMIT ?3";
	bool is_open = state == ROW_INTENT || state == ROW_SUSPECT;
	sqlite3_stmt *s = ledger_statement(l, is_open ? open : any, e);
	struct ledger_row *list = NULL;
	size_t n = 0, room = 0;
	int r = -1;

	if (s != NULL) {
		sqlite3_bind_int64(s, 1, mailbox);
		sqlite3_bind_int(s, 2, (int)state);
		sqlite3_bind_int(s, 3, limit);
	}
	while (s != NULL && (r = ledger_step(l, s, e)) == 1) {
		if (n == room) {
			room = room ? 2 * room : 16;
			list = mem_grow(list, room, sizeof(*list));
		}
		read_row(s, a, &list[n++]);
	}
	*list_r = arena_alloc(a, n * sizeof(*list));
	*n_r = n;
	if (n > 0)
		memcpy(*list_r, list, n * sizeof(*list));
	free(list);
	return r;
}

int
ledger_is_done(struct ledger *l, int64_t mailbox, const char *name,
	       bool *done_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT 1 FROM delivery WHERE"
		" mailbox = ?1 AND name = ?2 AND state = 2", e);
	int r;

	*done_r = false;
	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, mailbox);
	ledger_bind_text(s, 2, name);
	r = ledger_step(l, s, e);
	if (r == 1)
		sqlite3_reset(s);
	*done_r = r == 1;
	return r < 0 ? -1 : 0;
}

int
ledger_twin(struct ledger *l, const struct ledger_object *o, int64_t mailbox,
	    enum row_state *state_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT d.state FROM object o"
		" JOIN delivery d ON d.object = o.id WHERE o.ses_id = ?1"
		" AND o.ses_id <> '' AND o.body = ?2 AND d.mailbox = ?3"
		" AND o.oid <> ?4 AND (d.state IN (1, 2) OR d.state = 4"
		" AND o.deleted = 0) ORDER BY d.state LIMIT 1",
		e);
	int r;

	*state_r = ROW_NONE;
	if (s == NULL || o->ses_id[0] == '\0')
		return s == NULL ? -1 : 0;
	ledger_bind_text(s, 1, o->ses_id);
	ledger_bind_blob(s, 2, o->body, HASH_SIZE);
	sqlite3_bind_int64(s, 3, mailbox);
	ledger_bind_blob(s, 4, o->oid, HASH_SIZE);
	r = ledger_step(l, s, e);
	if (r != 1)
		return r;
	*state_r = (enum row_state)sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return 0;
}

int
ledger_settled(struct ledger *l, const struct ledger_object *o,
	       bool *settled_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT mailbox, state FROM"
		" delivery WHERE object = ?1", e);
	int64_t duplicates[16];
	size_t n = 0, rows = 0;
	bool open = false;
	int r = -1;

	*settled_r = false;
	if (s != NULL)
		sqlite3_bind_int64(s, 1, o->id);
	while (s != NULL && (r = ledger_step(l, s, e)) == 1) {
		enum row_state state = (enum row_state)sqlite3_column_int(s, 1);

		rows++;
		if (state == ROW_DUPLICATE && n < 16)
			duplicates[n++] = sqlite3_column_int64(s, 0);
		else if (state != ROW_DONE)
			open = true;
	}
	if (r < 0 || open || rows == 0)
		return r;
	while (n > 0) {
		enum row_state twin;

		if (ledger_twin(l, o, duplicates[--n], &twin, e) < 0)
			return -1;
		if (twin != ROW_DONE)
			return 0;
	}
	*settled_r = true;
	return 0;
}
