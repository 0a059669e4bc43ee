#include <config.h>

#include "lib/mail/decode.h"
#include "lib/mail/head.h"
#include "lib/mail/mime.h"
#include "lib/mail/parameter.h"
#include "unit.h"

/* Each part as "TYPE CHARSET NAME|" and its bytes, "!" for an attachment. */
static const char *
tell(const char *mail, size_t n, struct arena *a)
{
	const char *told = "";
	struct mime m;

	mime_read(&m, mail, n, a);
	assert_true(m.n >= 1);
	for (size_t i = 0; i < m.n; i++) {
		const struct mime_part *p = &m.all[i];
		struct buf bytes;
		size_t all;

		buf_init(&bytes, 1000);
		all = mime_decode(p, &bytes);
		assert_true(all == bytes.len || bytes.cut);
		told = arena_printf(a, "%s[%s %s %s%s|%s]", told, p->type,
				    p->charset, p->name,
				    p->attachment ? "!" : "",
				    bytes.data ? bytes.data : "");
		buf_free(&bytes);
	}
	return told;
}

struct row {
	const char *mail, *told;
};

#define MIXED "Content-Type: multipart/mixed; boundary="
#define PLAIN "[text/plain  |"

static const struct row whole[] = {
	{ "", PLAIN "]" },
	{ "no header", PLAIN "]" },
	{ "\r\nbody\r\n", PLAIN "body]" },
	{ "A: b\n\nbody", PLAIN "body]" },
	{ "Content-Type: text\n\nx", PLAIN "x]" },
	{ "content-type: TEXT/HTML;Charset=\"Utf-8\"\r\n\r\n<p>",
	  "[text/html Utf-8 |<p>]" },
	{ "Content-Type: te\x1b\x80t/x(c)\n\n", "[te??t/x  |]" },
	{ "Content-Transfer-Encoding: BASE64\n\nQUJ\nD?", PLAIN "ABC]" },
	{ "Content-Transfer-Encoding: Quoted-Printable\n\na=3D=\nb",
	  PLAIN "a=b]" },
	{ "Content-Transfer-Encoding: x-none\n\na=3D", PLAIN "a=3D]" },
	{ "Content-Disposition: attachment; filename=\"a =?utf-8?q?=C3=A4?=\""
	  "\nContent-Type: text/plain; name=b\n\nx",
	  "[text/plain  a \xc3\xa4!|x]" },
	{ "Content-Type: message/rfc822\n\n" MIXED "b\n\n--b\n\nx\n--b--\n",
	  "[message/rfc822  |" MIXED "b\n\n--b\n\nx\n--b--]" },
};

static const struct row parts[] = {
	{ MIXED "b\r\n\r\nbefore\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n\r\n"
	  "--b--\r\nbehind\r\n", PLAIN "one]" PLAIN "two\r\n]" },
	{ MIXED "\"b c\"\n\n--b c  \nContent-Type: a/b\n\none\n--b c-- \n",
	  "[a/b  |one]" },
	/* Of another's name the beginning. */
	{ MIXED "b\n\n--b\n" MIXED "bb\n\n--bb\n\none\n--bb--\n--b\n\ntwo\n"
	  "--b--\n", PLAIN "one]" PLAIN "two]" },
	/* The outer one ends what the inner one did not. */
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--c\n\none\n--b\n\ntwo\n",
	  PLAIN "one]" PLAIN "two]" },
	/* A header that does not end. */
	{ MIXED "b\n\n--b\nContent-Type: a/b\n--b\n\ntwo\n--b--",
	  "[a/b  |]" PLAIN "two]" },
	{ MIXED "b\n\n--b", PLAIN "]" },
	{ MIXED "b\n\n--b--\nx", "[multipart/mixed  |]" },
	{ MIXED "b\n\n--bc\n\nx\n--b-\n",
	  "[multipart/mixed  |--bc\n\nx\n--b-]" },
};

static const struct row uncut[] = {
	{ MIXED "b\n\nnone", "[multipart/mixed  |none]" },
	{ MIXED "\n\n--\n\nx", "[multipart/mixed  |--\n\nx]" },
	{ "Content-Type: multipart/mixed\n\n--b\n\nx",
	  "[multipart/mixed  |--b\n\nx]" },
	{ MIXED "b", "[multipart/mixed  |]" },
	{ MIXED "b\n\n--b\n" MIXED "c\n\nx\n--b--\n", "[multipart/mixed  |x]" },
};

