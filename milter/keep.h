/*
 * keep - what an archive wants of a message beside what policies look at: its
 * bytes, the parameters of its envelope, and what makes it the same message
 * when it comes again. Part of a message, kept only where an archive may be
 * asked.
 *
 * The bytes are those of RFC 5322 as far as a milter sees them: NAME ":" VALUE
 * CR LF for each field, the LF of a fold as CR LF, an empty line, the body as
 * it comes.
 */
#ifndef FALLBACKMX_MILTER_KEEP_H
#define FALLBACKMX_MILTER_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "bulk.h"

/* Zero-initialised: nothing is kept. */
struct keep {
	bool on;
	struct bulk bulk;
	struct hash fields, body;	/* Message-ID, Date, From; the body */
	uint8_t same[HASH_SIZE];	/* of both, behind keep_close() */
	bool closed;
	/* Of MAIL and of each recipient: how the client wrote it, and the
	 * parameters, a blank between them; "": none. */
	struct keep_address {
		const char *written, *parameters;
	} mail, *rcpt;
	size_t rcpt_n, rcpt_room;
	const char *client_name, *client_port, *auth_type;	/* NULL: not
								 * told */
};

/* dir: where a large message may wait. arguments: of MAIL, may be NULL. */
void keep_begin(struct keep *k, const char *dir, char *const *arguments,
		struct arena *a);
void keep_recipient(struct keep *k, char *const *arguments, struct arena *a);
void keep_field(struct keep *k, const char *name, const char *value,
		bool blank);
void keep_header_end(struct keep *k);
void keep_body(struct keep *k, const void *data, size_t n);

/* Nothing more comes: k->same is made. */
void keep_close(struct keep *k);
void keep_end(struct keep *k);

#endif
