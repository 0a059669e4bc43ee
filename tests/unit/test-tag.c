#include <config.h>

#include "milter/tag.h"
#include "unit.h"

static void
values(void **state)
{
	static const char *const rules[] = { "mark", "#2", "vip" };
	static const struct {
		struct tag tag;
		const char *wanted;
	} rows[] = {
		{ { .ingress = "mx" }, "route=direct; ingress=mx" },
		{ { .ingress = "mx", .relayed = true },
		  "route=fallback; ingress=mx" },
		{ { .ingress = "mx", .rules = rules, .rules_n = 3 },
		  "route=direct; ingress=mx; rules=mark,#2,vip" },
		{ { .ingress = "mx", .failure = "limits" },
		  "route=direct; ingress=mx; failure=limits" },
		{ { .ingress = "mx", .rules = rules, .rules_n = 1,
		    .failure = "edit" },
		  "route=direct; ingress=mx; rules=mark; failure=edit" },
	};
	struct arena a = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].wanted);
		assert_string_equal(tag_value(&rows[i].tag, &a),
				    rows[i].wanted);
	}
	arena_free(&a);
}

/* No line is wider than TAG_WIDTH, each begins with a tab, and without the
 * folds it is the same value. */
static void
folds(void **state)
{
	const char *rules[40], *value;
	struct tag t = { .ingress = "mx", .rules = rules, .rules_n = 40 };
	size_t column = strlen(TAG_NAME ": "), lines = 1;
	struct arena a = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++)
		rules[i] = "a-rule-of-thirty-two-characters-";
	value = tag_value(&t, &a);
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\n') {
			assert_int_equal(*++p, '\t');
			column = 8;
			lines++;
			continue;
		}
		assert_true(*p >= ' ' && *p <= '~');
		column++;
		assert_true(column <= TAG_WIDTH);
	}
	assert_true(lines >= 20);
	arena_free(&a);
}

static void
headers(void **state)
{
	static const struct {
		const char *value, *wanted;
	} rows[] = {
		{ "yes", "yes" },
		{ "a\tb", "a\tb" },
		{ "", "" },
		{ "a\r\nX-Evil: b", NULL },
		{ "a\nb", NULL },
		{ "a\x7f", NULL },
		{ "a\x01", NULL },
		{ "gr\xc3\xbcn", "=?utf-8?q?gr=C3=BCn?=" },
		{ "\xe2\x82\xac 5_=?", "=?utf-8?q?=E2=82=AC_5=5F=3D=3F?=" },
	};
	struct arena a = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *is = tag_header(rows[i].value, 6, &a);

		ROW(rows[i].value);
		if (rows[i].wanted == NULL)
			assert_null(is);
		else
			assert_string_equal(is, rows[i].wanted);
	}
	arena_free(&a);
}

/* Words of at most 75 bytes, no character cut, and all of it there. */
static void
long_encoded(void **state)
{
	char text[128 + 1];
	const char *value, *p;
	struct arena a = { NULL };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 128; i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	text[128] = '\0';
	value = tag_header(text, 20, &a);
	for (p = value; p != NULL; p = strchr(p, '=')) {
		const char *end = strstr(p + 10, "?=");

		assert_memory_equal(p, "=?utf-8?q?", 10);
		assert_non_null(end);
		assert_true(end + 2 - p <= 75);
		assert_int_equal((end - p - 10) % 6, 0);
		n += (size_t)(end - p - 10) / 6;
		p = end + 2;
	}
	assert_int_equal(n, 64);
	arena_free(&a);
}

static void
too_long(void **state)
{
	char text[1200];
	struct arena a = { NULL };

	(void)state;
	memset(text, 'x', sizeof(text));
	text[990] = '\0';
	assert_non_null(tag_header(text, 6, &a));
	text[990] = 'x';
	text[991] = '\0';
	assert_null(tag_header(text, 6, &a));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(folds),
		cmocka_unit_test(headers),
		cmocka_unit_test(long_encoded),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
