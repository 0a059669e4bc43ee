/*
 * engine-private - one run's state, shared by engine, batch, recover, preview
 * and audit.
 */
#ifndef FALLBACKMX_ENGINE_PRIVATE_H
#define FALLBACKMX_ENGINE_PRIVATE_H

#include "engine.h"
#include "ledger.h"
#include "mailbox.h"
#include "recipients.h"
#include "source.h"
#include "spawner.h"
#include "spool.h"

#define BATCH_JOBS 512
#define BATCH_BOXES 256		/* mailboxes, each with a deliverer */
#define BATCH_BYTES ((uint64_t)64 << 20)
#define BATCH_SECONDS 0.2
#define FLIGHT_BYTES ((uint64_t)32 << 20)	/* sent, not yet answered */
#define FLIGHT_COPIES 64
#define STUCK_NAMED 3		/* removals that failed, by name */
#define MAILBOXES_OPEN 64	/* deliverers kept between batches */

/* One object on its way to one mailbox. */
struct copy {
	struct job *job;
	struct mailbox *box;
	enum row_state state;	/* as the ledger has it, or will have it */
	bool fresh;		/* staged in this batch */
	bool unrecorded;	/* the ledger does not have state yet */
	bool failed;		/* waits for another run */
	char name[DELIVERY_NAME_MAX];
	uint32_t added;
	unsigned char committed;	/* enum delivery_status of COMMIT */
	bool leftover;		/* delivered, and still in the stage */
};

/* One object of the batch in work. */
struct job {
	const struct object *object;
	struct version version;
	struct ledger_object entry;
	struct copy copies[TARGETS_MAX];
	size_t copies_n;
	bool keep;		/* the route says: not to be deleted */
	bool known;		/* delivered by another run: only to remove */
	bool finished;		/* has its outcome */
	const char *message_id;	/* for the log line */
};

struct batch {
	struct job jobs[BATCH_JOBS];
	size_t n;
	size_t boxes;		/* that get mail of it */
	bool full;		/* one of them takes no more */
	uint64_t bytes;
	double begun;
	struct arena arena;
	size_t flying;		/* copies sent, not yet answered */
	uint64_t flying_bytes;
};

/* Ids that grow; sorted when needed. */
struct ids {
	int64_t *list;
	size_t n, room;
};

struct engine {
	const struct settings *settings;
	const struct sync_options *options;
	struct report *report;
	struct spawner spawner;
	struct ledger *ledger;
	struct mailbox *boxes;
	struct spooler spooler;
	double begun;
	struct source_listener listener;
	/* of the source in work */
	struct source source;
	size_t source_index;
	int64_t source_id;
	uint8_t sid[HASH_SIZE];
	struct batch batch;
	struct ids seen;	/* objects of the ledger that were listed */
	struct ids recovered;	/* objects that recover finished */
	struct ids removed;	/* to be marked DELETED with the next commit */
	bool unread;		/* something listed has not been identified */
	bool whole;		/* the listing came to its end */
	size_t listed, done;	/* objects handed out; with an outcome */
	size_t unrouted, failed, stuck;
	bool stuck_told;	/* today */
};

void ids_add(struct ids *s, int64_t id);
bool ids_have(const struct ids *s, int64_t id);
void ids_sort(struct ids *s);
void ids_free(struct ids *s);

/* SHA-256(source id, key, ETag, size): what makes an object itself. */
void engine_oid(struct engine *g, const char *key, const char *etag,
		uint64_t size, uint8_t oid[HASH_SIZE]);

/* The id in the file's name: the first 32 hex digits of the oid. */
void engine_file_id(const uint8_t oid[HASH_SIZE],
		    char id[DELIVERY_ID_LEN + 1]);

/* What a stage is marked with: made of the ledger's id and the Maildir's path,
 * so that one Maildir under two names is noticed. */
void engine_mark(const struct engine *g, const char *path,
		 char mark[DELIVERY_UUID_LEN + 1]);
