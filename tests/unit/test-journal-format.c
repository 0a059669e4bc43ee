#include <config.h>

#include "lib/journal/format.h"
#include "unit.h"

static void
ids_sort_and_come_back(void **state)
{
	static const struct format_place places[] = {
		{ 1, 112 }, { 1, 120 }, { 1, 4096 }, { 1, 268435448 },
		{ 2, 112 }, { 31, 112 }, { 32, 112 }, { 4294967295u, 112 },
	};
	static const char *const bad[] = {
		"", "1", "00000010000", "0000001000000", "00000010000u",
		"0000001000I0", "000000000000", "zzzzzzzzzzzz",
	};
	char id[FORMAT_ID_SIZE], before[FORMAT_ID_SIZE] = "";
	struct format_place p;

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		format_id(places[i], id);
		ROW(id);
		assert_true(strcmp(before, id) < 0);
		assert_true(format_place(id, &p));
		assert_int_equal(p.segment, places[i].segment);
		assert_int_equal(p.offset, places[i].offset);
		memcpy(before, id, sizeof(id));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		ROW(bad[i]);
		assert_false(format_place(bad[i], &p));
	}
}

static void
names_come_back(void **state)
{
	char name[FORMAT_NAME_SIZE];

	(void)state;
	format_name(7, name);
	assert_string_equal(name, "0000000007.segment");
	assert_int_equal(format_number(name), 7);
	assert_int_equal(format_number("4294967295.segment"), 4294967295u);
	assert_int_equal(format_number("4294967296.segment"), 0);
	assert_int_equal(format_number("0000000007.segment~"), 0);
	assert_int_equal(format_number("0000000007.new"), 0);
	assert_int_equal(format_number("7.segment"), 0);
	assert_int_equal(format_number("."), 0);
}

static void
heads_come_back(void **state)
{
	const struct format_head h = { { 1, 2 }, { 3, 400 }, { 9 } };
	char word[FORMAT_HEAD_SIZE];
	struct format_head r;

	(void)state;
	format_put_head(&h, word);
	assert_true(format_get_head(word, &r));
	assert_memory_equal(h.uuid, r.uuid, sizeof(h.uuid));
	assert_int_equal(h.end.segment, r.end.segment);
	assert_int_equal(h.end.offset, r.end.offset);
	assert_memory_equal(h.chain, r.chain, sizeof(h.chain));
	word[strlen(word) - 1] = 'g';
	assert_false(format_get_head(word, &r));
	assert_false(format_get_head("", &r));
	assert_false(format_get_head("fmx1:::::", &r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_sort_and_come_back),
		cmocka_unit_test(names_come_back),
		cmocka_unit_test(heads_come_back),
	};

	return cmocka_run_group_tests_name("journal-format", tests, NULL,
					   NULL);
}
