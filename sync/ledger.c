#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ledger-private.h"

sqlite3_stmt *
ledger_statement(struct ledger *l, const char *sql, struct err *e)
{
	size_t i = 0;

	while (i < LEDGER_STATEMENTS && l->prepared[i].sql != NULL &&
	       l->prepared[i].sql != sql)
		i++;
	if (i == LEDGER_STATEMENTS)
		abort();
	if (l->prepared[i].sql == NULL) {
		if (sqlite3_prepare_v3(l->db, sql, -1,
				       SQLITE_PREPARE_PERSISTENT,
				       &l->prepared[i].statement,
				       NULL) != SQLITE_OK) {
			ledger_error(l, "read", e);
			return NULL;
		}
		l->prepared[i].sql = sql;
	}
	return l->prepared[i].statement;
}

int
ledger_step(struct ledger *l, sqlite3_stmt *s, struct err *e)
{
	int r = sqlite3_step(s);

	if (r == SQLITE_ROW)
		return 1;
	if (r == SQLITE_DONE) {
		sqlite3_reset(s);
		return 0;
	}
	ledger_error(l, "use", e);
	sqlite3_reset(s);
	return -1;
}

int
ledger_run(struct ledger *l, sqlite3_stmt *s, struct err *e)
{
	return ledger_step(l, s, e) < 0 ? -1 : 0;
}

const char *
ledger_uuid(const struct ledger *l)
{
	return l->uuid;
}

static int
transaction(struct ledger *l, const char *sql, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, sql, e);

	return s == NULL ? -1 : ledger_run(l, s, e);
}

int
ledger_read(struct ledger *l, struct err *e)
{
	static const char begin[] = "BEGIN";

	if (l->state != LEDGER_IDLE)
		return 0;
	if (transaction(l, begin, e) < 0)
		return -1;
	l->state = LEDGER_READING;
	return 0;
}

int
ledger_begin(struct ledger *l, struct err *e)
{
	static const char begin[] = "BEGIN IMMEDIATE";

	/* A reader that turned into a writer could not wait for another. */
	ledger_rollback(l);
	if (transaction(l, begin, e) < 0)
		return -1;
	l->state = LEDGER_WRITING;
	return 0;
}

int
ledger_commit(struct ledger *l, struct err *e)
{
	static const char end[] = "COMMIT";

	if (transaction(l, end, e) < 0)
		return -1;
	l->state = LEDGER_IDLE;
	return 0;
}

void
ledger_rollback(struct ledger *l)
{
	if (l->state != LEDGER_IDLE)
		sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	l->state = LEDGER_IDLE;
}

void
ledger_bind_blob(sqlite3_stmt *s, int at, const void *data, size_t n)
{
	sqlite3_bind_blob(s, at, data, (int)n, SQLITE_STATIC);
}

void
ledger_bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

void
ledger_column_hash(sqlite3_stmt *s, int at, uint8_t hash[HASH_SIZE])
{
	memset(hash, 0, HASH_SIZE);
	if (sqlite3_column_bytes(s, at) == HASH_SIZE)
		memcpy(hash, sqlite3_column_blob(s, at), HASH_SIZE);
}

const char *
ledger_column_string(sqlite3_stmt *s, int at, struct arena *a)
{
	const char *data = sqlite3_column_blob(s, at);

	return data == NULL ? "" : arena_strndup(a, data,
					(size_t)sqlite3_column_bytes(s, at));
}

int
ledger_source(struct ledger *l, const char *url, int64_t *id_r,
	      uint8_t sid_r[HASH_SIZE], struct err *e)
{
	sqlite3_stmt *add = ledger_statement(l, "INSERT INTO source (url, sid)"
		" VALUES (?1, ?2) ON CONFLICT DO NOTHING", e);
	sqlite3_stmt *get = ledger_statement(l, "SELECT id, sid FROM source"
		" WHERE url = ?1", e);
	struct hash h = { .ctx = NULL };
	int r;

	if (add == NULL || get == NULL)
		return -1;
	/* From the URL, so that a lost ledger finds the same names again. */
	hash_begin(&h);
	hash_add_field(&h, url, strlen(url));
	hash_end(&h, sid_r);
	hash_free(&h);
	*id_r = 0;
	ledger_bind_text(get, 1, url);
	r = ledger_step(l, get, e);
	if (r == 0 && l->state == LEDGER_WRITING) {
		ledger_bind_text(add, 1, url);
		ledger_bind_blob(add, 2, sid_r, HASH_SIZE);
		if (ledger_run(l, add, e) < 0)
			return -1;
		r = ledger_step(l, get, e);
	}
	if (r <= 0)
		return r;
	*id_r = sqlite3_column_int64(get, 0);
	ledger_column_hash(get, 1, sid_r);
	sqlite3_reset(get);
	return 0;
}

int
ledger_place(struct ledger *l, int64_t source, struct arena *a,
	     const char **place_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT place FROM source"
		" WHERE id = ?1", e);
	const unsigned char *text;

	*place_r = "";
	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, source);
	if (ledger_step(l, s, e) != 1)
		return ledger_error(l, "read", e);
	text = sqlite3_column_text(s, 0);
	if (text != NULL)
		*place_r = arena_strdup(a, (const char *)text);
	sqlite3_reset(s);
	return 0;
}

int
ledger_set_place(struct ledger *l, int64_t source, const char *place,
		 struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "UPDATE source SET place = ?2"
		" WHERE id = ?1", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, source);
	ledger_bind_text(s, 2, place);
	return ledger_run(l, s, e);
}

