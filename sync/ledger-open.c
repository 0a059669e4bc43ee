#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "ledger-private.h"
#include "lib/base/fsio.h"

#define APPLICATION_ID 0x66624d58	/* "fbMX", see sqlite.org/fileformat */
#define SCHEMA_VERSION 2
#define STRING_(x) #x
#define STRING(x) STRING_(x)

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta (uuid TEXT NOT NULL);"
	"CREATE TABLE source ("
	" id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE,"
	" sid BLOB NOT NULL, place TEXT NOT NULL DEFAULT '');"
	"CREATE TABLE mailbox ("
	" id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,"
	" user TEXT NOT NULL, generation INTEGER NOT NULL DEFAULT 0,"
	" search INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE object ("
	" id INTEGER PRIMARY KEY, oid BLOB NOT NULL UNIQUE,"
	" source INTEGER NOT NULL REFERENCES source, key BLOB NOT NULL,"
	" etag TEXT NOT NULL, size INTEGER NOT NULL, ses_id TEXT NOT NULL,"
	" body BLOB NOT NULL, content BLOB NOT NULL,"
	" content_size INTEGER NOT NULL, arrival INTEGER NOT NULL,"
	" deleted INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX object_ses ON object (ses_id) WHERE ses_id <> '';"
	"CREATE INDEX object_source ON object (source, deleted);"
	"CREATE TABLE delivery ("
	" object INTEGER NOT NULL REFERENCES object,"
	" mailbox INTEGER NOT NULL REFERENCES mailbox,"
	" state INTEGER NOT NULL, name TEXT NOT NULL,"
	" added INTEGER NOT NULL, boot TEXT NOT NULL,"
	" PRIMARY KEY (object, mailbox)) WITHOUT ROWID;"
	"CREATE INDEX delivery_open ON delivery (mailbox, state)"
	" WHERE state IN (1, 4);"
	"CREATE TABLE notice ("
	" source INTEGER NOT NULL, key BLOB NOT NULL,"
	" PRIMARY KEY (source, key)) WITHOUT ROWID;"
	"PRAGMA application_id = " STRING(APPLICATION_ID) ";"
	"PRAGMA user_version = " STRING(SCHEMA_VERSION) ";";

/* 1 to 2: where a bucket is. */
static const char upgrade[] =
	"BEGIN IMMEDIATE;"
	"ALTER TABLE source ADD COLUMN place TEXT NOT NULL DEFAULT '';"
	"PRAGMA user_version = 2;"
	"COMMIT;";

int
ledger_error(struct ledger *l, const char *doing, struct err *e)
{
	int code = sqlite3_errcode(l->db) & 0xff;
	const char *why = sqlite3_errmsg(l->db);

	if (code == SQLITE_CORRUPT && l->read_only)
		return err_stop(e, EX_TEMPFAIL, "cannot %s the ledger %s: %s; "
				"try again while no run is at work", doing,
				l->path, why);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return err_stop(e, EX_IOERR, "cannot %s the ledger %s: %s; "
				"move it away and run with --take-over: mail "
				"that is in the Maildirs is recognised there",
				doing, l->path, why);
	if (code == SQLITE_BUSY)
		return err_stop(e, EX_TEMPFAIL, "cannot %s the ledger %s: "
				"another run has held it for 60 s", doing,
				l->path);
	if (code == SQLITE_READONLY || code == SQLITE_PERM)
		return err_stop(e, EX_NOPERM, "cannot %s the ledger %s: %s",
				doing, l->path, why);
	return err_stop(e, EX_TEMPFAIL, "cannot %s the ledger %s: %s", doing,
			l->path, why);
}

/* RFC 9562 version 4, text form. */
static int
make_uuid(char uuid[DELIVERY_UUID_LEN + 1])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return -1;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(uuid, DELIVERY_UUID_LEN + 1, "%02x%02x%02x%02x-%02x%02x-"
		 "%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
		 b[12], b[13], b[14], b[15]);
	return 0;
}

static int
pragma_number(struct ledger *l, const char *sql, int *value_r, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, sql, e);

	if (s == NULL || ledger_step(l, s, e) != 1)
		return s == NULL ? -1 : ledger_error(l, "read", e);
	*value_r = sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return 0;
}

