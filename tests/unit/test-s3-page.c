#include <config.h>

#include "lib/aws/s3-page.h"
#include "unit.h"

static char shown[65536];

static int
read_page(const char *prefix, const char *text, size_t step, struct err *e)
{
	struct s3_page p = { .n = 0 };
	const size_t n = strlen(text);
	size_t at = 0;
	int r = 0;

	s3_page_begin(&p, prefix);
	*e = (struct err){ .text = "" };
	for (size_t i = 0; r == 0 && i < n; i += step)
		r = s3_page_add(&p, text + i, n - i < step ? n - i : step, e);
	if (r == 0)
		r = s3_page_end(&p, e);
	shown[0] = '\0';
	for (size_t i = 0; r == 0 && i < p.n; i++)
		at += (size_t)snprintf(shown + at, sizeof(shown) - at,
				       "%s %s %llu %lld.%09ld\n",
				       p.list[i].key, p.list[i].etag,
				       (unsigned long long)p.list[i].size,
				       (long long)p.list[i].mtime,
				       p.list[i].mtime_ns);
	if (r == 0 && p.token != NULL)
		snprintf(shown + at, sizeof(shown) - at, "next %s\n", p.token);
	s3_page_free(&p);
	return r;
}

#define TOP                                                                    \
	"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define END "</ListBucketResult>"
#define WHOLE "<IsTruncated>false</IsTruncated>"
#define OBJECT(key)                                                            \
	"<Contents><Key>" key "</Key><LastModified>2026-11-22T02:38:28.120Z"   \
	"</LastModified><ETag>&quot;d41d&quot;</ETag><Size>7</Size>"           \
	"<StorageClass>STANDARD</StorageClass><Owner><ID>x</ID></Owner>"       \
	"</Contents>"
#define WHEN "1795315108.120000000\n"

struct good {
	const char *prefix, *text, *shown;
};

static const struct good goods[] = {
	{ "", TOP WHOLE END, "" },
	{ "", TOP WHOLE OBJECT("a") END, "a d41d 7 " WHEN },
	{ "", "<x:ListBucketResult xmlns:x='y'><x:IsTruncated>false"
	  "</x:IsTruncated></x:ListBucketResult>", "" },
	{ "in/", TOP OBJECT("in/b") OBJECT("in/a") OBJECT("in/") WHOLE END,
	  "b d41d 7 " WHEN "a d41d 7 " WHEN " d41d 7 " WHEN },
	/* Encoded only if it says so, also when it says so behind the keys. */
	{ "", TOP WHOLE OBJECT("a%2Bb+c%25") END, "a%2Bb+c%25 d41d 7 " WHEN },
	{ "", TOP WHOLE OBJECT("100%25") END, "100%25 d41d 7 " WHEN },
	{ "", TOP "<EncodingType>url</EncodingType>" WHOLE
	  OBJECT("100%2525+%2B%c3%BC") END, "100%25 +\xc3\xbc d41d 7 " WHEN },
	{ "i n/", TOP WHOLE OBJECT("i+n%2F%0A") "<EncodingType>url"
	  "</EncodingType>" END, "\n d41d 7 " WHEN },
	{ "", TOP "<EncodingType>url</EncodingType>" WHOLE
	  OBJECT("%zz%4") END, "%zz%4 d41d 7 " WHEN },
	/* A token is never decoded. */
	{ "", TOP "<EncodingType>url</EncodingType><IsTruncated>true"
	  "</IsTruncated><NextContinuationToken>1o+F7/%41=="
	  "</NextContinuationToken>" END, "next 1o+F7/%41==\n" },
	{ "", TOP WHOLE "<NextContinuationToken>x</NextContinuationToken>" END,
	  "" },
	/* Others may tell less, or more. */
	{ "", TOP WHOLE "<Contents><Key>a</Key><ETag>W/x</ETag></Contents>"
	  "<CommonPrefixes><Prefix>p</Prefix></CommonPrefixes><New><Key>x"
	  "</Key></New>" END, "a W/x 0 0.000000000\n" },
	{ "", TOP WHOLE "<Contents><Key>a</Key><ETag>&quot;</ETag>"
	  "<LastModified>1969-12-31T23:59:59Z</LastModified></Contents>" END,
	  "a \" 0 -1.000000000\n" },
};

