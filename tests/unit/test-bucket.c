#include <config.h>

#include <sysexits.h>

#include "sync/bucket.h"
#include "unit.h"

#define ROLE "profile p"
#define URL "s3://b/in/"

struct row {
	int status;
	const char *code, *message, *key;
	const char *what, *remedy;
	int exit;
};

static const struct row rows[] = {
	{ 404, "NoSuchBucket", "", "",
	  "cannot list " URL ": NoSuchBucket (HTTP 404)",
	  "there is no such bucket there: look at its name, region and "
	  "endpoint", EX_CONFIG },
	{ 403, "AccessDenied", "Access\nDenied", "k\033[1m",
	  "cannot list " URL "k\\x1b[1m: AccessDenied, Access\\x0aDenied "
	  "(HTTP 403)",
	  "allow s3:Right, or look at the credentials (" ROLE ")",
	  EX_NOPERM },
	{ 403, "", "", "", "cannot list " URL ": refused (HTTP 403)",
	  "allow s3:Right, or look at the credentials (" ROLE ")",
	  EX_NOPERM },
	{ 403, "SignatureDoesNotMatch", "", "",
	  "cannot list " URL ": SignatureDoesNotMatch (HTTP 403)",
	  "the secret key does not belong to the access key", EX_NOPERM },
	{ 403, "InvalidObjectState", "", "",
	  "cannot list " URL ": InvalidObjectState (HTTP 403)",
	  "it is in an archive storage class: restore it", 0 },
	{ 501, "NotImplemented", "", "",
	  "cannot list " URL ": NotImplemented (HTTP 501)", "", 0 },
};

static void
refusals_have_their_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct aws_call c = {
			.result = AWS_REFUSED, .status = rows[i].status,
			/* of another attempt: does not count */
			.err = { .code = EX_OSERR, .text = "x" },
		};
		struct bucket_trouble t;

		ROW(rows[i].what);
		snprintf(c.code, sizeof(c.code), "%s", rows[i].code);
		snprintf(c.message, sizeof(c.message), "%s", rows[i].message);
		bucket_trouble(&t, &c, URL, "list", rows[i].key, "s3:Right",
			       ROLE);
		assert_string_equal(t.what, rows[i].what);
		assert_string_equal(t.remedy, rows[i].remedy);
		assert_int_equal(t.code, rows[i].exit);
	}
}

static void
failures_say_their_reason(void **state)
{
	struct aws_call c = { .result = AWS_FAILED };
	struct bucket_trouble t;

	(void)state;
	err_stop(&c.err, EX_UNAVAILABLE, "cannot trust it");
	bucket_trouble(&t, &c, URL, "get", "k", "s3:Right", ROLE);
	assert_string_equal(t.what, "cannot get " URL "k: cannot trust it");
	assert_string_equal(t.remedy, "");
	assert_int_equal(t.code, EX_UNAVAILABLE);
}

static void
a_free_key_lies_below_the_prefix_and_is_new(void **state)
{
	char *a = bucket_free_key("in/"), *b = bucket_free_key("in/");
	char *c = bucket_free_key("");

	(void)state;
	assert_memory_equal(a, "in/.fallbackmx-probe-", 21);
	assert_int_equal(strlen(a), 21 + 16);
	assert_string_not_equal(a, b);
	assert_memory_equal(c, ".fallbackmx-probe-", 18);
	free(a);
	free(b);
	free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_have_their_remedy),
		cmocka_unit_test(failures_say_their_reason),
		cmocka_unit_test(a_free_key_lies_below_the_prefix_and_is_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
