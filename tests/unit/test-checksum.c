#include <config.h>

#include "lib/aws/checksum.h"
#include "unit.h"

#define FOX "The quick brown fox jumps over the lazy dog"
#define MD5 "9e107d9d372bb6826bd81d3542a419d6"
#define CRC64 "12xUBUlUwUM="
#define CRC32C "ImIEBA=="
#define CRC32 "QU+jOQ=="
#define SHA256 "16j7swfXgJRpypq8sAguT41WUeRtPNt2LQLQvzfJ5ZI="
#define SHA1 "L9ThxnotKPzthJ7hu3bnORuT6xI="
#define X "x-amz-checksum-"
#define SSE "x-amz-server-side-encryption"

struct row {
	const char *name;
	const char *headers[8];	/* names and values */
	const char *compared;	/* NULL: none */
	const char *text;	/* of the error; NULL: the bytes are right */
};

static const struct row rows[] = {
	{ "no header", { 0 }, NULL, NULL },
	{ "MD5", { "ETag", "\"" MD5 "\"" }, "ETag", NULL },
	{ "MD5 in upper case", { "ETag",
		"\"9E107D9D372BB6826BD81D3542A419D6\"" }, "ETag", NULL },
	{ "F09: another MD5", { "ETag",
		"\"9e107d9d372bb6826bd81d3542a419d7\"" }, "ETag",
	  "its bytes have the MD5 " MD5 ", its header ETag says "
	  "9e107d9d372bb6826bd81d3542a419d7" },
	{ "F11: in parts", { "ETag",
		"\"9e107d9d372bb6826bd81d3542a419d7-3\"" }, NULL, NULL },
	{ "a weak ETag", { "ETag", "W/\"" MD5 "\"" }, NULL, NULL },
	{ "without quotes", { "ETag", MD5 }, NULL, NULL },
	{ "31 digits", { "ETag", "\"9e107d9d372bb6826bd81d3542a419d\"" }, NULL,
	  NULL },
	{ "33 digits", { "ETag", "\"" MD5 "0\"" }, NULL, NULL },
	{ "no digits", { "ETag", "\"9e107d9d372bb6826bd81d3542a419dg\"" },
	  NULL, NULL },
	{ "encrypted by S3", { "ETag", "\"" MD5 "\"", SSE, "AES256" }, "ETag",
	  NULL },
	{ "F10: by KMS", { "ETag", "\"00000000000000000000000000000000\"",
			   SSE, "aws:kms" }, NULL, NULL },
	{ "twice by KMS", { "ETag", "\"00000000000000000000000000000000\"",
			    SSE, "aws:kms:dsse" }, NULL, NULL },
	{ "by the customer", { "ETag", "\"00000000000000000000000000000000\"",
			       SSE "-customer-algorithm", "AES256" }, NULL,
	  NULL },
	{ "in a directory bucket", { "ETag",
		"\"00000000000000000000000000000000\"", "x-amz-storage-class",
		"EXPRESS_ONEZONE" }, NULL, NULL },
	{ "F10: KMS with a checksum", { "ETag",
		"\"00000000000000000000000000000000\"", SSE, "aws:kms",
		X "crc32", CRC32 }, X "crc32", NULL },
	{ "CRC-64", { X "crc64nvme", CRC64 }, X "crc64nvme", NULL },
	{ "CRC-64 of parts, whole", { X "crc64nvme", CRC64, X "type",
		"FULL_OBJECT", "ETag", "\"" MD5 "-3\"" }, X "crc64nvme",
	  NULL },
	{ "CRC-32C", { "X-Amz-Checksum-CRC32C", CRC32C }, X "crc32c", NULL },
	{ "CRC-32", { X "crc32", CRC32 }, X "crc32", NULL },
	{ "SHA-256", { X "sha256", SHA256 }, X "sha256", NULL },
	{ "SHA-1", { X "sha1", SHA1 }, X "sha1", NULL },
	{ "F12: another CRC-64", { X "crc64nvme", "12xUBUlUwUQ=" },
	  X "crc64nvme", "its bytes have the CRC-64/NVME " CRC64 ", its header "
	  X "crc64nvme says 12xUBUlUwUQ=" },
	{ "F12: another CRC-32C", { X "crc32c", CRC32 }, X "crc32c",
	  "its bytes have the CRC-32C " CRC32C ", its header " X "crc32c says "
	  CRC32 },
	{ "F12: another SHA-256", { X "sha256", SHA1, "ETag",
				    "\"" MD5 "\"" }, X "sha256",
	  "its bytes have the SHA-256 " SHA256 ", its header " X "sha256 says "
	  SHA1 },
	{ "nonsense", { X "sha1", "\x01" }, X "sha1",
	  "its bytes have the SHA-1 " SHA1 ", its header " X "sha1 says "
	  "\\x01" },
	{ "F12: composite", { X "crc32", "AAAAAA==-2" }, NULL, NULL },
	{ "F12: composite by its type", { X "crc32", "AAAAAA==", X "type",
					  "COMPOSITE" }, NULL, NULL },
	{ "composite, and an MD5", { X "sha256", SHA256 "-1", "ETag",
		"\"" MD5 "\"" }, "ETag", NULL },
	{ "the best of several", { X "sha1", SHA1, X "crc32", CRC32,
		X "crc64nvme", CRC64, "ETag",
		"\"00000000000000000000000000000000\"" }, X "crc64nvme",
	  NULL },
};

