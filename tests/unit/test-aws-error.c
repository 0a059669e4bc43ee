#include <config.h>

#include "lib/aws/aws-error.h"
#include "unit.h"

struct row {
	const char *text;
	bool xml;
	const char *code, *message, *region;
};

static const struct row rows[] = {
	{ "<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
	  "<RequestId>x</RequestId></Error>", true, "AccessDenied",
	  "Access Denied", "" },
	{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n"
	  " <Code>AuthorizationHeaderMalformed</Code>\n <Message>the region "
	  "&apos;us-east-1&apos; is wrong</Message>\n "
	  "<Region>eu-west-1</Region>\n</Error>\n", true,
	  "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong",
	  "eu-west-1" },
	{ "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
	  "<Error><Type>Sender</Type><Code>ExpiredToken</Code></Error>"
	  "<RequestId>x</RequestId></ErrorResponse>", true, "ExpiredToken",
	  "", "" },
	{ "<Error xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	  "<Code>NoSuchKey</Code></Error>", true, "NoSuchKey", "", "" },
	{ "<Error><Message>a<![CDATA[<b>]]>&#x63;</Message></Error>", true,
	  "", "a<b>c", "" },
	/* Only what stands directly below Error, the first of it. */
	{ "<Error><a><Code>x</Code></a><Code>y</Code><Code>z</Code></Error>",
	  true, "y", "", "" },
	{ "<Code>x</Code>", true, "", "", "" },
	{ "<Error><Code>a b</Code><Region>x/y</Region></Error>", true, "", "",
	  "" },
	{ "<Error><Code>SlowDown</Code><Mess", false, "SlowDown", "", "" },
	{ "<html><body>Bad gateway<br></body></html>", false, "", "", "" },
	{ "Bad gateway", false, "", "", "" },
	{ "", false, "", "", "" },
	{ "{\"__type\":\"x\"}", false, "", "", "" },
	{ "<!DOCTYPE Error [<!ENTITY a \"b\">]><Error><Code>&a;</Code>"
	  "</Error>", false, "", "", "" },
	{ "<!DOCTYPE html><html/>", false, "", "", "" },
	{ "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", false, "",
	  "", "" },
};

static void
reads_code_and_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct aws_error e;

		ROW(rows[i].text);
		memset(&e, 0x5a, sizeof(e));
		assert_int_equal(aws_error_read(&e, rows[i].text,
						strlen(rows[i].text)),
				 rows[i].xml);
		assert_string_equal(e.code, rows[i].code);
		assert_string_equal(e.message, rows[i].message);
		assert_string_equal(e.region, rows[i].region);
	}
}

static void
cuts_what_is_too_long(void **state)
{
	char text[2048], long_word[600];
	struct aws_error e;

	(void)state;
	memset(long_word, 'A', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	snprintf(text, sizeof(text), "<Error><Code>%s</Code><Message>%s"
		 "</Message></Error>", long_word, long_word);
	assert_true(aws_error_read(&e, text, strlen(text)));
	assert_int_equal(strlen(e.code), sizeof(e.code) - 1);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
}

struct root {
	const char *text;
	enum aws_root root;
};

static const struct root roots[] = {
	{ "<Error>", AWS_ROOT_ERROR },
	{ "<Error/>", AWS_ROOT_ERROR },
	{ "<Error xmlns=\"x\">", AWS_ROOT_ERROR },
	{ "<?xml version=\"1.0\"?>\n\n<!-- <a> --><Error>", AWS_ROOT_ERROR },
	{ "\xef\xbb\xbf <Error>", AWS_ROOT_ERROR },
	{ "<ErrorResponse>", AWS_ROOT_OTHER },
	{ "<Errors>", AWS_ROOT_OTHER },
	{ "<ListBucketResult>", AWS_ROOT_OTHER },
	{ "<a/>", AWS_ROOT_OTHER },
	{ "text", AWS_ROOT_OTHER },
	{ "x", AWS_ROOT_OTHER },
	{ "<!DOCTYPE a>", AWS_ROOT_OTHER },
	{ "", AWS_ROOT_UNKNOWN },
	{ " \n", AWS_ROOT_UNKNOWN },
	{ "<", AWS_ROOT_UNKNOWN },
	{ "<Error", AWS_ROOT_UNKNOWN },
	{ "<?xml version", AWS_ROOT_UNKNOWN },
	{ "<!-- ", AWS_ROOT_UNKNOWN },
	{ "<!-", AWS_ROOT_UNKNOWN },
	{ "\xef\xbb\xbf", AWS_ROOT_UNKNOWN },
	{ "\xef\xbb", AWS_ROOT_UNKNOWN },
};

static void
knows_the_root(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(roots); i++) {
		ROW(roots[i].text);
		assert_int_equal(aws_error_root(roots[i].text,
						strlen(roots[i].text)),
				 roots[i].root);
	}
}

/* A verdict stays, however the bytes arrive. */
static void
never_changes_its_mind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(roots); i++) {
		const char *text = roots[i].text;
		enum aws_root last = AWS_ROOT_UNKNOWN;

		ROW(text);
		for (size_t n = 0; n <= strlen(text); n++) {
			const enum aws_root now = aws_error_root(text, n);

			if (last != AWS_ROOT_UNKNOWN)
				assert_int_equal(now, last);
			last = now;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_code_and_message),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(knows_the_root),
		cmocka_unit_test(never_changes_its_mind),
	};

	return cmocka_run_group_tests_name("aws-error", tests, NULL, NULL);
}
