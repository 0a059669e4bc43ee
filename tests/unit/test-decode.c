#include <config.h>

#include "lib/mail/decode.h"
#include "unit.h"

struct row {
	const char *value, *text;
};

static const struct row words[] = {
	{ "", "" },
	{ "plain text", "plain text" },
	{ "=?utf-8?q?a?=", "a" },
	{ "=?UTF-8?B?w7w=?=", "\xc3\xbc" },
	{ "=?utf-8?b?w7w?=", "\xc3\xbc" },
	{ "=?iso-8859-1?Q?=FC?=", "\xc3\xbc" },
	{ "=?us-ascii*en?q?a?=", "a" },
	{ "=?utf-8?q?a_b=20c?=", "a b c" },
	{ "=?utf-8?q??" "=", "" },
	{ "=?utf-8?q?=?=", "=" },
	{ "=?utf-8?q?=4?=", "=4" },
	{ "=?utf-8?q?=4x?=", "=4x" },
	{ "=?utf-8?q?=c3=BC?=", "\xc3\xbc" },
	{ "=?utf-8?b?YQ==Yg==?=", "ab" },
	{ "=?utf-8?b?YWJ?=", "ab" },
	{ "=?utf-8?b?Y?=", "" },
	{ "=?utf-8?b?Y!W-Jj?=", "abc" },
	/* blanks between words vanish, others do not */
	{ "a =?utf-8?q?b?= =?utf-8?q?c?= d", "a bc d" },
	{ "=?utf-8?q?b?=  \t =?iso-8859-1?q?=E9?=", "b\xc3\xa9" },
	{ "=?utf-8?q?b?= , =?utf-8?q?c?=", "b , c" },
	/* where they should not stand */
	{ "a=?utf-8?q?b?=c", "abc" },
	{ "=?utf-8?q?b?==?utf-8?q?c?=", "bc" },
	{ "\"=?utf-8?q?b?=\" <a@b>", "\"b\" <a@b>" },
	{ "=?utf-8?q?a b?=", "a b" },
	{ "=?utf-8?q?a?b?=", "a?b" },
	{ "=?utf-8?b?YW Jj?=", "abc" },
	/* cut inside a character, of one byte or the other encoding */
	{ "=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xc3\xbc" },
	{ "=?utf-8?q?=C3?= =?UTF-8?b?vA==?=", "\xc3\xbc" },
	/* other charsets */
	{ "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=",
	  "\xe6\x97\xa5\xe6\x9c\xac" },
	{ "=?Shift_JIS?B?k/qWew==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
	{ "=?gb2312?B?1tDOxA==?=", "\xe4\xb8\xad\xe6\x96\x87" },
	{ "=?big5?B?pKSk5Q==?=", "\xe4\xb8\xad\xe6\x96\x87" },
	{ "=?ks_c_5601-1987?B?x9Gx2w==?=", "\xed\x95\x9c\xea\xb8\x80" },
	{ "=?windows-1251?Q?=CF=F0?=", "\xd0\x9f\xd1\x80" },
	{ "=?koi8-r?Q?=F0=D2?=", "\xd0\x9f\xd1\x80" },
	{ "=?iso-8859-15?q?=A4?=", "\xe2\x82\xac" },
	/* other names for them */
	{ "=?iso8859-1?q?=FC?=", "\xc3\xbc" },
	{ "=?ISO_8859-1?q?=FC?=", "\xc3\xbc" },
	{ "=?iso8859-15?q?=A4?=", "\xe2\x82\xac" },
	{ "=?cp1253?q?=E1?=", "\xce\xb1" },
	{ "=?CP1254?q?=FE?=", "\xc5\x9f" },
	{ "=?cp1255?q?=F9?=", "\xd7\xa9" },
	{ "=?cp1256?q?=C7?=", "\xd8\xa7" },
	{ "=?cp874?q?=A1?=", "\xe0\xb8\x81" },
	{ "=?sjis?B?k/qWew==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
	{ "=?eucjp?q?=A4=A2?=", "\xe3\x81\x82" },
	{ "=?windows-949?B?x9Gx2w==?=", "\xed\x95\x9c\xea\xb8\x80" },
	{ "=?windows-936?B?1tDOxA==?=", "\xe4\xb8\xad\xe6\x96\x87" },
	{ "=?cp950?B?pKSk5Q==?=", "\xe4\xb8\xad\xe6\x96\x87" },
	/* letters that wait for what may be put on them */
	{ "=?windows-1255?Q?=F9=EC=E5=ED?=",
	  "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d" },
	{ "=?windows-1255?Q?=F9?= =?windows-1255?Q?=EC?= x",
	  "\xd7\xa9\xd7\x9c x" },
	{ "=?windows-1255?Q?=F9?= =?utf-8?q?x?=", "\xd7\xa9x" },
	{ "=?windows-1258?Q?=C2?=", "\xc3\x82" },
	{ "=?big5-hkscs?Q?=88=66?=", "\xc3\x8a" },
	{ "=?windows-1258?Q?V=CA=D2?=", "V\xe1\xbb\x82" },
};

/* F48: what cannot be decoded stays. */
static const struct row raw[] = {
	{ "=?", "=?" },
	{ "=?utf-8", "=?utf-8" },
	{ "=?utf-8?", "=?utf-8?" },
	{ "=?utf-8?q", "=?utf-8?q" },
	{ "=?utf-8?q?", "=?utf-8?q?" },
	{ "=?utf-8?q?abc", "=?utf-8?q?abc" },
	{ "=?utf-8?q?abc?", "=?utf-8?q?abc?" },
	{ "=?utf-8?x?abc?=", "=?utf-8?x?abc?=" },
	{ "=??q?abc?=", "=??q?abc?=" },
	{ "=?no-such?q?abc?=", "=?no-such?q?abc?=" },
	{ "=?../../utf-8?q?abc?=", "=?../../utf-8?q?abc?=" },
	{ "=?no-such?q?a?= =?utf-8?q?b?=", "=?no-such?q?a?= b" },
	{ "=?utf-8?q?b?= =?no-such?q?a?=", "b =?no-such?q?a?=" },
	{ "=?=?utf-8?q?a?=", "=?a" },
	{ "=?utf-8?q?a?= =?utf-8?q?b", "a =?utf-8?q?b" },
	{ "=?0123456789012345678901234567890123456789?q?a?=",
	  "=?0123456789012345678901234567890123456789?q?a?=" },
};

#define BAD "\xef\xbf\xbd"

/* F44, F50: bytes that nobody wants to see. */
static const struct row bytes[] = {
	{ "\xc3\xbc", "\xc3\xbc" },
	{ "\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xfc", BAD },
	{ "a\xc3", "a" BAD },
	{ "a\xc3z", "a" BAD "z" },
	{ "\xe2\x82", BAD },
	{ "\xe2\x82z", BAD "z" },
	{ "\xf0\x9f\x98", BAD },
	{ "\xc0\xaf", BAD BAD },		/* overlong */
	{ "\xe0\x80\xaf", BAD BAD BAD },
	{ "\xed\xa0\x80", BAD BAD BAD },	/* half of a pair */
	{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },
	{ "\xf5\x80", BAD BAD },
	{ "\x80\xbf", BAD BAD },
	{ "a\tb\x01\x1b[m\x7f", "a b  [m " },
	{ "\xc2\x85\xc2\xa0", " \xc2\xa0" },
	{ "=?utf-8?q?a=0D=0ABcc:_b?=", "a  Bcc: b" },
	{ "=?utf-8?q?a=00b?=", "a b" },
	{ "=?utf-8?b?AGEA?=", " a " },
	{ "=?iso-8859-1?q?a=00b?= c", "a b c" },
	{ "=?utf-8?q?=FF?=", BAD },
	{ "=?utf-8?q?=C3?= x", BAD " x" },
	{ "=?us-ascii?q?=FC?=", BAD },
	{ "=?iso-2022-jp?B?GyRCRnw=?=", "\xe6\x97\xa5" },
	{ "=?iso-2022-jp?B?GyRCRnxL?=", "\xe6\x97\xa5" BAD },
	{ "=?big5-hkscs?q?=88=66=88?=", "\xc3\x8a" BAD },
	{ "=?windows-1255?q?=F9=FF?=", "\xd7\xa9" BAD },
	{ "=?windows-1255?q?=F9=FF=EC?=", "\xd7\xa9" BAD "\xd7\x9c" },
	{ "=?euc-jp?q?=FF=A4=A2?=", BAD "\xe3\x81\x82" },
	{ "a\xe2\x80\xae" "b", "a" BAD "b" },
	{ "\xe2\x81\xa6=?utf-8?q?=E2=80=AD?=", BAD BAD },
	{ "\xe2\x80\x8f", "\xe2\x80\x8f" },	/* a mark, not a reversal */
};

static void
assert_rows(const struct row *rows, size_t n)
{
	decode_init();
	for (size_t i = 0; i < n; i++) {
		struct arena a = { NULL };

		ROW(rows[i].value);
		assert_string_equal(decode_text(rows[i].value, &a),
				    rows[i].text);
		arena_free(&a);
	}
}

static void
decodes_words(void **state)
{
	(void)state;
	assert_rows(words, COUNT(words));
}

static void
leaves_what_it_cannot_decode(void **state)
{
	(void)state;
	assert_rows(raw, COUNT(raw));
}

static void
gives_valid_text_without_controls(void **state)
{
	(void)state;
	assert_rows(bytes, COUNT(bytes));
}

/* Any two bytes side by side, raw and in a word: the text is never longer than
 * its bytes allow, and what is ASCII in it was there. */
static void
takes_any_bytes(void **state)
{
	(void)state;
	decode_init();
	for (unsigned i = 1; i < 256; i++) {
		for (unsigned k = 1; k < 256; k++) {
			const char value[] = { (char)i, (char)k, '\0' };
			struct arena a = { NULL };
			const char *text = decode_text(value, &a);

			for (const char *s = text; *s != '\0'; s++)
				assert_true((unsigned char)*s >= ' ');
			assert_true(strlen(text) <= 6);
			if (i >= ' ' && i < 0x7f)
				assert_int_equal(*text, (char)i);
			arena_free(&a);
		}
	}
}

/* Words longer than the pieces in which they are decoded. */
static void
decodes_long_words(void **state)
{
	static const char start[] = "=?utf-8?b?";
	static char value[20000], wanted[10000];

	(void)state;
	decode_init();
	for (size_t n = 0; n < 3000; n += 7) {
		struct arena a = { NULL };
		char *p = value + strlen(start);

		memcpy(value, start, strlen(start));
		for (size_t i = 0; i < n; i++) {
			memcpy(p, "YWJj", 4);
			memcpy(wanted + 3 * i, "abc", 3);
			p += 4;
		}
		memcpy(p, "?=", 3);
		wanted[3 * n] = '\0';
		assert_string_equal(decode_text(value, &a), wanted);
		arena_free(&a);
	}
}

struct body {
	const char *charset, *bytes, *text;
};

static const struct body bodies[] = {
	{ "utf-8", "\xc3\xa4\r\n\x1b\x80", "\xc3\xa4\r\n\x1b\x80" },
	{ "US-ASCII", "\xe4", "\xe4" },
	{ "iso-8859-1", "\xe4\t\x1b[2J\n", "\xc3\xa4\t\x1b[2J\n" },
	{ "iso-2022-jp", "\x1b$BF|\x1b(B\n", "\xe6\x97\xa5\n" },
	{ "euc-jp", "\xff\xa4\xa2", BAD "\xe3\x81\x82" },
	{ "windows-1252", "", "" },
};

static void
decodes_bodies(void **state)
{
	struct buf out;

	(void)state;
	decode_init();
	for (size_t i = 0; i < COUNT(bodies); i++) {
		const char *text = bodies[i].bytes;

		ROW(bodies[i].charset);
		buf_init(&out, 100);
		assert_true(decode_charset(bodies[i].charset, text,
					   strlen(text), &out));
		assert_string_equal(out.data ? out.data : "", bodies[i].text);
		buf_free(&out);
	}
	buf_init(&out, 3);
	assert_false(decode_charset("x-none", "abc", 3, &out));
	assert_int_equal(out.len, 0);
	assert_true(decode_charset("koi8-r", "\0a\xc1", 3, &out));
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "\0a\xd0", 3);
	assert_true(out.cut);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_words),
		cmocka_unit_test(leaves_what_it_cannot_decode),
		cmocka_unit_test(gives_valid_text_without_controls),
		cmocka_unit_test(takes_any_bytes),
		cmocka_unit_test(decodes_long_words),
		cmocka_unit_test(decodes_bodies),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
