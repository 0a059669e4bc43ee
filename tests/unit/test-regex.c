#include <config.h>

#include "policy/regex.h"
#include "unit.h"

static enum regex_answer
ask(const char *pattern, const char *s, size_t n)
{
	struct arena a = { 0 };
	char why[128];
	struct regex *r = regex_new(pattern, &a, why, sizeof(why));
	size_t work = 10 * REGEX_WORK_MAX;
	enum regex_answer answer;

	if (r == NULL)
		fail_msg("%s", why);
	answer = regex_match(r, s, n, &work);
	assert_true(work >= 9 * REGEX_WORK_MAX);
	arena_free(&a);
	return answer;
}

static void
answers(void **state)
{
	static const struct {
		const char *pattern, *text;
		enum regex_answer says;
	} rows[] = {
		{ "b+", "aBBc", REGEX_YES }, { "^b", "abc", REGEX_NO },
		{ "^\xc3\xa4.$", "\xc3\x84\xe2\x82\xac", REGEX_YES },
		{ "^$", "", REGEX_YES },
		/* F57: too many steps, too deep, no UTF-8. */
		{ "(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
		  REGEX_UNKNOWN },
		{ "(a+)+$", "aaaaaaaaaaaaaaaa", REGEX_YES },
		{ "a", "\xff" "a", REGEX_UNKNOWN },
		{ "a", "a\xc3", REGEX_UNKNOWN },
		/* A pattern may lower the limits, never raise them. */
		{ "(*LIMIT_MATCH=4000000000)(a+)+$",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", REGEX_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].pattern);
		assert_int_equal(ask(rows[i].pattern, rows[i].text,
				     strlen(rows[i].text)), rows[i].says);
	}
}

static void
limits(void **state)
{
	const size_t n = 1 << 20;
	char *s = malloc(n);

	(void)state;
	memset(s, 'a', n);
	s[n - 1] = 'b';
	assert_int_equal(ask("(a+)+$", s, n), REGEX_UNKNOWN);
	assert_int_equal(ask("b", s, n), REGEX_UNKNOWN);
	assert_int_equal(ask("a", s, REGEX_TEXT_MAX), REGEX_YES);
	assert_int_equal(ask("a", s, REGEX_TEXT_MAX + 1), REGEX_UNKNOWN);
	/* Each group is remembered at each step: depth, heap. */
	assert_int_equal(ask("((a)|(b)|(c)|(d)|(e)|(f)|(g)|(h))*[xy]", s,
			     REGEX_TEXT_MAX), REGEX_UNKNOWN);
	assert_int_equal(ask("^(a(?1)?b?)$", s, REGEX_TEXT_MAX),
			 REGEX_UNKNOWN);
	/* Quadratic, cubic: few steps for PCRE2's own limit, and a minute. */
	assert_int_equal(ask("[a-z]+[@#]", s, 1000), REGEX_NO);
	assert_int_equal(ask("[a-z]+[@#]", s, REGEX_TEXT_MAX), REGEX_UNKNOWN);
	assert_int_equal(ask("\\w+\\s*\\w+[@#]", s, REGEX_TEXT_MAX),
			 REGEX_UNKNOWN);
	free(s);
}

/* An item that fails after thousands of characters has passed them. */
static void
hidden_work(void **state)
{
	static const struct {
		const char *pattern;
		enum regex_answer says;
	} rows[] = {
		{ "^.*a{1999}z", REGEX_UNKNOWN },
		{ "^.*a{1999,}?z", REGEX_UNKNOWN },
		{ "^.*[ab]{2001}z", REGEX_UNKNOWN },
		{ "^(.{2000}).*?\\1z", REGEX_UNKNOWN },
		{ "^(?<n>.{2000}).*?\\k<n>z", REGEX_UNKNOWN },
		{ "^(?P<n>.{2000}).*?(?P=n)z", REGEX_UNKNOWN },
		/* Little to pass. */
		{ "^.*a{3}z", REGEX_NO }, { "^(.).*?\\1z", REGEX_NO },
		{ "^.*\\x{61}z", REGEX_NO }, { "^.*\\p{L}z", REGEX_NO },
		{ "(['\"]).*?\\1", REGEX_NO },
	};
	char text[8004] = "";

	(void)state;
	for (size_t i = 0; i < 8000; i++)
		text[i] = i % 2000 == 1999 ? 'b' : 'a';
	text[8000] = 'y';
	text[8001] = '"';
	text[8002] = 'z';
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].pattern);
		assert_int_equal(ask(rows[i].pattern, text, strlen(text)),
				 rows[i].says);
	}
}

/* A text that lacks a letter which the pattern needs is read nevertheless. */
static void
each_text_is_work(void **state)
{
	struct arena a = { 0 };
	char why[128], text[4096];
	struct regex *r = regex_new("x+y", &a, why, sizeof(why));
	size_t work = REGEX_WORK_MAX;
	int n = 0;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (; regex_match(r, text, sizeof(text), &work) == REGEX_NO; n++)
		assert_true(n < 10000);
	assert_true(n > 1000);
	arena_free(&a);
}

static void
work_is_shared(void **state)
{
	struct arena a = { 0 };
	char why[128];
	struct regex *r = regex_new("a+[@#]", &a, why, sizeof(why));
	size_t work = 5000, before;

	(void)state;
	for (int i = 0; i < 10; i++) {
		before = work;
		assert_int_equal(regex_match(r, "aaaaa", 5, &work), REGEX_NO);
		assert_true(work < before);
	}
	while (regex_match(r, "aaaaa", 5, &work) == REGEX_NO)
		assert_true(work < 5000);
	assert_int_equal(regex_match(r, "a@", 2, &work), REGEX_UNKNOWN);
	arena_free(&a);
}

static void
patterns(void **state)
{
	static const char *const wrong[] = {
		"(", "[a", "a{2,1}", "\\", "(?<n>a)(?<n>b)", "\\C", "*a",
		"((((a{1,999}){1,999}){1,999}){1,999})",
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char why[128] = "";

		ROW(wrong[i]);
		assert_null(regex_new(wrong[i], &a, why, sizeof(why)));
		assert_true(strlen(why) > 0);
	}
	arena_free(&a);
}

static void
whole(void **state)
{
	(void)state;
	assert_true(regex_whole("[a-z]+", "abc", 3));
	assert_false(regex_whole("[a-z]+", "abc1", 4));
	assert_false(regex_whole("[a-z]+", "1abc", 4));
	assert_false(regex_whole("[a-z]+", "abc\n", 4));
	assert_false(regex_whole("[a-z]+", "", 0));
	assert_true(regex_whole("a|ab", "ab", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(limits),
		cmocka_unit_test(hidden_work),
		cmocka_unit_test(each_text_is_work),
		cmocka_unit_test(work_is_shared),
		cmocka_unit_test(patterns),
		cmocka_unit_test(whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
