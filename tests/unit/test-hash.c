#include <config.h>

#include "lib/base/hash.h"
#include "unit.h"

struct vector {
	const char *text;
	size_t times;
	const char *digest;
};

/* FIPS 180-4: the examples that NIST publishes for SHA-256. */
static const struct vector vectors[] = {
	{ "", 1, "e3b0c44298fc1c149afbf4c8996fb924"
		 "27ae41e4649b934ca495991b7852b855" },
	{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 1,
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	{ "a", 1000000,
	  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

static void
is(struct hash *h, const char *expected)
{
	uint8_t digest[HASH_SIZE];
	char text[2 * HASH_SIZE + 1];

	hash_end(h, digest);
	text_hex(text, digest, HASH_SIZE);
	assert_string_equal(text, expected);
}

static void
known_digests(void **state)
{
	struct hash h = { .ctx = NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		const struct vector *v = &vectors[i];

		ROW(v->text);
		hash_begin(&h);
		for (size_t k = 0; k < v->times; k++)
			hash_add(&h, v->text, strlen(v->text));
		is(&h, v->digest);
	}
	hash_free(&h);
}

static void
pieces_do_not_matter(void **state)
{
	const struct vector *v = &vectors[3];
	const size_t n = strlen(v->text);
	struct hash h = { .ctx = NULL };

	(void)state;
	for (size_t i = 0; i <= n; i++) {
		hash_begin(&h);
		hash_add(&h, v->text, i);
		hash_add(&h, v->text + i, n - i);
		is(&h, v->digest);
	}
	hash_free(&h);
}

static void
begins_anew_and_after_free(void **state)
{
	struct hash h = { .ctx = NULL };

	(void)state;
	hash_begin(&h);
	hash_add(&h, "left over", 9);
	hash_begin(&h);
	hash_add(&h, "abc", 3);
	is(&h, vectors[1].digest);
	hash_free(&h);
	hash_free(&h);
	hash_begin(&h);
	is(&h, vectors[0].digest);
	hash_free(&h);
}

struct fields {
	const char *a, *b;
};

static const struct fields different[] = {
	{ "ab", "c" }, { "a", "bc" }, { "", "abc" }, { "abc", "" },
};

static void
fields_have_borders(void **state)
{
	uint8_t digest[COUNT(different)][HASH_SIZE];
	struct hash h = { .ctx = NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(different); i++) {
		const struct fields *f = &different[i];

		hash_begin(&h);
		hash_add_field(&h, f->a, strlen(f->a));
		hash_add_field(&h, f->b, strlen(f->b));
		hash_end(&h, digest[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(digest[i], digest[k],
						HASH_SIZE);
	}
	hash_free(&h);
}

/* Ids in file names are made of fields: the framing must never change. */
static void
a_field_is_length_and_bytes(void **state)
{
	static const char framed[] = "\3\0\0\0\0\0\0\0abc";
	struct hash h = { .ctx = NULL };
	char text[2 * HASH_SIZE + 1];
	uint8_t digest[HASH_SIZE];

	(void)state;
	hash_begin(&h);
	hash_add(&h, framed, sizeof(framed) - 1);
	hash_end(&h, digest);
	text_hex(text, digest, HASH_SIZE);
	hash_begin(&h);
	hash_add_field(&h, "abc", 3);
	is(&h, text);
	hash_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(begins_anew_and_after_free),
		cmocka_unit_test(fields_have_borders),
		cmocka_unit_test(a_field_is_length_and_bytes),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
