/*
 * secret - files and memory that hold keys: read with care, wiped before they
 * are given back. The only place that knows how to wipe.
 */
#ifndef FALLBACKMX_SECRET_H
#define FALLBACKMX_SECRET_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"

struct secret {
	char *data;		/* NUL behind the last byte; NULL: no file */
	size_t len;
	mode_t mode;		/* of the file that it came from */
	uid_t uid;
	gid_t gid;
};

/*
 * Reads a regular file of at most max bytes, without waiting for anything (a
 * FIFO is refused). No such file: 0, and data is NULL. Refused with ERR_STOP
 * and the command that mends it: a directory, NUL bytes, more bytes, a file
 * that belongs to somebody else than root or us, one that others may write.
 */
int secret_read(struct secret *s, const char *path, size_t max,
		struct err *e);

/*
 * -1, ERR_STOP (EX_CONFIG), with the chmod to run, if others may read the file
 * that s came from. Its group may, where that is root's, ours, or that of the
 * engine's user.
 */
int secret_guarded(const struct secret *s, const char *path, struct err *e);

/* Wipes and frees; s is empty then. */
void secret_free(struct secret *s);

/* The compiler leaves it in, unlike memset(3) in front of free(3). */
void secret_wipe(void *data, size_t n);

#endif
