#include <config.h>

#include "lib/aws/s3-delete.h"
#include "unit.h"

static char shown[4096];

/* A body of these keys, and its Content-MD5. */
static void
make_body(struct buf *body, const char *const *keys, size_t n,
	  char md5[S3_DELETE_MD5_SIZE])
{
	s3_delete_begin(body);
	for (size_t i = 0; i < n; i++)
		s3_delete_key(body, keys[i]);
	assert_int_equal(s3_delete_end(body, md5), 0);
}

#define BODY "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"

static void
keys_are_escaped(void **state)
{
	static const char *const keys[] = {
		"in/a", "&amp;<b>]]>\"'", "\xc3\xbc \xf0\x9f\x93\xa7",
	};
	char md5[S3_DELETE_MD5_SIZE];
	struct buf body;

	(void)state;
	buf_init(&body, 4096);
	make_body(&body, keys, COUNT(keys), md5);
	assert_string_equal(body.data, BODY
		"<Object><Key>in/a</Key></Object>"
		"<Object><Key>&amp;amp;&lt;b&gt;]]&gt;\"'</Key></Object>"
		"<Object><Key>\xc3\xbc \xf0\x9f\x93\xa7</Key></Object>"
		"</Delete>");
	/* It begins anew. */
	make_body(&body, keys, 1, md5);
	assert_string_equal(body.data, BODY
		"<Object><Key>in/a</Key></Object></Delete>");
	buf_free(&body);
}

struct sum {
	const char *key, *md5;
};

/* Of printf BODY | openssl md5 -binary | base64. */
static const struct sum sums[] = {
	{ NULL, "QItoir0S2e+kYVtEbOlgZA==" },
	{ "in/a", "BOa3iPCFFCtaQX3THckGuA==" },
	{ "&\xc3\xbc", "FP5nIIb/j5iUkrSWZUsZSg==" },
};

static void
the_md5_is_that_of_the_body(void **state)
{
	char md5[S3_DELETE_MD5_SIZE];
	struct buf body;

	(void)state;
	for (size_t i = 0; i < COUNT(sums); i++) {
		ROW(sums[i].md5);
		buf_init(&body, 4096);
		make_body(&body, &sums[i].key, sums[i].key != NULL, md5);
		assert_string_equal(md5, sums[i].md5);
		buf_free(&body);
	}
}

static void
a_body_that_was_cut_has_no_md5(void **state)
{
	char md5[S3_DELETE_MD5_SIZE];
	struct buf body;

	(void)state;
	buf_init(&body, 80);
	s3_delete_begin(&body);
	s3_delete_key(&body, "a-key-that-has-no-room-any-more");
	assert_int_equal(s3_delete_end(&body, md5), -1);
	buf_free(&body);
}

struct key {
	bool takes;
	const char *key;
};

static const struct key keys[] = {
	{ true, "" },
	{ true, "in/a b+c%41&<>\"'~" },
	/* control bytes: XML has no way to say the first, and the others are
	 * not what arrives */
	{ false, "a\001b" }, { false, "\037" }, { false, "a\tb" },
	{ false, "a\nb" }, { false, "a\rb" }, { false, "a\177" },
	/* the borders of two, three, and four bytes */
	{ true, "\xc2\x80" }, { true, "\xdf\xbf" },
	{ true, "\xe0\xa0\x80" }, { true, "\xed\x9f\xbf" },
	{ true, "\xee\x80\x80" }, { true, "\xef\xbf\xbd" },
	{ true, "\xf0\x90\x80\x80" }, { true, "\xf4\x8f\xbf\xbd" },
	{ true, "\xf0\x9f\xbf\xbd" },
	/* written longer than it is */
	{ false, "\xc0\x80" }, { false, "\xc1\xbf" },
	{ false, "\xe0\x80\x80" }, { false, "\xe0\x9f\xbf" },
	{ false, "\xf0\x80\x80\x80" }, { false, "\xf0\x8f\xbf\xbf" },
	/* surrogates, what is no character, and beyond the last */
	{ false, "\xed\xa0\x80" }, { false, "\xed\xbf\xbf" },
	{ false, "\xef\xbf\xbe" }, { false, "\xef\xbf\xbf" },
	{ false, "\xf0\x9f\xbf\xbe" }, { false, "\xf4\x8f\xbf\xbf" },
	{ false, "\xf4\x90\x80\x80" }, { false, "\xf5\x80\x80\x80" },
	{ false, "\xff" }, { false, "\xfe" },
	/* ends too early, or begins in the middle */
	{ false, "\x80" }, { false, "a\xbf" }, { false, "\xc3" },
	{ false, "\xc3" "a" }, { false, "\xe2\x82" }, { false, "\xe2\x82" "a" },
	{ false, "\xf0\x9f\x93" }, { false, "\xf0" "a" },
	{ false, "a\xf0\x9f\x93\xa7\xc3" },
	{ true, "a\xf0\x9f\x93\xa7\xc3\xbc" },
};

