#include <config.h>

#include "lib/base/text.h"
#include "unit.h"

struct quoted {
	const char *in;
	size_t len, room;
	const char *out;
};

/* F50: nothing of a key or an address reaches log or terminal as it is. */
static const struct quoted quotes[] = {
	{ "plain text", 10, 64, "plain text" },
	{ "", 0, 64, "" },
	{ "", 0, 1, "" },
	{ "a\nb\r\t", 5, 64, "a\\x0ab\\x0d\\x09" },
	{ "a\0b", 3, 64, "a\\x00b" },
	{ "\\", 1, 64, "\\x5c" },
	{ "\x1b[31m", 5, 64, "\\x1b[31m" },
	{ "\x7f\x80\xff", 3, 64, "\\x7f\\x80\\xff" },
	{ "\xe2\x80\xae", 3, 64, "\\xe2\\x80\\xae" },	/* bidi override */
	{ "\xc0\xaf", 2, 64, "\\xc0\\xaf" },		/* overlong */
	{ "\xe2\x80", 2, 64, "\\xe2\\x80" },		/* cut */
	{ "123456789", 9, 10, "123456789" },
	{ "1234567890", 10, 10, "123456..." },
	{ "1234567890", 10, 1, "" },
	{ "1234567890", 10, 3, ".." },
	{ "12345\n7890", 10, 10, "12345..." },
};

static void
quotes_foreign_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(quotes); i++) {
		const struct quoted *q = &quotes[i];
		char out[65];

		ROW(q->out);
		memset(out, '#', sizeof(out));
		assert_ptr_equal(text_quote(out, q->room, q->in, q->len), out);
		assert_string_equal(out, q->out);
		assert_int_equal(out[q->room], '#');
	}
}

static void
never_overflows(void **state)
{
	char in[256], out[300];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)i;
	for (size_t room = 1; room < sizeof(out); room++) {
		memset(out, '#', sizeof(out));
		text_quote(out, room, in, sizeof(in));
		assert_true(strlen(out) < room);
		assert_int_equal(out[room], '#');
		assert_int_equal(strspn(out, " !\"#$%&'()*+,-./0123456789:;<=>?"
					"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
					"abcdefghijklmnopqrstuvwxyz{|}~\\"),
				 strlen(out));
	}
}

static void
shows_four_at_once(void **state)
{
	const char *a = text_show("a\n"), *b = text_show("b"),
		   *c = text_show("c"), *d = text_show("d");

	(void)state;
	assert_string_equal(a, "a\\x0a");
	assert_string_equal(b, "b");
	assert_string_equal(c, "c");
	assert_string_equal(d, "d");
}

static void
hexadecimal(void **state)
{
	static const char *const wrong[] = {
		"", "00ff1", "00ff1a0", "00FF1A", "00fg1a", " 0ff1a", "00ff1a ",
	};
	const uint8_t bytes[] = { 0, 0xff, 0x1a };
	uint8_t back[3];
	char text[7];

	(void)state;
	text_hex(text, bytes, 3);
	assert_string_equal(text, "00ff1a");
	assert_true(text_unhex(back, 3, text));
	assert_memory_equal(back, bytes, 3);
	assert_true(text_unhex(back, 0, ""));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(text_unhex(back, 3, wrong[i]));
}

static void
nearest_word(void **state)
{
	static const char *const words[] = {
		"mailbox", "received", "notification", "keep", NULL
	};
	static const char *const none[] = { NULL };
	static const struct {
		const char *said, *meant;
	} rows[] = {
		{ "mailbox", "mailbox" }, { "mailbx", "mailbox" },
		{ "recieved", "received" }, { "kep", "keep" },
		{ "notifications", "notification" }, { "xyz", NULL },
		{ "quite something else", NULL }, { "", NULL },
	};
	char longest[1000];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *got = text_nearest(rows[i].said, words);

		ROW(rows[i].said);
		if (rows[i].meant == NULL)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].meant);
	}
	assert_null(text_nearest("keep", none));
	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(text_nearest(longest, words));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_foreign_bytes),
		cmocka_unit_test(never_overflows),
		cmocka_unit_test(shows_four_at_once),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(nearest_word),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
