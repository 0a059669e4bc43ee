/*
 * checksum - did an object arrive as it was stored? The headers of the answer
 * to GetObject say what its bytes must give (S3 User Guide, "Checking object
 * integrity"); x-amz-checksum-* are sent if the request has the header
 * "x-amz-checksum-mode: ENABLED".
 *
 * The first of these that applies is compared, one is enough:
 *   x-amz-checksum-crc64nvme, -crc32c, -crc32, -sha256, -sha1, unless it is
 *   composite (made of the checksums of parts);
 *   the ETag, where it is the MD5 of the bytes: 32 hexadecimal digits, and not
 *   encrypted with a key of KMS or the customer's, nor in a directory bucket.
 *   Without MD5 (FIPS) it is not compared.
 *
 * Pure. Keeps its memory between objects.
 */
#ifndef FALLBACKMX_CHECKSUM_H
#define FALLBACKMX_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct checksum {
	const struct checksum_kind *kind;	/* NULL: nothing to compare */
	char expected[96];
	uint64_t crc;
	struct evp_md_ctx_st *ctx;
};

/* headers: as http_header() takes them. */
void checksum_begin(struct checksum *c, const struct buf *headers);
void checksum_add(struct checksum *c, const void *data, size_t n);

/* ERR_TEMP if the bytes are not what they should be: another GET may bring
 * the right ones. 0 also if there is nothing to compare with. */
int checksum_end(struct checksum *c, struct err *e);

/* The header that is compared, "ETag" or another; NULL: none. */
const char *checksum_name(const struct checksum *c);
void checksum_free(struct checksum *c);

#endif
