#include <config.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "hash.h"

static void
must(int ok)
{
	if (ok != 1) {
		fputs("fallbackmx: OpenSSL has no SHA-256\n", stderr);
		abort();
	}
}

/* Fetched once: looking it up costs more than hashing a small mail. Of threads
 * that do so at once the first one wins. */
static EVP_MD *
sha256(void)
{
	static _Atomic(EVP_MD *) fetched;
	EVP_MD *there = atomic_load(&fetched), *mine;

	if (there != NULL)
		return there;
	mine = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(mine != NULL);
	if (atomic_compare_exchange_strong(&fetched, &there, mine))
		return mine;
	EVP_MD_free(mine);
	return there;
}

void
hash_begin(struct hash *h)
{
	if (h->ctx == NULL)
		h->ctx = EVP_MD_CTX_new();
	must(h->ctx != NULL);
	must(EVP_DigestInit_ex2(h->ctx, sha256(), NULL));
}

void
hash_add(struct hash *h, const void *data, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, data, n));
}

void
hash_add_field(struct hash *h, const void *data, size_t n)
{
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)((uint64_t)n >> (8 * i));
	hash_add(h, length, sizeof(length));
	hash_add(h, data, n);
}

void
hash_end(struct hash *h, uint8_t digest[HASH_SIZE])
{
	must(EVP_DigestFinal_ex(h->ctx, digest, NULL));
}

void
hash_free(struct hash *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}