int engine_write_mark(const struct engine *g, struct mailbox *m,
		      struct err *e);

/* The time that the stored file gets. */
int64_t engine_arrival(const struct object *o, const struct spool *s);

/* The mailbox of a target, made on first use; not opened. ERR_PERM when there
 * is no such user (no mailbox is made), ERR_TEMP when it cannot be resolved
 * (said once), ERR_STOP from the ledger. */
int engine_mailbox(struct engine *g, size_t source, const struct target *t,
		   struct mailbox **m_r, struct err *e);

/* The same for a mailbox of the ledger; *m_r = NULL if the settings name it
 * no more. */
int engine_known_mailbox(struct engine *g, const struct ledger_mailbox *row,
			 struct mailbox **m_r, struct err *e);

/* Writes the mailbox's row in the running transaction. */
int engine_put_mailbox(struct engine *g, struct mailbox *m, struct err *e);

/* Not again in this run: closed, logged once, exit code kept. */
void engine_mailbox_failed(struct engine *g, struct mailbox *m,
			   const struct err *e);

/* An object gets its outcome: counted, and named when it is bad. */
void engine_outcome(struct engine *g, const char *key, enum outcome o);
/* One that could not be read; some by name. */
void engine_failed(struct engine *g, const struct object *o,
		   const struct err *e);
/* How many more of a source there were than were named. */
void engine_outcomes_told(struct engine *g);

/* True the first time that it is asked for that text, of the source in work:
 * what is said once. A source_listener's. */
bool engine_first(void *engine, const char *what);

/* SES's setup note, a folder marker, an empty object. */
bool engine_is_no_mail(const struct object *o);

/* True once a signal or --max-time has asked to end; the second one is a
 * source_listener's. */
bool engine_must_stop(const struct engine *g);
bool engine_stopping(void *engine);
const char *engine_why_stopped(void);

/* All sources, one after the other, with the rights that the process has now;
 * sock leads to the spawner, -1: there is none. */
void engine_run(const struct settings *s, const struct sync_options *o,
		struct report *r, int sock);

/* Adds an object to the batch; closes and commits the batch when it is full.
 * Takes over s->fd. ERR_STOP only. */
int batch_add(struct engine *g, const struct object *o, struct spool *s,
	      const struct version *v, struct err *e);
/* The same for an object that batch_wants() did not want. */
int batch_add_known(struct engine *g, const struct object *o, struct err *e);
/* False if the ledger has it at its end in every mailbox, so that nobody needs
 * its bytes; a source_listener's. */
bool batch_wants(void *engine, const struct object *o);
/* Ends a removal that batch_flush() began; a source_listener's. */
void batch_removed(void *engine, void *ticket, enum removal r,
		   const struct err *e);
/* Brings what is in the batch to its end. ERR_STOP only. */
int batch_flush(struct engine *g, struct err *e);
/* An empty batch; jobs without an outcome (after ERR_STOP) are deferred. */
void batch_reset(struct engine *g);
/* Removed objects become DELETED in the running transaction. */
int batch_mark_removed(struct engine *g, struct err *e);

/* Opens the mailbox's deliverer if it is closed, and brings to their end all
 * deliveries that an earlier run left half done. ERR_TEMP: this mailbox
 * failed (already logged). */
int recover_open(struct engine *g, struct mailbox *m, struct err *e);
/* All mailboxes that have such deliveries. */
int recover_all(struct engine *g, struct err *e);

/* Work for every object of the source, until a stop. ERR_STOP only. */
int engine_each(struct engine *g,
		int (*work)(struct engine *g, const struct object *o,
			    struct err *e), struct err *e);

/* --dry-run and --audit of the source in work. */
int preview_source(struct engine *g, struct err *e);
int audit_source(struct engine *g, struct err *e);
/* --audit of the mailboxes, after all sources. */
int audit_mailboxes(struct engine *g, struct err *e);

#endif
