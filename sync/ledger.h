/*
 * ledger - what was delivered where; SQLite in the state directory.
 *
 * A row of `delivery` is one object for one mailbox and goes through the
 * states of docs/internals.md ("Exactly once"). Writes are grouped between
 * ledger_begin() and ledger_commit(); after a commit they are on disk (WAL,
 * synchronous=FULL: measured to survive a power cut). Any trouble with the
 * ledger is ERR_STOP: without it nothing may be delivered or deleted.
 */
#ifndef FALLBACKMX_LEDGER_H
#define FALLBACKMX_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/delivery.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"

#define LEDGER_RETENTION (90 * 86400)	/* seconds that a DELETED is known */

enum row_state {
	ROW_NONE,		/* not in the ledger */
	ROW_INTENT,		/* staged durably; perhaps renamed */
	ROW_DONE,		/* durably in the Maildir */
	ROW_DUPLICATE,		/* the same mail is delivered by another row */
	ROW_SUSPECT,		/* renamed, but a sync failed */
};

struct ledger_object {
	int64_t id;		/* 0: unknown */
	bool deleted;		/* removed from its source */
	uint8_t oid[HASH_SIZE];
	const char *key, *etag, *ses_id;
	uint64_t size, content_size;
	uint8_t body[HASH_SIZE], content[HASH_SIZE];
	int64_t arrival;
};

/*
 * object.deleted: 0 listed, > 0 removed by us at that time, < 0 missing in a
 * complete listing since then. What comes back after that is planned like any
 * other; its rows say what was delivered.
 */

struct ledger_row {
	int64_t object, mailbox;
	enum row_state state;
	const char *name;	/* of the file, flags apart */
	const char *boot;	/* boot id when it became INTENT */
	const char *key;	/* of its object, for messages */
	uint64_t added;		/* bytes of lines in front of the content */
	uint64_t content_size;
	uint8_t content[HASH_SIZE];
	bool gone;		/* its object is not in the source any more */
};

struct ledger_mailbox {
	int64_t id;
	uint64_t generation;	/* of the mark in its stage */
	bool search;		/* it may hold mails that have no row here */
	const char *path, *user;
	bool open;		/* has INTENT or SUSPECT rows */
};

struct ledger;

/*
 * Opens DIR/ledger.db; creates it unless read_only, in which case a missing
 * one gives *l_r = NULL. A damaged, foreign, newer or unreadable one is
 * refused with the remedy. Waits up to 60 s for another run's transaction.
 */
int ledger_open(struct ledger **l_r, const char *dir, bool read_only,
		struct err *e);
void ledger_close(struct ledger *l);

/* Made once with the ledger; 36 characters. */
const char *ledger_uuid(const struct ledger *l);

/* Until the next ledger_begin() all questions see one moment, and are cheap:
 * the database's locks are taken once. */
int ledger_read(struct ledger *l, struct err *e);

int ledger_begin(struct ledger *l, struct err *e);
int ledger_commit(struct ledger *l, struct err *e);
/* Gives up the transaction, if one is open. Cannot fail. */
void ledger_rollback(struct ledger *l);

/* The id of a source, made from its first URL and kept. A new one gets its
 * row inside a transaction, outside of one *id_r is 0. */
int ledger_source(struct ledger *l, const char *url, int64_t *id_r,
		  uint8_t sid_r[HASH_SIZE], struct err *e);

/* Where a source was read so far (struct endpoint's place), "" if nobody has
 * said; written in a transaction. */
int ledger_place(struct ledger *l, int64_t source, struct arena *a,
		 const char **place_r, struct err *e);
int ledger_set_place(struct ledger *l, int64_t source, const char *place,
		     struct err *e);

/* The mailbox with that path; a new one is made inside a transaction, outside
 * of one its id is 0. */
int ledger_mailbox(struct ledger *l, const char *path, const char *user,
		   struct ledger_mailbox *m_r, struct err *e);
/* Writes generation and search of the row with that id. */
int ledger_mailbox_update(struct ledger *l, const struct ledger_mailbox *m,
			  struct err *e);
/* All of them, in memory of the arena. */
int ledger_mailboxes(struct ledger *l, struct arena *a,
		     struct ledger_mailbox **list_r, size_t *n_r,
		     struct err *e);

/* id, deleted of the object with that oid; id 0 if there is none. */
int ledger_find(struct ledger *l, const uint8_t oid[HASH_SIZE],
		struct ledger_object *o_r, struct err *e);
/* Adds it and sets o->id, or finds it again. */
int ledger_add(struct ledger *l, int64_t source, struct ledger_object *o,
	       struct err *e);

/* The state of the row of an object and a mailbox; ROW_NONE without one. */
int ledger_state(struct ledger *l, int64_t object, int64_t mailbox,
		 enum row_state *state_r, struct err *e);
/* Writes object, mailbox, state, name, added, boot; replaces an old row. */
int ledger_put(struct ledger *l, const struct ledger_row *r, struct err *e);
/* Only if the row is still in state from: another run may have been faster.
 * r->boot becomes the row's. */
int ledger_move(struct ledger *l, const struct ledger_row *r,
		enum row_state from, enum row_state to, struct err *e);
/* INTENT or SUSPECT back to nothing: the mail is not in the Maildir. */
int ledger_forget(struct ledger *l, const struct ledger_row *r, struct err *e);

/* The state of another object's delivery to that mailbox with the same SES id
 * and body; ROW_NONE if there is none. */
int ledger_twin(struct ledger *l, const struct ledger_object *o,
		int64_t mailbox, enum row_state *state_r, struct err *e);

/* The rows of a mailbox in that state, oldest first, at most limit (-1: all),
 * in memory of the arena. */
int ledger_rows(struct ledger *l, int64_t mailbox, enum row_state state,
		int limit, struct arena *a, struct ledger_row **list_r,
		size_t *n_r, struct err *e);

/* True in *done_r if that file of the mailbox has a row in DONE. */
int ledger_is_done(struct ledger *l, int64_t mailbox, const char *name,
		   bool *done_r, struct err *e);

/* The mailbox is the same, its path is another (needs a transaction). */
int ledger_mailbox_move(struct ledger *l, int64_t mailbox, const char *path,
			struct err *e);

/* True in *settled_r if every row of the object is DONE, or a DUPLICATE whose
 * twin is DONE. */
int ledger_settled(struct ledger *l, const struct ledger_object *o,
		   bool *settled_r, struct err *e);

int ledger_deleted(struct ledger *l, int64_t object, int64_t when,
		   struct err *e);

/*
 * After a complete listing, all of it read: objects that are not among the
 * seen ids (sorted) are missing from now on, those that are seen are not. What
 * has been gone for LEDGER_RETENTION is forgotten, unless it has an INTENT.
 */
int ledger_prune(struct ledger *l, int64_t source, const int64_t *seen,
		 size_t n, int64_t now, struct err *e);

/* True in *first_r the first time it is asked for that key. */
int ledger_notice(struct ledger *l, int64_t source, const char *key,
		  bool *first_r, struct err *e);

#endif
