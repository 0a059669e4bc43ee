#include <config.h>

#include "lib/aws/retry.h"
#include "unit.h"

struct answer {
	int status;
	const char *code;
	enum retry_cause cause;
};

static const struct answer answers[] = {
	{ 500, "", RETRY_TROUBLE },
	{ 500, "InternalError", RETRY_TROUBLE },
	{ 502, "", RETRY_TROUBLE },
	{ 503, "", RETRY_THROTTLED },
	{ 503, "SlowDown", RETRY_THROTTLED },
	{ 503, "ServiceUnavailable", RETRY_THROTTLED },
	{ 504, "", RETRY_TROUBLE },
	{ 429, "", RETRY_THROTTLED },
	{ 400, "RequestTimeout", RETRY_TROUBLE },
	{ 400, "BadDigest", RETRY_TROUBLE },
	{ 400, "Throttling", RETRY_THROTTLED },
	{ 400, "RequestLimitExceeded", RETRY_THROTTLED },
	{ 403, "AccessDenied", RETRY_NEVER },
	{ 403, "", RETRY_NEVER },
	{ 404, "NoSuchKey", RETRY_NEVER },
	{ 409, "OperationAborted", RETRY_NEVER },
	{ 412, "PreconditionFailed", RETRY_NEVER },
	{ 301, "PermanentRedirect", RETRY_NEVER },
	{ 501, "NotImplemented", RETRY_NEVER },
	{ 505, "", RETRY_NEVER },
	{ 400, "slowdown", RETRY_NEVER },
};

static void
knows_what_may_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		ROW(answers[i].code);
		assert_int_equal(retry_cause(answers[i].status,
					     answers[i].code),
				 answers[i].cause);
	}
}

struct delay {
	int made;
	double after, chance, delay;
};

/* Up to 1, 2, 4, 8, 16, 20 s by chance; at least what the server asks for. */
static const struct delay delays[] = {
	{ 1, -1, 0.5, 0.5 },	{ 2, -1, 0.5, 1 },	{ 3, -1, 0.5, 2 },
	{ 4, -1, 0.5, 4 },	{ 5, -1, 0.5, 8 },	{ 6, -1, 0.5, 10 },
	{ 7, -1, 0.5, 10 },	{ 19, -1, 0.5, 10 },	{ 1, -1, 0, 0 },
	{ 3, -1, 0, 0 },	{ 1, 3, 0.5, 3 },	{ 4, 3, 0.5, 4 },
	{ 1, 9999, 0.5, 20 },	{ 1, 0, 0.5, 0.5 },
};

static void
waits_longer_each_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(delays); i++) {
		const struct delay *d = &delays[i];
		struct retry r;
		int paid = 0;

		retry_init(&r, 20);
		assert_true(retry_delay(&r, RETRY_TROUBLE, d->made, d->after,
					d->chance, &paid) == d->delay);
		assert_int_equal(paid, 5);
	}
}

static void
ends_after_the_attempts(void **state)
{
	struct retry r;
	int paid = 0;

	(void)state;
	retry_init(&r, 0);
	assert_true(retry_delay(&r, RETRY_TROUBLE, 4, -1, 0.5, &paid) >= 0);
	assert_true(retry_delay(&r, RETRY_TROUBLE, 5, -1, 0.5, &paid) < 0);
	assert_true(retry_delay(&r, RETRY_NEVER, 1, -1, 0.5, &paid) < 0);
	retry_init(&r, 1);
	paid = 0;
	assert_true(retry_delay(&r, RETRY_TROUBLE, 1, -1, 0.5, &paid) < 0);
	assert_int_equal(paid, 0);
}

static int
retries_left(struct retry *r, enum retry_cause cause)
{
	int n = 0, paid;

	while (retry_delay(r, cause, 1, -1, 0.5, &paid) >= 0)
		n++;
	return n;
}

static void
stops_when_most_fail(void **state)
{
	struct retry r;

	(void)state;
	retry_init(&r, 0);
	assert_int_equal(retries_left(&r, RETRY_TROUBLE), 100);
	retry_init(&r, 0);
	assert_int_equal(retries_left(&r, RETRY_TIMEOUT), 50);
	/* A success gives back what its last retry has cost, or one. */
	retry_succeeded(&r, 10);
	assert_int_equal(retries_left(&r, RETRY_TROUBLE), 2);
	for (int i = 0; i < 5; i++)
		retry_succeeded(&r, 0);
	assert_int_equal(retries_left(&r, RETRY_TROUBLE), 1);
	for (int i = 0; i < 10000; i++)
		retry_succeeded(&r, 0);
	assert_int_equal(retries_left(&r, RETRY_TROUBLE), 100);
}

static void
succeed(struct pace *p, int times)
{
	while (times-- > 0)
		pace_succeeded(p);
}

static void
slows_down(void **state)
{
	static const int steps[] = { 8, 4, 2, 1, 1 };
	struct pace p;

	(void)state;
	pace_init(&p, 16);
	assert_int_equal(p.now, 16);
	for (size_t i = 0; i < COUNT(steps); i++) {
		pace_throttled(&p, p.halvings);
		assert_int_equal(p.now, steps[i]);
	}
	succeed(&p, 99);
	assert_int_equal(p.now, 1);
	succeed(&p, 1);
	assert_int_equal(p.now, 2);
	succeed(&p, 99);
	pace_throttled(&p, p.halvings);
	succeed(&p, 99);
	assert_int_equal(p.now, 1);
	succeed(&p, 10000);
	assert_int_equal(p.now, 16);
}

/* Sixteen that were under way together are one complaint. */
static void
takes_a_burst_as_one(void **state)
{
	struct pace p;
	unsigned seen;

	(void)state;
	pace_init(&p, 16);
	seen = p.halvings;
	for (int i = 0; i < 16; i++)
		pace_throttled(&p, seen);
	assert_int_equal(p.now, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_may_pass),
		cmocka_unit_test(waits_longer_each_time),
		cmocka_unit_test(ends_after_the_attempts),
		cmocka_unit_test(stops_when_most_fail),
		cmocka_unit_test(slows_down),
		cmocka_unit_test(takes_a_burst_as_one),
	};

	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
