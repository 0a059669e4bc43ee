/*
 * s3-page - one answer to ListObjectsV2 (AWS "ListObjectsV2", list-type=2).
 * Pure: bytes in, objects out. What a server must not say is an error, so that
 * nothing is concluded from half a listing: a truncated page without a token,
 * no IsTruncated at all, a key that does not begin with the prefix asked for.
 */
#ifndef FALLBACKMX_S3_PAGE_H
#define FALLBACKMX_S3_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct s3_object {
	const char *key;	/* decoded, behind the prefix */
	const char *etag;	/* without quotes */
	uint64_t size;
	int64_t mtime;		/* seconds since 1970 */
	long mtime_ns;
};

struct s3_page {
	struct arena arena;	/* of all texts */
	struct s3_object *list;	/* in the server's order: that of the keys */
	size_t n;
	const char *token;	/* of the next page; NULL: this is the last */
	/* while it is read */
	const char *prefix;
	size_t room;
	struct xml *xml;
	bool encoded, seen_truncated, truncated;
	struct s3_object now;
	const char *raw_key;
};

/* prefix stays valid until the end; "" for none. */
void s3_page_begin(struct s3_page *p, const char *prefix);
int s3_page_add(struct s3_page *p, const void *data, size_t n, struct err *e);
int s3_page_end(struct s3_page *p, struct err *e);

/* Also in the middle of it; a zeroed page is free. */
void s3_page_free(struct s3_page *p);

#endif