static void
a_page_is_read(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		ROW(goods[i].text);
		for (size_t step = 1; step < 4096; step = 3 * step) {
			if (read_page(goods[i].prefix, goods[i].text, step,
				      &e) < 0)
				fail_msg("%s", e.text);
			assert_string_equal(shown, goods[i].shown);
		}
	}
}

struct bad {
	const char *prefix, *text, *why;
};

/* F03, F04, F21, F23 */
static const struct bad bads[] = {
	{ "", "", "well-formed" },
	{ "", TOP WHOLE OBJECT("a"), "well-formed" },
	{ "", "<html><body>502</body></html>", "no listing but html" },
	{ "", "<Error><Code>InternalError</Code></Error>", "no listing but" },
	{ "", "<ListBucketResultX>" WHOLE "</ListBucketResultX>",
	  "no listing but" },
	{ "", "<!DOCTYPE x>" TOP WHOLE END, "DOCTYPE" },
	{ "", TOP OBJECT("a") END, "whether it is complete" },
	{ "", TOP "<IsTruncated>true</IsTruncated>" END, "how to go on" },
	{ "", TOP "<IsTruncated>true</IsTruncated><NextContinuationToken>"
	  "</NextContinuationToken>" END, "how to go on" },
	{ "in/", TOP WHOLE OBJECT("out/a") END, "not asked for: out/a" },
	{ "in/", TOP WHOLE OBJECT("in") END, "not asked for" },
	{ "", TOP WHOLE "<Contents><ETag>x</ETag></Contents>" END,
	  "without key" },
	{ "", TOP WHOLE "<Contents><Key>a</Key></Contents>" END,
	  "without key or ETag: a" },
	{ "", TOP "<EncodingType>url</EncodingType>" WHOLE OBJECT("a%00b") END,
	  "not asked for" },
	{ "", TOP WHOLE "<Contents><Key>a</Key><Size>-1</Size></Contents>" END,
	  "a size -1" },
	{ "", TOP WHOLE "<Contents><Key>a</Key><Size>1x</Size></Contents>" END,
	  "a size 1x" },
	{ "", TOP WHOLE "<Contents><Size>99999999999999999999</Size>"
	  "</Contents>" END, "a size 9999" },
	{ "", TOP WHOLE "<Contents><LastModified>yesterday</LastModified>"
	  "</Contents>" END, "a time yesterday" },
	{ "", TOP WHOLE "<Contents><LastModified>2026-11-22T02:38:28+01:00"
	  "</LastModified></Contents>" END, "a time 2026" },
};

static void
nonsense_is_no_page(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		ROW(bads[i].text);
		assert_int_equal(read_page(bads[i].prefix, bads[i].text, 77,
					   &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		if (strstr(e.text, bads[i].why) == NULL)
			fail_msg("%s", e.text);
	}
}

static void
a_page_begins_anew(void **state)
{
	struct s3_page p = { .n = 0 };
	const char *half = TOP OBJECT("a") OBJECT("b") "<Contents><Key>c";
	const char *whole = TOP OBJECT("d") WHOLE END;
	struct err e;

	(void)state;
	s3_page_begin(&p, "");
	assert_int_equal(s3_page_add(&p, half, strlen(half), &e), 0);
	assert_int_equal(p.n, 2);
	s3_page_begin(&p, "");
	assert_int_equal(s3_page_add(&p, whole, strlen(whole), &e), 0);
	assert_int_equal(s3_page_end(&p, &e), 0);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.list[0].key, "d");
	s3_page_free(&p);
	s3_page_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_read),
		cmocka_unit_test(nonsense_is_no_page),
		cmocka_unit_test(a_page_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
