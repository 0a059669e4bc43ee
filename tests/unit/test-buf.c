#include <config.h>

#include "lib/base/buf.h"
#include "unit.h"

static void
grows_to_its_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_null(b.data);
	buf_add(&b, "", 0);
	assert_null(b.data);
	buf_add(&b, "12345", 5);
	buf_printf(&b, "%d", 67890);
	assert_string_equal(b.data, "1234567890");
	assert_false(b.cut);
	buf_add(&b, "x", 1);
	assert_true(b.cut);
	assert_int_equal(b.len, 10);
	assert_string_equal(b.data, "1234567890");
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 10);
}

static void
keeps_what_fits(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_add(&b, "123", 3);
	buf_add(&b, "456", 3);
	assert_string_equal(b.data, "1234");
	assert_true(b.cut);
	buf_clear(&b);
	assert_false(b.cut);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_add(&b, "\0a", 2);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.data, "\0a", 3);
	buf_free(&b);
}

static void
counts_every_byte(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (int i = 0; i < 20000; i++)
		buf_printf(&b, "%05d", i);
	assert_int_equal(b.len, 100000);
	assert_false(b.cut);
	assert_memory_equal(b.data + 5 * 12345, "12345", 5);
	buf_free(&b);
}

/* One line of printf has a limit of its own, and says when it was too small. */
static void
remembers_a_cut_line(void **state)
{
	char text[8192];
	struct buf b;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	buf_init(&b, 100000);
	buf_printf(&b, "%s", text);
	assert_true(b.cut);
	assert_true(b.len > 0 && b.len < sizeof(text));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_to_its_maximum),
		cmocka_unit_test(keeps_what_fits),
		cmocka_unit_test(counts_every_byte),
		cmocka_unit_test(remembers_a_cut_line),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
