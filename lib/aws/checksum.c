#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "checksum.h"
#include "http.h"
#include "lib/base/crc.h"
#include "lib/base/text.h"

#define DIGEST_MAX 32
#define MD5_DIGITS 32

struct checksum_kind {
	const char *header, *name;
	size_t size;		/* bytes */
	const char *digest;	/* OpenSSL's name; NULL: crc */
	enum crc crc;
};

static const struct checksum_kind kinds[] = {
	{ "x-amz-checksum-crc64nvme", "CRC-64/NVME", 8, NULL, CRC_64NVME },
	{ "x-amz-checksum-crc32c", "CRC-32C", 4, NULL, CRC_32C },
	{ "x-amz-checksum-crc32", "CRC-32", 4, NULL, CRC_32 },
	{ "x-amz-checksum-sha256", "SHA-256", 32, "SHA256", 0 },
	{ "x-amz-checksum-sha1", "SHA-1", 20, "SHA1", 0 },
	{ "ETag", "MD5", 16, "MD5", 0 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define ETAG (&kinds[KINDS - 1])

/* Fetched once; a provider that lacks one (MD5 under FIPS) lacks it for good.
 */
static const EVP_MD *
find_digest(const struct checksum_kind *kind)
{
	static EVP_MD *found[KINDS];
	static bool asked[KINDS];
	const size_t i = (size_t)(kind - kinds);

	if (!asked[i])
		found[i] = EVP_MD_fetch(NULL, kind->digest, NULL);
	asked[i] = true;
	return found[i];
}

static void
must(int ok)
{
	if (ok != 1) {
		fputs("fallbackmx: OpenSSL cannot hash\n", stderr);
		abort();
	}
}

static bool
is(const struct buf *headers, const char *name, const char *value)
{
	const char *found = http_header(headers, name);

	return found != NULL && strcasecmp(found, value) == 0;
}

/* "...-3" is made of three parts. */
static const char *
whole_checksum(const struct buf *headers, const struct checksum_kind *kind)
{
	const char *value = http_header(headers, kind->header);

	if (value == NULL || strchr(value, '-') != NULL ||
	    is(headers, "x-amz-checksum-type", "COMPOSITE"))
		return NULL;
	return value;
}

/* Amazon S3 API Reference, "Object": when the ETag is an MD5. */
static const char *
etag_md5(const struct buf *headers)
{
	const char *key = "x-amz-server-side-encryption";
	const char *etag = http_header(headers, ETAG->header);

	if (etag == NULL || etag[0] != '"' ||
	    strspn(etag + 1, "0123456789abcdefABCDEF") != MD5_DIGITS ||
	    strcmp(etag + 1 + MD5_DIGITS, "\"") != 0)
		return NULL;
	if (http_header(headers, key) != NULL && !is(headers, key, "AES256"))
		return NULL;
	if (http_header(headers, "x-amz-server-side-encryption-customer-"
			"algorithm") != NULL ||
	    is(headers, "x-amz-storage-class", "EXPRESS_ONEZONE"))
		return NULL;
	return etag + 1;
}

void
checksum_begin(struct checksum *c, const struct buf *headers)
{
	c->kind = NULL;
	c->crc = 0;
	for (const struct checksum_kind *k = kinds; k < kinds + KINDS; k++) {
		const char *value = k == ETAG ? etag_md5(headers) :
						whole_checksum(headers, k);

		if (value == NULL ||
		    (k->digest != NULL && find_digest(k) == NULL))
			continue;
		c->kind = k;
		snprintf(c->expected, sizeof(c->expected), "%.*s",
			 k == ETAG ? MD5_DIGITS : (int)sizeof(c->expected) - 1,
			 value);
		break;
	}
	if (c->kind == NULL || c->kind->digest == NULL)
		return;
	if (c->ctx == NULL)
		c->ctx = EVP_MD_CTX_new();
	must(c->ctx != NULL);
	must(EVP_DigestInit_ex2(c->ctx, find_digest(c->kind), NULL));
}

void
checksum_add(struct checksum *c, const void *data, size_t n)
{
	if (c->kind == NULL)
		return;
	if (c->kind->digest != NULL)
		must(EVP_DigestUpdate(c->ctx, data, n));
	else
		c->crc = crc_add(c->kind->crc, c->crc, data, n);
}

/* As the header has it: an ETag in hexadecimal, the rest in base64, CRCs with
 * their highest byte first. */
static void
make_text(struct checksum *c, char text[2 * DIGEST_MAX + 1])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (c->kind->digest != NULL)
		must(EVP_DigestFinal_ex(c->ctx, digest, NULL));
	else
		for (size_t i = 0; i < c->kind->size; i++)
			digest[i] = (uint8_t)(c->crc >>
					      8 * (c->kind->size - 1 - i));
	if (c->kind == ETAG)
		text_hex(text, digest, c->kind->size);
	else
		EVP_EncodeBlock((unsigned char *)text, digest,
				(int)c->kind->size);
}

int
checksum_end(struct checksum *c, struct err *e)
{
	char text[2 * DIGEST_MAX + 1];
	const struct checksum_kind *kind = c->kind;
	bool same;

	if (kind == NULL)
		return 0;
	make_text(c, text);
	same = kind == ETAG ? strcasecmp(text, c->expected) == 0 :
			      strcmp(text, c->expected) == 0;
	if (same)
		return 0;
	return err_set(e, ERR_TEMP, "its bytes have the %s %s, its header %s "
		       "says %s", kind->name, text, kind->header,
		       text_show(c->expected));
}

const char *
checksum_name(const struct checksum *c)
{
	return c->kind != NULL ? c->kind->header : NULL;
}

void
checksum_free(struct checksum *c)
{
	EVP_MD_CTX_free(c->ctx);
	c->ctx = NULL;
}
