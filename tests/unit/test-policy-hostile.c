#include <config.h>

#include "lib/base/text.h"
#include "policy-help.h"

static struct world w;

static void
add(const char *text, size_t n)
{
	struct config_mistakes m = { "f", &w.lines, 0 };

	buf_clear(&w.lines);
	policy_add(w.p, POLICY_UNKNOWN, NULL, text, n, false, &m);
	w.mistakes = m.n;
}

static char *
repeat(const char *piece, size_t times)
{
	const size_t n = strlen(piece);
	char *s = arena_alloc(&w.a, n * times + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(s + i * n, piece, n);
	return s;
}

/* Refused with one line, and before jansson builds anything. */
static void
refused(void **state)
{
	static const struct {
		const char *piece;
		size_t times;
		const char *says;
	} rows[] = {
		{ "[", 65, "f: found objects and lists 65 deep, expected at "
		  "most 64\n" },
		{ "{\"a\":", 1000000, "f: found objects and lists 1000000 "
		  "deep, expected at most 64\n" },
		{ "0,", 1000001, "f: found 1000001 values, expected at most "
		  "1000000\n" },
		{ " ", POLICY_MAX + 1, "f: found 33554433 bytes, expected at "
		  "most 33554432\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *s;

		world_begin(&w);
		s = repeat(rows[i].piece, rows[i].times);
		add(s, strlen(s));
		assert_string_equal(w.lines.data, rows[i].says);
		assert_int_equal(w.mistakes, 1);
		world_end(&w);
	}
}

static void
refused_by_jansson(void **state)
{
#define TEXT(s) { s, sizeof(s) - 1 }
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {
		TEXT("{\"Rules\": [], \"Rules\": []}"),
		TEXT("{\"Rules\": []}\0"),
		TEXT("{\"RuleSetName\": \"a\\u0000b\", \"Rules\": []}"),
		TEXT("{\"RuleSetName\": \"a\xff\", \"Rules\": []}"),
		TEXT("{\"RuleSetName\": \"\\ud800\", \"Rules\": []}"),
		TEXT("{\"Rules\": []} x"),
		TEXT("{\"Rules\": [\""),
		TEXT("{\"Rules\": [\"\\"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].text);
		world_begin(&w);
		add(rows[i].text, rows[i].n);
		assert_int_equal(w.mistakes, 1);
		assert_memory_equal(w.lines.data, "f:1:", 4);
		assert_ptr_equal(strchr(w.lines.data, '\n'),
				 w.lines.data + w.lines.len - 1);
		world_end(&w);
	}
}

/* Brackets in strings are no depth. */
static void
text_is_no_depth(void **state)
{
	char *s;

	(void)state;
	world_begin(&w);
	s = arena_printf(&w.a, "{\"Rules\": [], \"Tags\": \"\\\"%s\"}",
			 repeat("[{", 100));
	add(s, strlen(s));
	assert_int_equal(w.mistakes, 0);
	world_end(&w);
}

/* What the document says reaches the lines as printable ASCII only. */
static void
lines_are_printable(void **state)
{
	static const char text[] = "{\"Rules\": [{\"\\u001b[2J\\n\": 1, "
		"\"Name\": \"\\u001b]0;x\\u0007\\u202e\", \"Actions\": "
		"[{\"\\u000a\": {}}]}]}";

	(void)state;
	world_begin(&w);
	add(text, sizeof(text) - 1);
	assert_int_equal(w.mistakes, 3);
	for (size_t i = 0; i < w.lines.len; i++)
		assert_true(w.lines.data[i] == '\n' ||
			    (w.lines.data[i] >= ' ' && w.lines.data[i] < 127));
	world_end(&w);
}

static void
lists_have_an_end(void **state)
{
	char *s;

	(void)state;
	world_begin(&w);
	s = arena_printf(&w.a, "address\n%s", repeat("a@b.example\n", 100000));
	add(s, strlen(s));
	assert_int_equal(w.mistakes, 0);
	s = arena_printf(&w.a, "%sa@b.example\n", s);
	add(s, strlen(s));
	assert_string_equal(w.lines.data, "f: found more addresses, expected "
			    "at most 100000\n");
	s = repeat("{\"address\":\"a@b\"},", 100001);
	s[strlen(s) - 1] = ']';
	s = arena_printf(&w.a, "{\"items\":[%s}", s);
	add(s, strlen(s));
	assert_string_equal(w.lines.data, "f: items: found a list of 100001, "
			    "expected addresses (a list of 0 to 100000)\n");
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(refused_by_jansson),
		cmocka_unit_test(text_is_no_depth),
		cmocka_unit_test(lines_are_printable),
		cmocka_unit_test(lists_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
