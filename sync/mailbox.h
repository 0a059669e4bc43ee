/*
 * mailbox - the engine's end of one deliverer: one Maildir, in this run.
 *
 * A mailbox that fails stays failed for the run; its mail waits and the others
 * go on. What a deliverer answers is checked: it runs as its user, who is
 * nobody that we trust.
 */
#ifndef FALLBACKMX_MAILBOX_H
#define FALLBACKMX_MAILBOX_H

#include "ledger.h"
#include "lib/base/delivery.h"
#include "spawner.h"

enum mailbox_state {
	MAILBOX_CLOSED,
	MAILBOX_OPEN,		/* deliverer runs, stage locked, recovered */
	MAILBOX_FAILED,		/* not again in this run; why was logged */
};

/* Names of ours in a Maildir, sorted by their id. */
struct names {
	char *data;
	const char **list;	/* "NAME", or "n/NAME" and "c/NAME" */
	size_t n;
};

struct copy;

struct mailbox {
	struct mailbox *next;
	char *path;
	size_t source;			/* who may ask the spawner for it */
	struct target target;
	struct ledger_mailbox row;
	enum mailbox_state state;
	int sock;
	double used;			/* when it last had mail (monotonic) */
	uint64_t mark;			/* generation found in the stage */
	bool marked;			/* this run's mark is written */
	bool touched;			/* row is to be written */
	struct names delivered;		/* when row.search is set */
	unsigned refused;		/* mails that it could not take */
	/* of the batch in work */
	struct copy *copies[DELIVERY_BATCH_MAX];
	size_t copies_n, answered;
};

struct answer {
	struct delivery_answer a;
	unsigned char status[DELIVERY_BATCH_MAX];
};

/* Starts the deliverer and says HELLO (flags: enum delivery_flags): w_r holds
 * the mark, or the status DELIVERY_BUSY. */
int mailbox_start(struct mailbox *m, struct spawner *sp, uint32_t flags,
		  struct answer *w_r, struct err *e);

/* One request; fd -1 = none. ERR_TEMP when the deliverer has gone. */
int mailbox_send(struct mailbox *m, const struct delivery_request *q,
		 const void *tail, size_t n, int fd, struct err *e);

/* The next answer, which must be one to op; *fd_r (if not NULL) is the
 * caller's. A deliverer's "failed" is -1 with its text; status bytes are there
 * in that case too, else a.count is 0. */
int mailbox_receive(struct mailbox *m, enum delivery_op op,
		    struct answer *w_r, int *fd_r, struct err *e);

/* Both; op and flags only. */
int mailbox_ask(struct mailbox *m, enum delivery_op op, uint32_t flags,
		struct answer *w_r, int *fd_r, struct err *e);

/* A new mark, one generation on: before the first mail of a run. */
int mailbox_mark(struct mailbox *m, const char *uuid, struct err *e);

/* COMMIT or DROP of n names (n <= DELIVERY_BATCH_MAX), and its answer. */
int mailbox_send_names(struct mailbox *m, enum delivery_op op,
		       const char *const *names, size_t n, struct err *e);
int mailbox_receive_names(struct mailbox *m, enum delivery_op op, size_t n,
			  struct answer *w_r, struct err *e);
/* Both. */
int mailbox_names(struct mailbox *m, enum delivery_op op,
		  const char *const *names, size_t n, struct answer *w_r,
		  struct err *e);

int mailbox_list(struct mailbox *m, bool staged, struct names *r_r,
		 struct err *e);

/*
 * True in *same_r if the delivered file ("n/NAME" or "c/NAME") holds content
 * behind added bytes of lines. A file that is no more is not the same.
 */
int mailbox_holds(struct mailbox *m, const char *where, uint64_t added,
		  uint64_t content_size, const uint8_t content[HASH_SIZE],
		  bool *same_r, struct err *e);

/* Ends the deliverer. Frees no names. */
void mailbox_close(struct mailbox *m);
void mailbox_free(struct mailbox *m);

/* The name with that id (32 hex digits), or NULL. */
const char *names_find(const struct names *s, const char *id);
void names_free(struct names *s);

#endif
