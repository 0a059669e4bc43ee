/*
 * s3-delete - the bodies of DeleteObjects (AWS "DeleteObjects", POST ?delete):
 * up to 1000 keys in one request, an answer for each of them. Pure.
 */
#ifndef FALLBACKMX_S3_DELETE_H
#define FALLBACKMX_S3_DELETE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#define S3_DELETE_MD5_SIZE 25	/* base64 of an MD5, with the final NUL */

/* Can the key stand in XML 1.0? Control bytes and what is no UTF-8 cannot. */
bool s3_delete_takes(const char *key);

void s3_delete_begin(struct buf *body);
void s3_delete_key(struct buf *body, const char *key);
/* Content-MD5 of the whole body, which servers ask for (some take nothing
 * else). -1 where OpenSSL has no MD5 (FIPS). */
int s3_delete_end(struct buf *body, char md5[S3_DELETE_MD5_SIZE]);

/* What the answer says of one key. */
struct s3_deleted {
	const char *key;
	const char *code;	/* NULL: deleted */
	const char *message;
};

struct s3_delete_answer {
	struct s3_deleted *list;	/* in the server's order */
	size_t n;
	struct arena arena;
	/* while it is read */
	size_t room;
	struct xml *xml;
	struct s3_deleted now;
};

void s3_delete_answer_begin(struct s3_delete_answer *a);
int s3_delete_answer_add(struct s3_delete_answer *a, const void *data,
			 size_t n, struct err *e);
int s3_delete_answer_end(struct s3_delete_answer *a, struct err *e);
/* Also in the middle of it; a zeroed one is free. */
void s3_delete_answer_free(struct s3_delete_answer *a);

#endif