static void
keys_that_xml_can_carry(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		ROW(keys[i].key);
		assert_int_equal(s3_delete_takes(keys[i].key), keys[i].takes);
	}
}

static int
read_answer(const char *text, size_t step, struct err *e)
{
	struct s3_delete_answer a = { .n = 0 };
	const size_t n = strlen(text);
	size_t at = 0;
	int r = 0;

	s3_delete_answer_begin(&a);
	*e = (struct err){ .text = "" };
	for (size_t i = 0; r == 0 && i < n; i += step)
		r = s3_delete_answer_add(&a, text + i,
					 n - i < step ? n - i : step, e);
	if (r == 0)
		r = s3_delete_answer_end(&a, e);
	shown[0] = '\0';
	for (size_t i = 0; r == 0 && i < a.n; i++)
		at += (size_t)snprintf(shown + at, sizeof(shown) - at,
				       "%s: %s, %s\n", a.list[i].key,
				       a.list[i].code ? a.list[i].code : "-",
				       a.list[i].message ? a.list[i].message
							 : "-");
	s3_delete_answer_free(&a);
	return r;
}

#define TOP                                                                    \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                         \
	"<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define END "</DeleteResult>"
#define DELETED(key) "<Deleted><Key>" key "</Key></Deleted>"
#define FAILED(key, code, message)                                             \
	"<Error><Key>" key "</Key><Code>" code "</Code><Message>" message      \
	"</Message></Error>"

struct good {
	const char *text, *shown;
};

static const struct good goods[] = {
	{ TOP END, "" },
	{ "<DeleteResult/>", "" },
	{ TOP DELETED("a") DELETED("b&amp;&lt;&#252;") END,
	  "a: -, -\nb&<\xc3\xbc: -, -\n" },
	{ "<x:DeleteResult xmlns:x='y'><x:Deleted><x:Key>a</x:Key></x:Deleted>"
	  "</x:DeleteResult>", "a: -, -\n" },
	{ TOP FAILED("a", "AccessDenied", "Access Denied") DELETED("b")
	  FAILED("c", "InternalError", "") END,
	  "a: AccessDenied, Access Denied\nb: -, -\nc: InternalError, \n" },
	/* nothing of one key becomes the next one's */
	{ TOP FAILED("a", "X", "y") "<Error><Key>b</Key></Error>" DELETED("c")
	  END, "a: X, y\nb: Error, -\nc: -, -\n" },
	/* others tell more, in another order, and twice */
	{ TOP "<Deleted><VersionId>null</VersionId><DeleteMarker>true"
	  "</DeleteMarker><Key>a</Key></Deleted><New><Key>x</Key></New>"
	  DELETED("a") END, "a: -, -\na: -, -\n" },
	{ TOP "<Error><Message>m</Message><Code>C</Code><VersionId/><Key>a"
	  "</Key></Error>" END, "a: C, m\n" },
	/* an error is none because it says so without a code */
	{ TOP "<Deleted><Key>a</Key><Code>C</Code></Deleted>" END,
	  "a: -, -\n" },
};

