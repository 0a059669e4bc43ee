#include <config.h>

#include "lib/base/arena.h"
#include "unit.h"

static void
pieces_are_zeroed_and_apart(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096, 16384, 100000 };
	unsigned char *pieces[COUNT(sizes)];
	struct arena a = { 0 };

	(void)state;
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < COUNT(sizes); i++) {
			pieces[i] = arena_alloc(&a, sizes[i]);
			assert_int_equal((uintptr_t)pieces[i] %
					 _Alignof(max_align_t), 0);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(pieces[i][k], 0);
			memset(pieces[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < COUNT(sizes); i++)
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(pieces[i][k], i + 1);
	}
	arena_free(&a);
	assert_null(a.head);
}

static void
text_is_copied(void **state)
{
	char source[] = "abc";
	struct arena a = { 0 };
	const char *copy, *part, *made;

	(void)state;
	copy = arena_strdup(&a, source);
	part = arena_strndup(&a, source, 2);
	made = arena_printf(&a, "%s-%d", source, 7);
	source[0] = 'x';
	assert_string_equal(copy, "abc");
	assert_string_equal(part, "ab");
	assert_string_equal(arena_strndup(&a, "abc", 99), "abc");
	assert_string_equal(made, "abc-7");
	arena_free(&a);
	assert_string_equal(arena_strdup(&a, "again"), "again");
	arena_free(&a);
	arena_free(&a);
}

static void
single_pieces(void **state)
{
	char *p = mem_alloc(4), *s = mem_strdup("abc");
	int *n = mem_alloc(0);

	(void)state;
	assert_memory_equal(p, "\0\0\0", 4);
	assert_non_null(n);
	memcpy(p, s, 4);
	p = mem_grow(p, 1000, 10);
	assert_string_equal(p, "abc");
	free(p);
	free(s);
	free(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_and_apart),
		cmocka_unit_test(text_is_copied),
		cmocka_unit_test(single_pieces),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
