#include <config.h>

#include "aws-help.h"

#define OK(body, n) \
	.bytes = "HTTP/1.1 200 OK\r\nContent-Length: " n "\r\n\r\n" body

struct limit {
	const char *method;
	uint64_t expected;
	size_t body_n;
	bool xml;
	int base, limit;
};

static const struct limit limits[] = {
	{ "GET", 0, 0, false, 120, 120 },
	{ "GET", 8191, 0, false, 120, 120 },
	{ "GET", 8192, 0, false, 120, 121 },
	{ "GET", 8192, 0, false, 1, 2 },
	/* 16 of them at 2 Mbit/s come in 67 s; 40 MiB alone in 168 s. */
	{ "GET", 1 << 20, 0, false, 120, 248 },
	{ "GET", 40 << 20, 0, false, 120, 5240 },
	{ "GET", AWS_LENGTH_UNKNOWN, 0, true, 120, 632 },
	{ "HEAD", AWS_LENGTH_UNKNOWN, 0, false, 120, 120 },
	{ "POST", AWS_LENGTH_UNKNOWN, 16384, true, 120, 634 },
	/* 5 TiB is S3's largest object, and no mail. */
	{ "GET", (uint64_t)5 << 40, 0, false, 120, 2000000 },
	{ "GET", AWS_LENGTH_UNKNOWN - 1, SIZE_MAX, false, 120, 2000000 },
};

static void
gives_large_ones_more_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		const struct limit *l = &limits[i];
		const struct aws_call c = {
			.method = l->method, .expected = l->expected,
			.body_n = l->body_n, .xml = l->xml,
		};

		assert_int_equal(aws_limit(&c, l->base), l->limit);
	}
}

/* F20: one that gives more than a byte a second, and not enough. */
static void
does_not_take_drips(void **state)
{
	static const struct server_answer answers[] = {
		{ OK("", "99"), .pad = 99, .drip_ms = 300 },
		{ OK("abc", "3") },
	};
	struct object o;
	struct world w;

	(void)state;
	world_begin(&w, answers, COUNT(answers));
	w.place.limit_s = 3;
	world_open(&w);
	object_get(&o, "k", AWS_LENGTH_UNKNOWN);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_OK);
	assert_int_equal(o.call.attempts, 2);
	assert_string_equal(o.body, "abc");
	world_end(&w);

	world_begin(&w, answers, 1);
	w.place.limit_s = 3;
	w.place.attempts = 2;
	world_open(&w);
	object_get(&o, "k", 99);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_FAILED);
	assert_int_equal(o.call.err.kind, ERR_TEMP);
	assert_non_null(strstr(o.call.err.text, " is too slow: "));
	assert_non_null(strstr(o.call.err.text, " bytes of the answer came "
			       "in "));
	assert_non_null(strstr(o.call.err.text, " seconds, and all of it may "
			       "take 3: look at the server and the line to "
			       "it, or use fewer connections (tried 2 times)"));
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_large_ones_more_time),
		cmocka_unit_test(does_not_take_drips),
	};

	return cmocka_run_group_tests_name("aws-limit", tests, NULL, NULL);
}