static int
create(struct ledger *l, struct err *e)
{
	char sql[128];

	if (make_uuid(l->uuid) < 0)
		return err_errno(e, "cannot make a ledger id");
	snprintf(sql, sizeof(sql), "INSERT INTO meta VALUES ('%s'); COMMIT;",
		 l->uuid);
	if (sqlite3_exec(l->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(l->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return ledger_error(l, "create", e);
	return 0;
}

static int
read_uuid(struct ledger *l, struct err *e)
{
	sqlite3_stmt *s = ledger_statement(l, "SELECT uuid FROM meta", e);
	const char *text;

	if (s == NULL)
		return -1;
	if (ledger_step(l, s, e) != 1)
		return ledger_error(l, "read", e);
	text = (const char *)sqlite3_column_text(s, 0);
	if (text == NULL || strlen(text) != DELIVERY_UUID_LEN)
		return err_stop(e, EX_IOERR, "the ledger %s has no id: it is "
				"damaged; move it away and run with "
				"--take-over", l->path);
	memcpy(l->uuid, text, sizeof(l->uuid));
	sqlite3_reset(s);
	return 0;
}

static int
check_schema(struct ledger *l, bool read_only, struct err *e)
{
	int application, version, tables;

	if (pragma_number(l, "PRAGMA application_id", &application, e) < 0 ||
	    pragma_number(l, "PRAGMA user_version", &version, e) < 0 ||
	    pragma_number(l, "SELECT count(*) FROM sqlite_schema", &tables,
			  e) < 0)
		return -1;
	if (tables == 0 && !read_only)
		return create(l, e);
	if (application != APPLICATION_ID)
		return err_stop(e, EX_CONFIG, "%s is no ledger of fallbackmx: "
				"move it away, or name another state "
				"directory", l->path);
	if (version == 1 && read_only)
		return err_stop(e, EX_TEMPFAIL, "the ledger %s is from an "
				"earlier version: the next run that imports "
				"brings it up to date", l->path);
	if (version == 1) {
		if (sqlite3_exec(l->db, upgrade, NULL, NULL,
				 NULL) != SQLITE_OK)
			return ledger_error(l, "upgrade", e);
		version = SCHEMA_VERSION;
	}
	if (version != SCHEMA_VERSION)
		return err_stop(e, EX_CONFIG, "the ledger %s has schema "
				"version %d, this program knows %d: use a "
				"newer fallbackmx", l->path, version,
				SCHEMA_VERSION);
	return read_uuid(l, e);
}

static int
settings(struct ledger *l, struct err *e)
{
	const char *full = "PRAGMA synchronous = FULL"; /* STEP ledger-sync */
	sqlite3_stmt *wal = ledger_statement(l, "PRAGMA journal_mode = WAL",
					     e);
	const unsigned char *mode;
	bool ok;

	if (wal == NULL || ledger_step(l, wal, e) != 1)
		return wal == NULL ? -1 : ledger_error(l, "open", e);
	mode = sqlite3_column_text(wal, 0);
	ok = mode != NULL && strcmp((const char *)mode, "wal") == 0;
	sqlite3_reset(wal);
	if (!ok)
		return err_stop(e, EX_CONFIG, "cannot keep the ledger %s in "
				"WAL mode: put the state directory on a local "
				"file system", l->path);
	if (sqlite3_exec(l->db, full, NULL, NULL, NULL) != SQLITE_OK)
		return ledger_error(l, "open", e);
	return 0;
}

/* sqlite.org/uri.html: only these three bytes are special in a path. */
static void
make_uri(char *uri, const char *path, const char *query)
{
	char *to = uri + sizeof("file:") - 1;

	memcpy(uri, "file:", sizeof("file:"));
	for (; *path != '\0'; path++)
		if (strchr("%?#", *path) != NULL)
			to += snprintf(to, 4, "%%%02X", (unsigned char)*path);
		else
			*to++ = *path;
	memcpy(to, query, strlen(query) + 1);
}

/* Readers leave no trace: a ledger that nobody uses has no WAL beside it and
 * is read without making one; a WAL that is there is read too, its index (the
 * -shm file) mapped for reading only. */
static int
open_database(struct ledger *l, bool read_only, struct err *e)
{
	char uri[3 * sizeof(l->path) + 64];
	char wal[sizeof(l->path) + 8];
	const char *query = "";
	int flags = SQLITE_OPEN_URI | (read_only ? SQLITE_OPEN_READONLY
		  : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	snprintf(wal, sizeof(wal), "%s-wal", l->path);
	if (read_only)
		query = access(wal, F_OK) < 0 ? "?immutable=1"
					      : "?readonly_shm=1";
	make_uri(uri, l->path, query);
	if (sqlite3_open_v2(uri, &l->db, flags, NULL) != SQLITE_OK)
		return l->db == NULL
		     ? err_stop(e, EX_OSERR, "cannot open %s", l->path)
		     : ledger_error(l, "open", e);
	sqlite3_busy_timeout(l->db, 60000);
	sqlite3_exec(l->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	return read_only ? 0 : settings(l, e);
}

/* The names of the ledger's files must survive a power cut too. */
static int
sync_directory(const char *dir, struct err *e)
{
	int fd = fsio_opendir(AT_FDCWD, dir);
	int r = fd < 0 ? -1 : fsio_sync(fd);

	fsio_close(&fd);
	if (r == 0)
		return 0;
	err_errno(e, "cannot sync %s", dir);
	e->kind = ERR_STOP;
	e->code = EX_TEMPFAIL;
	return -1;
}

/* One run at a time makes the ledger. */
static int
lock_creation(const char *dir, int *fd_r, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/ledger.lock", dir);
	*fd_r = fsio_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW,
			    0600);
	if (*fd_r >= 0 && flock(*fd_r, LOCK_EX) == 0)
		return 0;
	err_errno(e, "cannot lock %s", path);
	e->kind = ERR_STOP;
	e->code = EX_TEMPFAIL;
	fsio_close(fd_r);
	return -1;
}

static int
open_checked(struct ledger *l, const char *dir, bool read_only,
	     struct err *e)
{
	bool fresh = access(l->path, F_OK) < 0;

	if (open_database(l, read_only, e) < 0 ||
	    check_schema(l, read_only, e) < 0)
		return -1;
	return fresh ? sync_directory(dir, e) : 0;
}

int
ledger_open(struct ledger **l_r, const char *dir, bool read_only,
	    struct err *e)
{
	struct ledger *l = mem_alloc(sizeof(*l));
	int lock = -1;
	int r;

	*l_r = NULL;
	l->read_only = read_only;
	snprintf(l->path, sizeof(l->path), "%s/ledger.db", dir);
	if (read_only && access(l->path, F_OK) < 0) {
		free(l);
		return 0;
	}
	r = read_only ? 0 : lock_creation(dir, &lock, e);
	if (r == 0)
		r = open_checked(l, dir, read_only, e);
	fsio_close(&lock);
	if (r < 0)
		ledger_close(l);
	else
		*l_r = l;
	return r;
}

void
ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	ledger_rollback(l);
	for (size_t i = 0; i < LEDGER_STATEMENTS; i++)
		sqlite3_finalize(l->prepared[i].statement);
	sqlite3_close(l->db);
	free(l);
}
