#include <config.h>

#include <time.h>

#include "cred-help.h"

#define MINUTE 60

/* What the program that gives credentials says from now on; 0: it fails. */
static void
let_it_say(const char *dir, const char *key, int64_t expires)
{
	char text[512] = "no json", end[32];
	const time_t t = (time_t)expires;
	struct tm tm;

	strftime(end, sizeof(end), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	if (expires != 0)
		snprintf(text, sizeof(text), "{\"Version\": 1, \"AccessKeyId\":"
			 " \"%s\", \"SecretAccessKey\": \"HIDDEN\", "
			 "\"SessionToken\": \"HIDDEN\", \"Expiration\": "
			 "\"%s\"}", key, end);
	scratch_text(scratch_path("%s/answer", dir), text);
}

static struct cred *
begin_with(const char *dir, const char *program)
{
	const struct cred_scene scene = {
		.config = scratch_path("[default]\ncredential_process = %s "
				       "%s/answer\n", program, dir),
	};
	struct err e = { .text = "" };
	struct cred *c = cred_scene(dir, &scene, &e);

	assert_string_equal(e.text, "");
	assert_non_null(c);
	return c;
}

static struct cred *
begin(const char *dir)
{
	return begin_with(dir, "cat");
}

/* At that time there are these credentials; NULL: none. */
static void
there_is(struct cred *c, int64_t now, const char *key)
{
	struct aws_creds creds = { .expires = 0 };
	struct err e = { .text = "" };
	const int ret = cred_get(c, now, &creds, &e);

	printf("# %lld minutes: %s\n", (long long)(now - CRED_NOW) / MINUTE,
	       ret == 0 ? creds.access_key : e.text);
	assert_int_equal(ret, key ? 0 : -1);
	if (key != NULL)
		assert_string_equal(creds.access_key, key);
	cred_no_secret(e.text);
}

static void
renews_before_the_end(const char *dir)
{
	struct cred *c = begin(dir);

	let_it_say(dir, "ONE", CRED_NOW + 60 * MINUTE);
	there_is(c, CRED_NOW, "ONE");
	let_it_say(dir, "TWO", CRED_NOW + 120 * MINUTE);
	there_is(c, CRED_NOW + 44 * MINUTE, "ONE");
	there_is(c, CRED_NOW + 45 * MINUTE, "TWO");
	there_is(c, CRED_NOW + 104 * MINUTE, "TWO");
	assert_null(cred_word(c));
	cred_scene_end(c);
}

static void
keeps_what_is_valid_when_it_fails(const char *dir)
{
	struct cred *c = begin(dir);
	const char *word;

	let_it_say(dir, "ONE", CRED_NOW + 60 * MINUTE);
	there_is(c, CRED_NOW, "ONE");
	let_it_say(dir, "", 0);
	there_is(c, CRED_NOW + 46 * MINUTE, "ONE");
	word = cred_word(c);
	assert_non_null(word);
	assert_non_null(strstr(word, "credential_process"));
	assert_non_null(strstr(word, "are valid for 14 more minutes"));
	cred_no_secret(word);
	assert_null(cred_word(c));
	/* Not each call asks again. */
	let_it_say(dir, "TWO", CRED_NOW + 120 * MINUTE);
	there_is(c, CRED_NOW + 46 * MINUTE + 59, "ONE");
	there_is(c, CRED_NOW + 47 * MINUTE, "TWO");
	cred_scene_end(c);
}

static void
has_none_after_the_end(const char *dir)
{
	struct cred *c = begin(dir);

	let_it_say(dir, "ONE", CRED_NOW + 9 * MINUTE);
	there_is(c, CRED_NOW, "ONE");
	let_it_say(dir, "", 0);
	there_is(c, CRED_NOW + 8 * MINUTE, "ONE");
	there_is(c, CRED_NOW + 9 * MINUTE, NULL);
	/* Without valid ones each call asks. */
	let_it_say(dir, "TWO", CRED_NOW + 120 * MINUTE);
	there_is(c, CRED_NOW + 9 * MINUTE + 1, "TWO");
	cred_scene_end(c);
}

/* A run has hundreds of calls that wait for credentials. */
static void
asks_one_that_is_slow_not_for_each_call(const char *dir)
{
	static const char script[] = "cd \"${1%/*}\"; [ -s answer ] || "
		"{ echo >>asked; sleep 2; }; cat answer";
	struct cred *c = begin_with(dir, scratch_path("sh -c '%s' sh",
						      script));
	char asked[16];

	let_it_say(dir, "ONE", CRED_NOW + 9 * MINUTE);
	there_is(c, CRED_NOW, "ONE");
	scratch_text(scratch_path("%s/answer", dir), "");
	for (int i = 0; i < 6; i++)
		there_is(c, CRED_NOW + 10 * MINUTE + i % 3, NULL);
	assert_int_equal(scratch_read(scratch_path("%s/asked", dir), asked,
				      sizeof(asked)), 1);
	let_it_say(dir, "TWO", CRED_NOW + 120 * MINUTE);
	there_is(c, CRED_NOW + 20 * MINUTE, "TWO");
	cred_scene_end(c);
}

static void
renews_what_is_refused_once_a_minute(const char *dir)
{
	struct cred *c = begin(dir);
	struct err e;

	let_it_say(dir, "ONE", CRED_NOW + 600 * MINUTE);
	there_is(c, CRED_NOW, "ONE");
	assert_int_equal(cred_renew(c, CRED_NOW + 1, &e), -1);
	assert_non_null(strstr(e.text, "still gives the same"));
	let_it_say(dir, "TWO", CRED_NOW + 600 * MINUTE);
	assert_int_equal(cred_renew(c, CRED_NOW + 60, &e), -1);
	assert_non_null(strstr(e.text, "were just renewed"));
	there_is(c, CRED_NOW + 60, "ONE");
	assert_int_equal(cred_renew(c, CRED_NOW + 61, &e), 0);
	there_is(c, CRED_NOW + 61, "TWO");
	let_it_say(dir, "", 0);
	assert_int_equal(cred_renew(c, CRED_NOW + 200, &e), -1);
	assert_non_null(strstr(e.text, "expected a JSON object"));
	there_is(c, CRED_NOW + 200, "TWO");
	cred_no_secret(e.text);
	cred_scene_end(c);
}

/* A clock that was put back must not stop everything until it is there. */
static void
bears_a_clock_that_goes_back(const char *dir)
{
	struct cred *c = begin(dir);
	struct err e;

	let_it_say(dir, "ONE", CRED_NOW + 10 * MINUTE);
	there_is(c, CRED_NOW, "ONE");
	let_it_say(dir, "TWO", CRED_NOW + 10 * MINUTE);
	there_is(c, CRED_NOW - 1 * MINUTE, "TWO");
	let_it_say(dir, "THREE", CRED_NOW + 600 * MINUTE);
	assert_int_equal(cred_renew(c, CRED_NOW - 120 * MINUTE, &e), 0);
	there_is(c, CRED_NOW - 120 * MINUTE, "THREE");
	cred_scene_end(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(renews_before_the_end),
		plain_unit_test(keeps_what_is_valid_when_it_fails),
		plain_unit_test(has_none_after_the_end),
		plain_unit_test(asks_one_that_is_slow_not_for_each_call),
		plain_unit_test(renews_what_is_refused_once_a_minute),
		plain_unit_test(bears_a_clock_that_goes_back),
	};

	return cmocka_run_group_tests_name("cred-renew", tests, NULL, NULL);
}
