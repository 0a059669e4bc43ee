#include <config.h>

#include "aws-help.h"

#define OK .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
#define ERROR(status, headers, code, more)          \
	.bytes = "HTTP/1.1 " status "\r\n" headers  \
		 "Connection: close\r\n\r\n<Error>" \
		 "<Code>" code "</Code>" more "</Error>"
#define DATE(time) "Date: Fri, 24 May 2013 " time " GMT\r\n"
#define BEHIND "the clock of this machine is "

struct row {
	const char *name;
	struct server_answer answers[3];
	const char *method; /* NULL: GET */
	enum aws_result result;
	int attempts;
	const char *date;   /* of the last request */
	const char *region; /* as well */
	const char *word;   /* the beginning of it; NULL: none */
};

static const struct row clocks[] = {
	{ .name = "an hour behind",
	  .answers = { { ERROR("403 No", DATE("01:02:00"),
			       "RequestTimeTooSkewed", ""),
			 SERVER_CLOSE },
		       { OK } },
	  .result = AWS_OK,
	  .attempts = 2,
	  .date = "20130524T010200Z",
	  .word = BEHIND "62 minutes behind that of 127.0.0.1:" },
	{ .name = "ahead",
	  .answers = { { .bytes =
				 "HTTP/1.1 403 No\r\nDate: Thu, 23 May 2013 "
				 "23:58:30 GMT\r\nConnection: close\r\n\r\n"
				 "<Error><Code>"
				 "RequestTimeTooSkewed</Code></Error>",
			 SERVER_CLOSE },
		       { OK } },
	  .result = AWS_OK,
	  .attempts = 2,
	  .date = "20130523T235830Z",
	  .word = BEHIND "90 seconds ahead of that of 127.0.0.1:" },
	{ .name = "not said plainly",
	  .answers = { { ERROR("403 No", DATE("00:10:00"),
			       "SignatureDoesNotMatch", ""),
			 SERVER_CLOSE },
		       { OK } },
	  .result = AWS_OK,
	  .attempts = 2,
	  .date = "20130524T001000Z",
	  .word = BEHIND "10 minutes behind that of 127.0.0.1:" },
	{ .name = "HEAD has no code",
	  .answers = { { .bytes = "HTTP/1.1 403 No\r\n" DATE("00:10:00") "\r\n",
			 SERVER_CLOSE },
		       { .bytes = "HTTP/1.1 200 OK\r\n\r\n", SERVER_CLOSE } },
	  .method = "HEAD",
	  .result = AWS_OK,
	  .attempts = 2,
	  .date = "20130524T001000Z",
	  .word = BEHIND "10 minutes behind that of 127.0.0.1:" },
	{ .name = "once",
	  .answers = { { ERROR("403 No", DATE("01:02:00"),
			       "RequestTimeTooSkewed", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 2,
	  .date = "20130524T010200Z",
	  .word = BEHIND "62 minutes behind that of 127.0.0.1:" },
	{ .name = "the secret is wrong",
	  .answers = { { ERROR("403 No", DATE("00:04:00"),
			       "SignatureDoesNotMatch", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .date = "20130524T000000Z" },
	{ .name = "something else",
	  .answers = { { ERROR("403 No", DATE("09:00:00"), "AccessDenied", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .date = "20130524T000000Z" },
	{ .name = "no date",
	  .answers = { { ERROR("403 No", "", "RequestTimeTooSkewed", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .date = "20130524T000000Z" },
	{ .name = "no date that can be read",
	  .answers = { { ERROR("403 No", "Date: yesterday\r\n",
			       "RequestTimeTooSkewed", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .date = "20130524T000000Z" },
};

#define MOVED                                \
	"x-amz-bucket-region: eu-west-1\r\n" \
	"Location: http://127.0.0.1:1/\r\n"
#define THERE                                                            \
	"the bucket bkt is in the region eu-west-1, not us-east-1: set " \
	"\"region\""

static const struct row regions[] = {
	{ .name = "301",
	  .answers = { { ERROR("301 Moved", MOVED, "PermanentRedirect", ""),
			 SERVER_CLOSE },
		       { OK } },
	  .result = AWS_OK,
	  .attempts = 2,
	  .region = "eu-west-1",
	  .word = THERE },
	{ .name = "400",
	  .answers = { { ERROR("400 Bad", "", "AuthorizationHeaderMalformed",
			       "<Region>eu-west-1</Region>"),
			 SERVER_CLOSE },
		       { OK } },
	  .result = AWS_OK,
	  .attempts = 2,
	  .region = "eu-west-1",
	  .word = THERE },
	{ .name = "400 without a body",
	  .answers = { { .bytes = "HTTP/1.1 400 Bad\r\n" MOVED "\r\n",
			 SERVER_CLOSE },
		       { .bytes = "HTTP/1.1 200 OK\r\n\r\n", SERVER_CLOSE } },
	  .method = "HEAD",
	  .result = AWS_OK,
	  .attempts = 2,
	  .region = "eu-west-1",
	  .word = THERE },
	{ .name = "once",
	  .answers = { { ERROR("301 Moved", MOVED, "PermanentRedirect", ""),
			 SERVER_CLOSE },
		       { ERROR("301 Moved",
			       "x-amz-bucket-region: eu-west-2\r\n",
			       "PermanentRedirect", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 2,
	  .region = "eu-west-1",
	  .word = THERE },
	{ .name = "F19: no region",
	  .answers = { { ERROR("301 Moved", "Location: http://127.0.0.1:1/\r\n",
			       "PermanentRedirect", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .region = "us-east-1" },
	{ .name = "the same region",
	  .answers = { { ERROR("301 Moved",
			       "x-amz-bucket-region: us-east-1\r\n",
			       "PermanentRedirect", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .region = "us-east-1" },
	{ .name = "no name of a region",
	  .answers = { { ERROR("301 Moved",
			       "x-amz-bucket-region: "
			       "evil.example/\r\n",
			       "PermanentRedirect", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .region = "us-east-1" },
	{ .name = "another 400",
	  .answers = { { ERROR("400 Bad", MOVED, "InvalidRequest", ""),
			 SERVER_CLOSE } },
	  .result = AWS_REFUSED,
	  .attempts = 1,
	  .region = "us-east-1" },
};

static void
check_row(const struct row *row)
{
	struct object o;
	struct world w;
	const char *last, *word;
	char text[64];

	ROW(row->name);
	world_begin(&w, row->answers, row->answers[1].bytes ? 2 : 1);
	world_open(&w);
	object_get(&o, "k", AWS_LENGTH_UNKNOWN);
	if (row->method != NULL)
		o.call.method = row->method;
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, row->result);
	assert_int_equal(o.call.attempts, row->attempts);
	assert_int_equal(server_requests(w.server), row->attempts);
	last = server_request(w.server, (size_t)row->attempts - 1);
	if (row->date != NULL) {
		snprintf(text, sizeof(text), "\r\nx-amz-date: %s\r\n",
			 row->date);
		assert_non_null(strstr(last, text));
	}
	if (row->region != NULL) {
		snprintf(text, sizeof(text), "/20130524/%s/s3/aws4_request",
			 row->region);
		assert_non_null(strstr(last, text));
	}
	word = aws_word(w.aws);
	assert_int_equal(word != NULL, row->word != NULL);
	if (word != NULL)
		assert_int_equal(strncmp(word, row->word, strlen(row->word)),
				 0);
	assert_null(aws_word(w.aws));
	world_end(&w);
}

static void
puts_the_clock_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clocks); i++)
		check_row(&clocks[i]);
}

static void
puts_the_region_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(regions); i++)
		check_row(&regions[i]);
}

/* What one call has learned, the next ones know. */
static void
learns_once(void **state)
{
	static const struct server_answer answers[] = {
		{ ERROR("403 No", DATE("01:00:00"), "RequestTimeTooSkewed", ""),
		  SERVER_CLOSE },
		{ ERROR("301 Moved", MOVED, "PermanentRedirect", ""),
		  SERVER_CLOSE },
		{ OK },
	};
	struct object o[2];
	struct world w;

	(void)state;
	world_begin(&w, answers, 3);
	world_open(&w);
	object_get(&o[0], "k", 3);
	aws_start(w.aws, &o[0].call);
	world_run(&w);
	assert_int_equal(o[0].call.result, AWS_OK);
	assert_int_equal(o[0].call.attempts, 3);
	object_get(&o[1], "l", 3);
	aws_start(w.aws, &o[1].call);
	world_run(&w);
	assert_int_equal(o[1].call.attempts, 1);
	assert_non_null(strstr(server_request(w.server, 3),
			       "x-amz-date: 20130524T010000Z"));
	assert_non_null(strstr(server_request(w.server, 3), "/eu-west-1/s3/"));
	assert_non_null(aws_word(w.aws));
	assert_non_null(aws_word(w.aws));
	assert_null(aws_word(w.aws));
	world_end(&w);
}

/* On AWS the region is a part of the host's name; nothing else of it changes,
 * whatever the answer says. The proxy shows where the request would go. */
static void
moves_to_a_host_of_ours(void **state)
{
	static const struct server_answer answers[] = {
		{ ERROR("301 Moved", MOVED, "PermanentRedirect",
			"<Endpoint>evil.example</Endpoint>"),
		  SERVER_CLOSE },
		{ OK },
	};
	const struct endpoint_wish wish = { .service = "s3",
					    .region = "us-east-1" };
	struct object o;
	struct world w;
	struct err e;
	char proxy[64];

	(void)state;
	world_begin(&w, answers, 2);
	assert_int_equal(endpoint_make(&w.endpoint, &wish, &e), 0);
	w.endpoint.tls = false;
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d",
		 server_port(w.server));
	w.place.http.proxy = proxy;
	world_open(&w);
	object_get(&o, "k", 3);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_OK);
	assert_non_null(strstr(server_request(w.server, 0),
			       "GET http://bkt.s3"
			       ".us-east-1.amazonaws.com/k HTTP/1.1\r\n"
			       "Host: bkt.s3.us-east-1.amazonaws.com\r\n"));
	assert_non_null(strstr(server_request(w.server, 1),
			       "GET http://bkt.s3"
			       ".eu-west-1.amazonaws.com/k HTTP/1.1\r\n"
			       "Host: bkt.s3.eu-west-1.amazonaws.com\r\n"));
	world_end(&w);
}

static const struct server_answer expired[] = {
	{ ERROR("400 Bad", "", "ExpiredToken", ""), SERVER_CLOSE },
	{ OK },
};

static void
renews_credentials(void **state)
{
	struct object o;
	struct world w;

	(void)state;
	world_begin(&w, expired, 2);
	world_open(&w);
	object_get(&o, "k", 3);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_OK);
	assert_int_equal(o.call.attempts, 2);
	assert_int_equal(w.cred.renewed, 1);
	assert_null(strstr(server_request(w.server, 0), "security-token"));
	assert_non_null(strstr(server_request(w.server, 1),
			       "\r\nx-amz-security-token: token-1\r\n"));
	world_end(&w);
}

static void
renews_them_once(void **state)
{
	struct object o[8];
	struct world w;

	(void)state;
	world_begin(&w, expired, 1);
	world_open(&w);
	object_get(&o[0], "k", 3);
	aws_start(w.aws, &o[0].call);
	world_run(&w);
	assert_int_equal(o[0].call.result, AWS_REFUSED);
	assert_string_equal(o[0].call.code, "ExpiredToken");
	assert_int_equal(o[0].call.attempts, 2);
	assert_int_equal(w.cred.renewed, 1);
	world_end(&w);
}

/* Those that were under way together need one renewal. */
static void
renews_them_for_all(void **state)
{
	struct server_answer answers[9];
	struct object o[8];
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(o); i++) {
		answers[i] = expired[0];
		answers[i].delay_ms = 50;
	}
	answers[8] = expired[1];
	world_begin(&w, answers, COUNT(answers));
	world_open(&w);
	for (size_t i = 0; i < COUNT(o); i++) {
		object_get(&o[i], "k", 3);
		aws_start(w.aws, &o[i].call);
	}
	world_run(&w);
	for (size_t i = 0; i < COUNT(o); i++) {
		assert_int_equal(o[i].call.result, AWS_OK);
		assert_int_equal(o[i].call.attempts, 2);
	}
	assert_int_equal(w.cred.renewed, 1);
	world_end(&w);
}

static void
tells_why_it_cannot_renew(void **state)
{
	struct object o;
	struct world w;
	struct err e;

	(void)state;
	world_begin(&w, expired, 1);
	world_open(&w);
	object_get(&o, "k", 3);
	aws_start(w.aws, &o.call);
	assert_int_equal(aws_wait(w.aws, NULL, 0, 0, &e), 1);
	w.cred.refuses = true;
	world_run(&w);
	assert_int_equal(o.call.result, AWS_REFUSED);
	assert_string_equal(o.call.code, "ExpiredToken");
	assert_int_equal(strncmp(o.call.err.text,
				 "cannot renew credentials: "
				 "no: 127.0.0.1:",
				 40),
			 0);
	world_end(&w);
}

static void
sends_nothing_without_credentials(void **state)
{
	struct object o;
	struct world w;

	(void)state;
	world_begin(&w, expired, 1);
	w.cred.refuses = true;
	world_open(&w);
	object_get(&o, "k", 3);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_FAILED);
	assert_int_equal(o.call.attempts, 0);
	assert_string_equal(o.call.err.text, "cannot find credentials: none");
	assert_null(aws_header(&o.call, "Date"));
	assert_int_equal(server_requests(w.server), 0);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_the_clock_right),
		cmocka_unit_test(puts_the_region_right),
		cmocka_unit_test(learns_once),
		cmocka_unit_test(moves_to_a_host_of_ours),
		cmocka_unit_test(renews_credentials),
		cmocka_unit_test(renews_them_once),
		cmocka_unit_test(renews_them_for_all),
		cmocka_unit_test(tells_why_it_cannot_renew),
		cmocka_unit_test(sends_nothing_without_credentials),
	};

	return cmocka_run_group_tests_name("aws-mend", tests, NULL, NULL);
}
