/* ledger-private - shared by the ledger's files only. */
#ifndef FALLBACKMX_LEDGER_PRIVATE_H
#define FALLBACKMX_LEDGER_PRIVATE_H

#include <sqlite3.h>

#include "ledger.h"

enum { LEDGER_STATEMENTS = 32 };

struct ledger {
	sqlite3 *db;
	char path[4096];
	bool read_only;
	char uuid[DELIVERY_UUID_LEN + 1];
	enum { LEDGER_IDLE, LEDGER_READING, LEDGER_WRITING } state;
	/* prepared once, by the address of their text */
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} prepared[LEDGER_STATEMENTS];
};

/* The statement of a string literal, reset; NULL with e set on failure. */
sqlite3_stmt *ledger_statement(struct ledger *l, const char *sql,
			       struct err *e);

/* Runs a statement that gives no rows. */
int ledger_run(struct ledger *l, sqlite3_stmt *s, struct err *e);

/* 1: a row is there, 0: no more, -1: failed. Resets unless there is a row. */
int ledger_step(struct ledger *l, sqlite3_stmt *s, struct err *e);

void ledger_bind_blob(sqlite3_stmt *s, int at, const void *data, size_t n);
void ledger_bind_text(sqlite3_stmt *s, int at, const char *text);
void ledger_column_hash(sqlite3_stmt *s, int at, uint8_t hash[HASH_SIZE]);
const char *ledger_column_string(sqlite3_stmt *s, int at, struct arena *a);

/* ERR_STOP with what SQLite says, and the remedy where there is one. */
int ledger_error(struct ledger *l, const char *doing, struct err *e);

#endif
