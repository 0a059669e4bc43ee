#include <config.h>

#include "lib/base/config.h"
#include "unit.h"

enum colour { RED, GREEN };
static const char *const colours[] = { "red", "green", NULL };

struct item {
	const char *name;
	int weight;
};

struct target {
	const char *title;
	enum colour colour;
	int size;
	bool open;
	struct item *single;
	struct item *items;
	size_t items_n;
	const char **words;
	size_t words_n;
};

static const struct config_row item_rows[] = {
	{ .key = "name", .type = CONFIG_STRING, .required = true, .max = 8,
	  .offset = offsetof(struct item, name), .help = "a name" },
	{ .key = "weight", .type = CONFIG_INTEGER, .min = -2, .max = 9,
	  .number = 1, .offset = offsetof(struct item, weight),
	  .help = "a weight" },
	{ .key = NULL }
};

static const struct config_row rows[] = {
	{ .key = "title", .type = CONFIG_STRING, .text = "untitled",
	  .offset = offsetof(struct target, title), .help = "a title" },
	{ .key = "colour", .type = CONFIG_WORD, .words = colours,
	  .number = GREEN, .offset = offsetof(struct target, colour),
	  .help = "a colour" },
	{ .key = "size", .type = CONFIG_INTEGER, .min = 1, .max = 100,
	  .number = 10, .unit = "bytes",
	  .offset = offsetof(struct target, size), .help = "a size" },
	{ .key = "open", .type = CONFIG_BOOLEAN, .number = 1,
	  .offset = offsetof(struct target, open), .help = "open or not" },
	{ .key = "single", .type = CONFIG_OBJECT, .rows = item_rows,
	  .size = sizeof(struct item),
	  .offset = offsetof(struct target, single), .help = "an item" },
	{ .key = "items", .type = CONFIG_LIST, .rows = item_rows, .min = 1,
	  .max = 3, .size = sizeof(struct item),
	  .offset = offsetof(struct target, items),
	  .count = offsetof(struct target, items_n), .help = "some items" },
	{ .key = "words", .type = CONFIG_STRINGS, .max = 3,
	  .offset = offsetof(struct target, words),
	  .count = offsetof(struct target, words_n), .help = "some words" },
	{ .key = "others", .type = CONFIG_FOREIGN },
	{ .key = NULL }
};

struct wrong {
	const char *text, *says;
};

#define KEYS "title, colour, size, open, single, items, words or others"

static const struct wrong wrongs[] = {
	{ "[]", "f: found a list, expected an object\n" },
	{ "{\"title\": 1}",
	  "f: title: found 1, expected a title (a string)\n" },
	{ "{\"title\": null}",
	  "f: title: found null, expected a title (a string)\n" },
	{ "{\"titel\": 1}", "f: titel: found an unknown key, expected " KEYS
	  " (did you mean \"title\"?)\n" },
	{ "{\"\\u001b\\n\": 1}",
	  "f: \\x1b\\x0a: found an unknown key, expected " KEYS "\n" },
	{ "{\"colour\": \"gren\"}", "f: colour: found \"gren\", expected red "
	  "or green (did you mean \"green\"?)\n" },
	{ "{\"colour\": []}", "f: colour: found a list, expected red or "
	  "green\n" },
	{ "{\"size\": 0}", "f: size: found 0, expected an integer from 1 to "
	  "100 bytes\n" },
	{ "{\"size\": 1e2}", "f: size: found 100, expected an integer from 1 "
	  "to 100 bytes\n" },
	{ "{\"size\": \"7\"}", "f: size: found \"7\", expected an integer from "
	  "1 to 100 bytes\n" },
	{ "{\"size\": 9223372036854775807}", "f: size: found "
	  "9223372036854775807, expected an integer from 1 to 100 bytes\n" },
	{ "{\"open\": {}}", "f: open: found an object, expected true or "
	  "false\n" },
	{ "{\"single\": true}", "f: single: found true, expected an item (an "
	  "object)\n" },
	{ "{\"single\": {}}", "f: single.name: found nothing, expected a name "
	  "(a string of at most 8 bytes)\n" },
	{ "{\"items\": []}", "f: items: found a list, expected some items (a "
	  "list of 1 to 3 objects)\n" },
	{ "{\"items\": [7, {\"name\": \"a\"}, {\"name\": \"123456789\"}]}",
	  "f: items[0]: found 7, expected an object\n"
	  "f: items[2].name: found \"123456789\", expected a name (a string of "
	  "at most 8 bytes)\n" },
	{ "{\"words\": \"a\"}", "f: words: found \"a\", expected some words "
	  "(a list of 0 to 3 strings)\n" },
	{ "{\"words\": [\"a\", \"b\", \"c\", \"d\"]}", "f: words: found a "
	  "list, expected some words (a list of 0 to 3 strings)\n" },
	{ "{\"words\": [\"a\", 7, null], \"others\": {\"any\": [1]}}",
	  "f: words[1]: found 7, expected a string\n"
	  "f: words[2]: found null, expected a string\n" },
	{ "{\"size\": -1, \"x\": 1, \"open\": 0}",
	  "f: size: found -1, expected an integer from 1 to 100 bytes\n"
	  "f: x: found an unknown key, expected " KEYS "\n"
	  "f: open: found 0, expected true or false\n" },
	{ "",
	  "f:1:0: cannot read JSON: '[' or '{' expected near end of file\n" },
	{ "{\n \"size\": 1,\n}",
	  "f:3:1: cannot read JSON: string or '}' expected near '}'\n" },
	{ "{\"size\":1,\"size\":2}",
	  "f:1:16: cannot read JSON: duplicate object key near '\"size\"'\n" },
	{ "{\"size\":1} x",
	  "f:1:12: cannot read JSON: end of file expected near 'x'\n" },
};