int
ledger_mailbox(struct ledger *l, const char *path, const char *user,
	       struct ledger_mailbox *m_r, struct err *e)
{
	sqlite3_stmt *add = ledger_statement(l, "INSERT INTO mailbox"
		" (path, user) VALUES (?1, ?2) ON CONFLICT (path)"
		" DO UPDATE SET user = ?2 WHERE user <> ?2", e);
	sqlite3_stmt *get = ledger_statement(l, "SELECT id, generation,"
		" search FROM mailbox WHERE path = ?1", e);
	int r;

	if (add == NULL || get == NULL)
		return -1;
	ledger_bind_text(add, 1, path);
	ledger_bind_text(add, 2, user);
	ledger_bind_text(get, 1, path);
	m_r->id = 0;
	m_r->generation = 0;
	m_r->search = false;
	if (l->state == LEDGER_WRITING && ledger_run(l, add, e) < 0)
		return -1;
	r = ledger_step(l, get, e);
	if (r != 1)
		return r;
	m_r->id = sqlite3_column_int64(get, 0);
	m_r->generation = (uint64_t)sqlite3_column_int64(get, 1);
	m_r->search = sqlite3_column_int(get, 2) != 0;
	sqlite3_reset(get);
	return 0;
}

int
ledger_mailbox_update(struct ledger *l, const struct ledger_mailbox *m,
		      struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "UPDATE mailbox SET"
		" generation = ?2, search = ?3 WHERE id = ?1", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, m->id);
	sqlite3_bind_int64(s, 2, (int64_t)m->generation);
	sqlite3_bind_int(s, 3, m->search);
	return ledger_run(l, s, e);
}

int
ledger_mailbox_move(struct ledger *l, int64_t mailbox, const char *path,
		    struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "UPDATE mailbox SET path = ?2"
		" WHERE id = ?1", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, mailbox);
	ledger_bind_text(s, 2, path);
	return ledger_run(l, s, e);
}

int
ledger_mailboxes(struct ledger *l, struct arena *a,
		 struct ledger_mailbox **list_r, size_t *n_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT id, generation, path,"
		" user, EXISTS (SELECT 1 FROM delivery WHERE mailbox ="
		" mailbox.id AND state IN (1, 4)) FROM mailbox", e);
	struct ledger_mailbox *list = NULL;
	size_t n = 0;
	int r = -1;

	while (s != NULL && (r = ledger_step(l, s, e)) == 1) {
		list = mem_grow(list, n + 1, sizeof(*list));
		list[n++] = (struct ledger_mailbox){
			.id = sqlite3_column_int64(s, 0),
			.generation = (uint64_t)sqlite3_column_int64(s, 1),
			.path = ledger_column_string(s, 2, a),
			.user = ledger_column_string(s, 3, a),
			.open = sqlite3_column_int(s, 4) != 0,
		};
	}
	*list_r = arena_alloc(a, n * sizeof(*list));
	*n_r = n;
	if (n > 0)
		memcpy(*list_r, list, n * sizeof(*list));
	free(list);
	return r;
}

int
ledger_find(struct ledger *l, const uint8_t oid[HASH_SIZE],
	    struct ledger_object *o_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT id, deleted FROM object"
		" WHERE oid = ?1", e);
	int r;

	o_r->id = 0;
	o_r->deleted = false;
	if (s == NULL)
		return -1;
	ledger_bind_blob(s, 1, oid, HASH_SIZE);
	r = ledger_step(l, s, e);
	if (r != 1)
		return r;
	o_r->id = sqlite3_column_int64(s, 0);
	o_r->deleted = sqlite3_column_int64(s, 1) > 0;
	sqlite3_reset(s);
	return 0;
}

int
ledger_add(struct ledger *l, int64_t source, struct ledger_object *o,
	   struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "INSERT INTO object (oid, source,"
		" key, etag, size, ses_id, body, content, content_size,"
		" arrival) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
		" ON CONFLICT (oid) DO NOTHING", e);
	struct ledger_object found;

	if (s == NULL)
		return -1;
	ledger_bind_blob(s, 1, o->oid, HASH_SIZE);
	sqlite3_bind_int64(s, 2, source);
	ledger_bind_blob(s, 3, o->key, strlen(o->key));
	ledger_bind_text(s, 4, o->etag);
	sqlite3_bind_int64(s, 5, (int64_t)o->size);
	ledger_bind_text(s, 6, o->ses_id);
	ledger_bind_blob(s, 7, o->body, HASH_SIZE);
	ledger_bind_blob(s, 8, o->content, HASH_SIZE);
	sqlite3_bind_int64(s, 9, (int64_t)o->content_size);
	sqlite3_bind_int64(s, 10, o->arrival);
	if (ledger_run(l, s, e) < 0)
		return -1;
	if (sqlite3_changes(l->db) == 1) {
		o->id = sqlite3_last_insert_rowid(l->db);
		return 0;
	}
	if (ledger_find(l, o->oid, &found, e) < 0)
		return -1;
	o->id = found.id;
	return 0;
}

int
ledger_deleted(struct ledger *l, int64_t object, int64_t when, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "UPDATE object SET deleted = ?2"
		" WHERE id = ?1", e);

	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, object);
	sqlite3_bind_int64(s, 2, when);
	return ledger_run(l, s, e);
}

int
ledger_notice(struct ledger *l, int64_t source, const char *key,
	      bool *first_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "INSERT INTO notice"
		" VALUES (?1, ?2) ON CONFLICT DO NOTHING", e);

	*first_r = false;
	if (s == NULL)
		return -1;
	sqlite3_bind_int64(s, 1, source);
	ledger_bind_blob(s, 2, key, strlen(key));
	if (ledger_run(l, s, e) < 0)
		return -1;
	*first_r = sqlite3_changes(l->db) == 1;
	return 0;
}