static void
fill(struct buf *b, const char *const *headers)
{
	buf_init(b, 4096);
	for (size_t i = 0; i < 8 && headers[i] != NULL; i++)
		buf_add(b, headers[i], strlen(headers[i]) + 1);
}

static void
check(struct checksum *c, const struct row *row, size_t split)
{
	const size_t n = strlen(FOX);
	struct buf headers;
	struct err e;

	fill(&headers, row->headers);
	checksum_begin(c, &headers);
	if (row->compared != NULL)
		assert_string_equal(checksum_name(c), row->compared);
	else
		assert_null(checksum_name(c));
	checksum_add(c, FOX, split);
	checksum_add(c, &FOX[split], n - split);
	if (row->text == NULL) {
		assert_int_equal(checksum_end(c, &e), 0);
	} else {
		assert_int_equal(checksum_end(c, &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		assert_string_equal(e.text, row->text);
	}
	buf_free(&headers);
}

static void
compares_what_applies(void **state)
{
	struct checksum c = { .kind = NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].name);
		for (size_t split = 0; split <= strlen(FOX); split += 7)
			check(&c, &rows[i], split);
	}
	checksum_free(&c);
}

/* A download that was given up leaves nothing behind. */
static void
begins_anew(void **state)
{
	struct checksum c = { .kind = NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf headers;

		ROW(rows[i].name);
		fill(&headers, rows[i].headers);
		checksum_begin(&c, &headers);
		checksum_add(&c, "half", 4);
		check(&c, &rows[i], 0);
		buf_free(&headers);
	}
	checksum_free(&c);
}

/* F09, for each bit. */
static void
sees_each_bit(void **state)
{
	static const char *const headers[][3] = {
		{ X "crc64nvme", CRC64 }, { X "crc32c", CRC32C },
		{ X "crc32", CRC32 }, { "ETag", "\"" MD5 "\"" },
	};
	struct checksum c = { .kind = NULL };
	char text[] = FOX;

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		struct buf b;

		fill(&b, headers[i]);
		for (size_t bit = 0; bit < 8 * strlen(FOX); bit++) {
			struct err e;

			text[bit / 8] ^= (char)(1 << bit % 8);
			checksum_begin(&c, &b);
			checksum_add(&c, text, strlen(FOX));
			assert_int_equal(checksum_end(&c, &e), -1);
			text[bit / 8] ^= (char)(1 << bit % 8);
		}
		buf_free(&b);
	}
	checksum_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_what_applies),
		cmocka_unit_test(begins_anew),
		cmocka_unit_test(sees_each_bit),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
