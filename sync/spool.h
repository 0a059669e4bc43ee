/*
 * spool - a private copy of one object, measured while it is made.
 *
 * Up to SPOOL_MEMORY_MAX bytes in a sealed memfd, larger ones in an unnamed
 * file of the state directory that is re-opened for reading: whoever gets the
 * descriptor can change nothing. One pass over the bytes, flat memory.
 */
#ifndef FALLBACKMX_SPOOL_H
#define FALLBACKMX_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/eol.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/mail/received.h"

#define SPOOL_CHUNK ((size_t)65536)
#define SPOOL_MEMORY_MAX ((uint64_t)1 << 20)

struct spool {
	int fd;				/* read-only; -1: only measured */
	uint64_t size;			/* bytes of the object */
	uint64_t content_size;		/* bytes as stored, added lines apart */
	uint8_t object[HASH_SIZE];	/* SHA-256 of the object, if wanted */
	uint8_t body[HASH_SIZE];	/* of what follows the header */
	uint8_t content[HASH_SIZE];	/* of the bytes as stored */
	struct received received;	/* what SES wrote on top */
	char message_id[256];		/* of the sender; only for the log */
};

/* Makes spools one after the other; zero-initialised is ready. */
struct spooler {
	const char *dir;	/* for large objects; NULL: measure only */
	bool verbatim;		/* stored as it is: content = object */
	bool identify;		/* object is wanted: the source has no ETags */
	/* the spool in work */
	bool begun;
	int fd;
	bool whole, in_body, file;
	size_t column;		/* bytes of the header line so far */
	bool only_cr;		/* ... and they are one CR */
	uint64_t size, content_size;
	struct eol eol;
	struct hash object, body, content;
	char head[RECEIVED_HEAD_MAX];
	size_t head_len;
	/* room for whoever reads, and for the conversion */
	char in[SPOOL_CHUNK], out[SPOOL_CHUNK + 1];
};

/* size is what the source says; only the choice of the place depends on it.
 * ERR_TEMP when the state directory has no room for this one. */
int spool_begin(struct spooler *s, uint64_t size, struct err *e);
int spool_add(struct spooler *s, const void *data, size_t n, struct err *e);
/* On success *r_r owns the descriptor. */
int spool_end(struct spooler *s, struct spool *r_r, struct err *e);
/* Gives up the spool in work; also before the first. */
void spool_cancel(struct spooler *s);

void spooler_free(struct spooler *s);

#endif
