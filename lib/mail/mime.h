/*
 * mime - a mail cut into its parts (RFC 2045, 2046), for people to read.
 *
 * Only what has bytes of its own is a part; a mail without MIME is one. A
 * multipart that cannot be cut (no boundary, none of its lines is there, or it
 * lies MIME_DEPTH deep) is a part too, as it stands. A message in a message is
 * a part and is not cut. Nothing is refused: what is missing has its default,
 * what does not end ends with the mail.
 *
 * Looked at are MIME_PARTS_MAX parts; `limits` says that there are more. Linear
 * time. Pure after decode_init(). Texts are the arena's, bodies the caller's
 * bytes. No threads.
 */
#ifndef FALLBACKMX_MIME_H
#define FALLBACKMX_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

#define MIME_DEPTH 16
#define MIME_PARTS_MAX ((size_t)1000)

enum mime_encoding {
	MIME_AS_IT_IS,		/* also one that is not known */
	MIME_BASE64,
	MIME_QUOTED,
};

struct mime_part {
	const char *type;	/* "text/plain", lower case, printable ASCII */
	const char *charset;	/* "": not said */
	const char *name;	/* of a file, as decode_text() makes it; "" */
	bool attachment;	/* it asks not to be shown (RFC 2183) */
	enum mime_encoding encoding;
	const char *body;	/* as it came */
	size_t body_n;
};

struct mime {
	struct mime_part *all;	/* in the order of the mail */
	size_t n;		/* at least 1 */
	bool limits;
};

/* text: the whole mail, n bytes. */
void mime_read(struct mime *m_r, const char *text, size_t n, struct arena *a);

/* Adds the part's own bytes to out, as far as there is room. Returns how many
 * there are. */
size_t mime_decode(const struct mime_part *p, struct buf *out);

#endif
