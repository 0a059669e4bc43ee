/*
 * maildir - durable delivery into one Maildir, as its owner.
 *
 * Mails are written into MAILDIR/fallbackmx.stage/, made durable, and appear in
 * new/ by one rename each (cr.yp.to/proto/maildir.html, with a directory of our
 * own in place of tmp/: mail programs sweep tmp/ after 36 h, and the stage is
 * the witness of what was delivered). While a maildir is open it holds a lock
 * on the stage, so deliverers of one Maildir never overlap.
 *
 * The Maildir itself may be a symbolic link of its owner's; below it nothing
 * is followed, and everything must belong to the current user. All errors are
 * ERR_TEMP: one user's trouble must not stop the others.
 */
#ifndef FALLBACKMX_MAILDIR_H
#define FALLBACKMX_MAILDIR_H

#include <sys/types.h>

#include "lib/base/delivery.h"
#include "lib/base/err.h"

struct staged {
	char name[DELIVERY_NAME_MAX];
	int fd;			/* open until its rename is durable */
	dev_t dev;
	ino_t ino;
};

struct maildir {
	const char *path;
	int dir, new, cur, stage;	/* -1: not open */
	bool read_only;			/* opened so: list and read only */
	bool syncfs;			/* this file system's syncfs is sound */
	struct staged files[DELIVERY_BATCH_MAX];
	size_t files_n;
};

/* A maildir that is not open. */
void maildir_init(struct maildir *m, const char *path);

/*
 * Opens it; creates a missing Maildir (0700) in an existing parent, unless it
 * is known to have been there (its disk may not be mounted), and the stage. A
 * directory that holds other things but no new/ is refused: it is a mistake in
 * the configuration, not a Maildir. With READ_ONLY nothing is created or
 * locked, and a missing stage is no error (stage = -1).
 * Waits up to 5 s for another deliverer's lock; with NO_WAIT *busy_r tells.
 * flags: enum delivery_flags of HELLO.
 */
int maildir_open(struct maildir *m, unsigned flags, bool *busy_r,
		 struct err *e);

/* The mark in the stage; no or no valid mark: uuid_r "" and 0. */
int maildir_mark_read(struct maildir *m, char uuid_r[DELIVERY_UUID_LEN + 1],
		      uint64_t *generation_r, struct err *e);

/* Replaces the mark. Durable with the next maildir_sync_stage(). */
int maildir_mark_write(struct maildir *m, const char *uuid,
		       uint64_t generation, struct err *e);

/*
 * Writes added, then size bytes of fd (CRLF to LF unless verbatim) as
 * stage/NAME with mtime; a leftover of that name is replaced. *size_r is the
 * size of the file. On failure nothing is left.
 */
int maildir_put(struct maildir *m, const struct delivery_request *q,
		const char *added, int fd, uint64_t *size_r, struct err *e);

/* After 0 all that was put is on disk, in the stage. */
int maildir_sync_stage(struct maildir *m, struct err *e);

/*
 * stage/NAME becomes new/NAME, never over another file. OK also if that had
 * happened before and the file is still in new/. MISSING: in neither. EXISTS
 * and MISSING leave everything as it was.
 */
enum delivery_status maildir_commit(struct maildir *m, const char *name,
				    struct err *e);

/* After 0 the renames are on disk, in stage/ and in new/. After a failure
 * nobody knows, and asking again would not tell. */
int maildir_sync_new(struct maildir *m, struct err *e);

/* A new descriptor: a sealed memfd with the names (delivery.h, LIST). */
int maildir_list(struct maildir *m, bool staged, int *fd_r, struct err *e);

/* A delivered file's bytes, in a sealed memfd: a file system of the user's own
 * (FUSE) must not make the engine wait. Missing: returns 0, *fd_r = -1. */
int maildir_read(struct maildir *m, const char *name, bool cur, int *fd_r,
		 struct err *e);

/* Takes stage/NAME away; it may be gone already. */
int maildir_drop(struct maildir *m, const char *name, struct err *e);

void maildir_close(struct maildir *m);

#endif
