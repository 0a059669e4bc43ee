/*
 * hash - SHA-256 (FIPS 180-4) by OpenSSL. A failure of the library is a bug or
 * a broken installation: it aborts, so callers need no error path. Any thread
 * may have a struct hash of its own.
 */
#ifndef FALLBACKMX_HASH_H
#define FALLBACKMX_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE 32

struct hash {
	struct evp_md_ctx_st *ctx;	/* kept between uses */
};

void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t n);
/* Length first, so that ("ab","c") and ("a","bc") differ. */
void hash_add_field(struct hash *h, const void *data, size_t n);
void hash_end(struct hash *h, uint8_t digest[HASH_SIZE]);
void hash_free(struct hash *h);

#endif