static void
assert_rows(const struct row *rows, size_t n)
{
	decode_init();
	for (size_t i = 0; i < n; i++) {
		struct arena a = { NULL };

		ROW(rows[i].mail);
		assert_string_equal(tell(rows[i].mail, strlen(rows[i].mail),
					 &a), rows[i].told);
		arena_free(&a);
	}
}

static void
reads_mail_of_one_part(void **state)
{
	(void)state;
	assert_rows(whole, COUNT(whole));
}

static void
cuts_where_boundaries_are(void **state)
{
	(void)state;
	assert_rows(parts, COUNT(parts));
}

static void
keeps_what_it_cannot_cut(void **state)
{
	(void)state;
	assert_rows(uncut, COUNT(uncut));
}

static void
knows_bytes_that_are_no_text(void **state)
{
	static const char mail[] =
		MIXED "b\n\n--b\n\na\0b\n--b\n"
		"Content-Transfer-Encoding: base64\n\nAABb\n--b--\n";
	struct arena a = { NULL };
	struct buf bytes;
	struct mime m;

	(void)state;
	mime_read(&m, mail, sizeof(mail) - 1, &a);
	assert_int_equal(m.n, 2);
	assert_int_equal(m.all[0].body_n, 3);
	buf_init(&bytes, 10);
	assert_int_equal(mime_decode(&m.all[1], &bytes), 3);
	assert_memory_equal(bytes.data, "\0\0[", 3);
	buf_free(&bytes);
	arena_free(&a);
}

/* Depth 100,000 and 1,000,000 parts (F47). */
static void
bounds_depth_and_number(void **state)
{
	const size_t deep = 100000, many = 1000000;
	struct arena a = { NULL };
	struct mime m;
	struct buf mail;

	(void)state;
	buf_init(&mail, SIZE_MAX / 2);
	for (size_t i = 0; i < deep; i++)
		buf_printf(&mail, MIXED "b%zu\n\n--b%zu\n", i, i);
	mime_read(&m, mail.data, mail.len, &a);
	assert_int_equal(m.n, 1);
	assert_string_equal(m.all[0].type, "multipart/mixed");
	assert_non_null(memmem(m.all[0].body, 20, "--b16\n", 6));
	buf_free(&mail);
	buf_init(&mail, SIZE_MAX / 2);
	buf_printf(&mail, MIXED "b\n\n");
	for (size_t i = 0; i < many; i++)
		buf_printf(&mail, "--b\n\n");
	mime_read(&m, mail.data, mail.len, &a);
	assert_int_equal(m.n, MIME_PARTS_MAX);
	assert_true(m.limits);
	buf_free(&mail);
	arena_free(&a);
}

struct value {
	const char *value, *text;
};

static const struct value values[] = {
	{ "", "" },
	{ "a", "" },
	{ "a; name", "" },
	{ "a; name; name=b", "b" },
	{ "a;name=b;name=c", "b" },
	{ "a; NAME = b ; x=y", "b" },
	{ "a; name=two words.pdf; x=y", "two words.pdf" },
	{ "a; x=\"; name=no\"; name=\"b\\\"; c\"", "b\"; c" },
	{ "a; name=\"no end; x=y", "no end; x=y" },
	{ "a; names=x; xname=y", "" },
	{ "a; name*=utf-8'de'%C3%A4%20b", "\xc3\xa4 b" },
	{ "a; name=plain; name*=iso-8859-1''%E4", "\xc3\xa4" },
	{ "a; name*0=one; name*1=\" two\"", "one two" },
	{ "a; name*0*=utf-8''%C3; name*1*=%A4; name*2=%C3", "\xc3\xa4%C3" },
	{ "a; name*=x-none''%E4", "\xe4" },
	{ "a; name*=%C3%A4", "\xc3\xa4" },
	{ "a; name*", "" },
	{ ";;=;name=", "" },
};

static void
finds_parameters(void **state)
{
	(void)state;
	decode_init();
	for (size_t i = 0; i < COUNT(values); i++) {
		struct arena a = { NULL };

		ROW(values[i].value);
		assert_string_equal(parameter_get(values[i].value, "name", &a),
				    values[i].text);
		arena_free(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_mail_of_one_part),
		cmocka_unit_test(cuts_where_boundaries_are),
		cmocka_unit_test(keeps_what_it_cannot_cut),
		cmocka_unit_test(knows_bytes_that_are_no_text),
		cmocka_unit_test(bounds_depth_and_number),
		cmocka_unit_test(finds_parameters),
	};

	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