static void
read_into(struct target *t, struct arena *a, struct buf *lines,
	  const char *text, size_t len, size_t *mistakes_r)
{
	struct config_mistakes m = { "f", lines, 0 };

	memset(t, 0, sizeof(*t));
	buf_init(lines, 65536);
	config_read(text, len, rows, t, a, &m);
	*mistakes_r = m.n;
}

static void
fills_defaults(void **state)
{
	struct arena a = { 0 };
	struct target t;
	struct buf lines;
	size_t n;

	(void)state;
	read_into(&t, &a, &lines, "{}", 2, &n);
	assert_int_equal(n, 0);
	assert_string_equal(t.title, "untitled");
	assert_int_equal(t.colour, GREEN);
	assert_int_equal(t.size, 10);
	assert_true(t.open);
	assert_null(t.single);
	assert_null(t.items);
	assert_null(t.words);
	buf_free(&lines);
	arena_free(&a);
}

static const char full[] =
	"{\"title\": \"\", \"colour\": \"red\", \"size\": 100, \"open\": false,"
	" \"single\": {\"name\": \"s\", \"weight\": -2}, \"items\":"
	" [{\"name\": \"a\", \"weight\": 1},"
	" {\"name\": \"b\", \"weight\": 9}], \"words\": [\"\", \"w\"]}";

static void
reads_and_gives_back(void **state)
{
	struct arena a = { 0 };
	struct target t;
	struct buf lines;
	json_t *made, *meant;
	size_t n;

	(void)state;
	read_into(&t, &a, &lines, full, strlen(full), &n);
	assert_int_equal(n, 0);
	assert_string_equal(t.title, "");
	assert_int_equal(t.colour, RED);
	assert_int_equal(t.size, 100);
	assert_false(t.open);
	assert_string_equal(t.single->name, "s");
	assert_int_equal(t.single->weight, -2);
	assert_int_equal(t.items_n, 2);
	assert_string_equal(t.items[1].name, "b");
	assert_int_equal(t.items[1].weight, 9);
	assert_null(t.items[2].name);		/* the spare one */
	assert_int_equal(t.words_n, 2);
	assert_string_equal(t.words[1], "w");
	assert_null(t.words[2]);
	made = config_json(rows, &t);
	meant = json_loads(full, 0, NULL);
	assert_true(json_equal(made, meant));
	json_decref(made);
	json_decref(meant);
	buf_free(&lines);
	arena_free(&a);
}

static void
collects_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		struct arena a = { 0 };
		struct target t;
		struct buf lines;
		size_t n, said = 0;

		ROW(wrongs[i].text);
		read_into(&t, &a, &lines, wrongs[i].text,
			  strlen(wrongs[i].text), &n);
		assert_string_equal(lines.data, wrongs[i].says);
		for (size_t k = 0; k < lines.len; k++)
			said += lines.data[k] == '\n';
		assert_int_equal(n, said);
		buf_free(&lines);
		arena_free(&a);
	}
}

static void
refuses_nul(void **state)
{
	static const char raw[] = "{\"title\": \"a\0b\"}";
	static const char escaped[] = "{\"title\": \"a\\u0000b\"}";
	struct arena a = { 0 };
	struct target t;
	struct buf lines;
	size_t n;

	(void)state;
	read_into(&t, &a, &lines, raw, sizeof(raw) - 1, &n);
	assert_int_equal(n, 1);
	buf_free(&lines);
	read_into(&t, &a, &lines, escaped, sizeof(escaped) - 1, &n);
	assert_int_equal(n, 1);
	buf_free(&lines);
	arena_free(&a);
}

/* Depth, size and number of mistakes are bounded. */
static void
survives_hostile_text(void **state)
{
	const size_t size = CONFIG_MAX + 1;
	char *text = malloc(size);
	struct arena a = { 0 };
	struct target t;
	struct buf lines;
	size_t n;

	(void)state;
	assert_non_null(text);
	memset(text, '[', size);
	for (size_t len = 1000; len <= CONFIG_MAX; len *= 2) {
		read_into(&t, &a, &lines, text, len, &n);
		assert_int_equal(n, 1);
		buf_free(&lines);
	}
	read_into(&t, &a, &lines, text, size, &n);
	assert_string_equal(lines.data, "f: found more than 1048576 bytes, "
			    "expected a configuration\n");
	buf_free(&lines);
	memset(text, ' ', size);
	text[0] = '{';
	for (size_t i = 0; i < 90000; i++)
		snprintf(text + 1 + 11 * i, 12, "\"%06zu\":1%s", i,
			 i < 89999 ? "," : "}");
	read_into(&t, &a, &lines, text, 1 + 11 * 90000, &n);
	assert_int_equal(n, 90000);
	assert_true(lines.cut && lines.len <= lines.max);
	buf_free(&lines);
	arena_free(&a);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_defaults),
		cmocka_unit_test(reads_and_gives_back),
		cmocka_unit_test(collects_mistakes),
		cmocka_unit_test(refuses_nul),
		cmocka_unit_test(survives_hostile_text),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