static void
an_answer_is_read(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		ROW(goods[i].text);
		for (size_t step = 1; step < 4096; step = 3 * step) {
			if (read_answer(goods[i].text, step, &e) < 0)
				fail_msg("%s", e.text);
			assert_string_equal(shown, goods[i].shown);
		}
	}
}

struct bad {
	const char *text, *why;
};

static const struct bad bads[] = {
	{ "", "well-formed" },
	{ "OK", "well-formed" },
	{ TOP DELETED("a"), "well-formed" },
	{ TOP DELETED("a") "</DeleteResul", "well-formed" },
	{ TOP DELETED("a") END DELETED("b"), "well-formed" },
	{ TOP DELETED("a\001") END, "well-formed" },
	{ TOP DELETED("\xc3") END, "well-formed" },
	{ "<!DOCTYPE DeleteResult><DeleteResult/>", "DOCTYPE" },
	{ "<!DOCTYPE x [<!ENTITY k 'a'>]><DeleteResult>" DELETED("&k;") END,
	  "DOCTYPE" },
	{ "<html><body>502</body></html>", "no DeleteResult but html" },
	{ "<Error><Code>InternalError</Code></Error>",
	  "no DeleteResult but Error" },
	{ "<DeleteResultX>" DELETED("a") "</DeleteResultX>",
	  "no DeleteResult but DeleteResultX" },
	{ TOP "<Deleted/>" END, "a key without name" },
	{ TOP "<Error><Code>AccessDenied</Code></Error>" END,
	  "a key without name" },
};

static void
nonsense_is_no_answer(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		ROW(bads[i].text);
		assert_int_equal(read_answer(bads[i].text, 77, &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		if (strstr(e.text, bads[i].why) == NULL)
			fail_msg("%s", e.text);
	}
}

static void
an_answer_begins_anew(void **state)
{
	struct s3_delete_answer a = { .n = 0 };
	const char *half = TOP DELETED("a") "<Error><Key>b</Key><Code>C";
	const char *whole = TOP DELETED("d") END;
	struct err e;

	(void)state;
	s3_delete_answer_begin(&a);
	assert_int_equal(s3_delete_answer_add(&a, half, strlen(half), &e), 0);
	assert_int_equal(a.n, 1);
	s3_delete_answer_begin(&a);
	assert_int_equal(s3_delete_answer_add(&a, whole, strlen(whole), &e),
			 0);
	assert_int_equal(s3_delete_answer_end(&a, &e), 0);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.list[0].key, "d");
	assert_null(a.list[0].code);
	s3_delete_answer_free(&a);
	s3_delete_answer_free(&a);
}

static void
a_thousand_keys(void **state)
{
	struct s3_delete_answer a = { .n = 0 };
	char text[128];
	struct err e;

	(void)state;
	s3_delete_answer_begin(&a);
	assert_int_equal(s3_delete_answer_add(&a, TOP, strlen(TOP), &e), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), DELETED("%d"), i);
		assert_int_equal(s3_delete_answer_add(&a, text, strlen(text),
						      &e), 0);
	}
	assert_int_equal(s3_delete_answer_add(&a, END, strlen(END), &e), 0);
	assert_int_equal(s3_delete_answer_end(&a, &e), 0);
	assert_int_equal(a.n, 1000);
	assert_string_equal(a.list[0].key, "0");
	assert_string_equal(a.list[999].key, "999");
	s3_delete_answer_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_escaped),
		cmocka_unit_test(the_md5_is_that_of_the_body),
		cmocka_unit_test(a_body_that_was_cut_has_no_md5),
		cmocka_unit_test(keys_that_xml_can_carry),
		cmocka_unit_test(an_answer_is_read),
		cmocka_unit_test(nonsense_is_no_answer),
		cmocka_unit_test(an_answer_begins_anew),
		cmocka_unit_test(a_thousand_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
