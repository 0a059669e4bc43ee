#include <config.h>

#include "lib/base/delivery.h"
#include "unit.h"

#define ID "0123456789abcdef0123456789abcdef"

struct name {
	const char *text;
	bool valid;
};

static const struct name names[] = {
	{ "a", true },
	{ "1674821960.F" ID ".fallbackmx,S=4711", true },
	{ "A-Z_.=,-0", true },
	{ "a..b", true },
	{ "-", true },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ ".mark", false },
	{ "a/b", false },
	{ "/a", false },
	{ "../a", false },
	{ "a b", false },
	{ "a\n", false },
	{ "a:2,S", false },
	{ "a\\b", false },
	{ "a\x80", false },
	{ "\xc3\xbc", false },
};

static void
valid_names_are_no_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *s = names[i].text;

		ROW(s);
		assert_int_equal(delivery_name_valid(s, strlen(s) + 1),
				 names[i].valid);
		assert_int_equal(delivery_name_valid(s, 4096), names[i].valid);
	}
}

static void
a_name_that_does_not_end_is_not_valid(void **state)
{
	const char field[4] = { 'a', 'b', 'c', 'd' };

	(void)state;
	for (size_t room = 0; room <= sizeof(field); room++)
		assert_false(delivery_name_valid(field, room));
	assert_false(delivery_name_valid("abc", 3));
	assert_true(delivery_name_valid("abc", 4));
}

struct own {
	const char *text;
	size_t at;	/* of the id; 0: none of ours */
};

static const struct own ours[] = {
	{ "1.F" ID ".fallbackmx", 3 },
	{ "1674821960.F" ID ".fallbackmx,S=4711", 12 },
	{ "1674821960.F" ID ".fallbackmx,S=4711:2,FRS", 12 },
	{ "0.F" ID ".fallbackmx:2,", 3 },
	{ "", 0 },
	{ "1", 0 },
	{ "1.", 0 },
	{ "1.F", 0 },
	{ "F" ID ".fallbackmx", 0 },
	{ ".F" ID ".fallbackmx", 0 },
	{ "x1.F" ID ".fallbackmx", 0 },
	{ "-1.F" ID ".fallbackmx", 0 },
	{ "1.G" ID ".fallbackmx", 0 },
	{ "1F" ID ".fallbackmx", 0 },
	{ "1.F" ID, 0 },
	{ "1.F" ID ".fallback", 0 },
	{ "1.F" ID ",fallbackmx", 0 },
	{ "1.F" ID "0.fallbackmx", 0 },
	{ "1.F0123456789abcdef0123456789abcde.fallbackmx", 0 },
	{ "1.F0123456789ABCDEF0123456789abcdef.fallbackmx", 0 },
	{ "1.F0123456789abcdef0123456789abcdeg.fallbackmx", 0 },
	{ "1674821960.M1P2.host,S=4711", 0 },
};

static void
finds_the_id_in_names_of_ours(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ours); i++) {
		const char *s = ours[i].text;
		const char *id = delivery_name_id(s);

		ROW(s);
		if (ours[i].at == 0) {
			assert_null(id);
			continue;
		}
		assert_ptr_equal(id, s + ours[i].at);
		assert_memory_equal(id, ID, DELIVERY_ID_LEN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_names_are_no_paths),
		cmocka_unit_test(a_name_that_does_not_end_is_not_valid),
		cmocka_unit_test(finds_the_id_in_names_of_ours),
	};

	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
