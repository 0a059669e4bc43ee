#include <config.h>

#include "milter/reply.h"
#include "unit.h"

static void
sets(void **state)
{
	static const struct {
		const char *code, *status, *text, *wanted;
	} rows[] = {
		{ "550", "5.7.1", "no", "550 5.7.1 no" },
		{ "451", "4.3.2", "later", "451 4.3.2 later" },
		{ "552", "5.3.4", "", "552 5.3.4 " },
		{ NULL, "5.1.1", "x", "550 5.1.1 x" },
		{ NULL, "4.1.1", "x", "451 4.1.1 x" },
		{ "554", NULL, "x", "554 5.7.1 x" },
		{ "450", NULL, "x", "450 4.7.1 x" },
		{ NULL, NULL, "x", "550 5.7.1 x" },
		/* Classes that differ, and what is no code. */
		{ "550", "4.7.1", "x", "550 5.7.1 x" },
		{ "450", "5.7.1", "x", "550 5.7.1 x" },
		{ "250", "2.0.0", "x", "550 5.7.1 x" },
		{ "5500", "5.7.1", "x", "550 5.7.1 x" },
		{ "55", "5.7.1", "x", "550 5.7.1 x" },
		{ "550", "5.7", "x", "550 5.7.1 x" },
		{ "550", "5.7.1000", "x", "550 5.7.1 x" },
		{ "550", "5..1", "x", "550 5.7.1 x" },
		{ "550", "5.7.1 ", "x", "550 5.7.1 x" },
		/* It would end the session. */
		{ "421", "4.7.0", "x", "451 4.7.0 x" },
		/* One line, for a plain terminal. */
		{ "550", "5.7.1", "\r\n one \r\ntwo", "550 5.7.1 one" },
		{ "550", "5.7.1", "a\tb\x01gr\xc3\xbcn",
		  "550 5.7.1 a b?gr??n" },
	};
	char shown[600];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct reply r;

		ROW(rows[i].wanted);
		reply_set(&r, rows[i].code, rows[i].status, rows[i].text);
		snprintf(shown, sizeof(shown), "%s %s %s", r.code, r.status,
			 r.text);
		assert_string_equal(shown, rows[i].wanted);
		assert_int_equal(reply_is_permanent(&r), *r.code == '5');
	}
}

static void
bounds(void **state)
{
	char text[2000], escaped[2 * REPLY_TEXT_MAX];
	struct reply r;

	(void)state;
	memset(text, '%', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	reply_set(&r, "550", "5.7.1", text);
	assert_int_equal(strlen(r.text), REPLY_TEXT_MAX - 1);
	reply_escape(&r, escaped);
	/* libmilter takes 980 bytes, a line of SMTP 512. */
	assert_int_equal(strlen(escaped), 2 * (REPLY_TEXT_MAX - 1));
	assert_true(strlen(escaped) <= 980);
	reply_set(&r, "550", "5.7.1", "100% sure");
	reply_escape(&r, escaped);
	assert_string_equal(escaped, "100%% sure");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
