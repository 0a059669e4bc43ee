#include <config.h>

#include "lib/base/eol.h"
#include "unit.h"

struct conversion {
	const char *in;
	size_t n;
	const char *out;
	size_t out_n;
};

#define TEXT(in, out) { in, sizeof(in) - 1, out, sizeof(out) - 1 }

static const struct conversion conversions[] = {
	TEXT("", ""),
	TEXT("a", "a"),
	TEXT("\n", "\n"),
	TEXT("\r", "\r"),
	TEXT("\r\n", "\n"),
	TEXT("a\r\nb\r\n", "a\nb\n"),
	TEXT("a\nb\n", "a\nb\n"),
	TEXT("a\rb", "a\rb"),
	TEXT("\r\r\n", "\r\n"),
	TEXT("\r\r\r", "\r\r\r"),
	TEXT("\n\r\n\r", "\n\n\r"),
	TEXT("\r\n\r\n\n", "\n\n\n"),
	TEXT("a\0\r\n\0\r\xff\n", "a\0\n\0\r\xff\n"),
};

/* Converts the pieces [0, a), [a, b), [b, n) and compares. */
static void
split_at(const struct conversion *c, size_t a, size_t b)
{
	const size_t from[] = { 0, a, b, c->n };
	struct eol s = { .cr = false };
	char out[64];
	size_t have = 0;

	for (int i = 0; i < 3; i++) {
		const size_t n = from[i + 1] - from[i];
		char piece[32];
		size_t put;

		memset(piece, '#', sizeof(piece));
		put = eol_convert(&s, c->in + from[i], n, piece);
		assert_true(put <= n + 1);
		assert_int_equal(piece[n + 1], '#');
		memcpy(out + have, piece, put);
		have += put;
	}
	have += eol_end(&s, out + have);
	assert_int_equal(have, c->out_n);
	assert_memory_equal(out, c->out, have);
	assert_int_equal(eol_end(&s, out), 0);
}

static void
every_split_gives_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(conversions); i++) {
		ROW(conversions[i].in);
		for (size_t a = 0; a <= conversions[i].n; a++)
			for (size_t b = a; b <= conversions[i].n; b++)
				split_at(&conversions[i], a, b);
	}
}

static void
single_bytes_give_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(conversions); i++) {
		const struct conversion *c = &conversions[i];
		struct eol s = { .cr = false };
		char out[64];
		size_t have = 0;

		ROW(c->in);
		for (size_t k = 0; k < c->n; k++)
			have += eol_convert(&s, c->in + k, 1, out + have);
		have += eol_end(&s, out + have);
		assert_int_equal(have, c->out_n);
		assert_memory_equal(out, c->out, have);
	}
}

static void
the_end_gives_back_the_last_cr(void **state)
{
	struct eol s = { .cr = false };
	char out[4] = "";

	(void)state;
	assert_int_equal(eol_convert(&s, "a\r", 2, out), 1);
	assert_int_equal(eol_convert(&s, "", 0, out), 0);
	assert_int_equal(eol_end(&s, out), 1);
	assert_int_equal(out[0], '\r');
	assert_int_equal(eol_end(&s, out), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_gives_the_same),
		cmocka_unit_test(single_bytes_give_the_same),
		cmocka_unit_test(the_end_gives_back_the_last_cr),
	};

	return cmocka_run_group_tests_name("eol", tests, NULL, NULL);
}
