#include <config.h>

#include "aws-help.h"

#define ANSWERS_MAX 6
#define LENGTH(n) "HTTP/1.1 200 OK\r\nContent-Length: " n "\r\n\r\n"
#define OK(body, n) .bytes = LENGTH(n) body
#define EMPTY(status) \
	.bytes = "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"
#define CHUNKED .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define XML(status, code)                                          \
	.bytes = "HTTP/1.1 " status                                \
		 "\r\nConnection: close\r\n\r\n<Error><Code>" code \
		 "</Code><Message>Why not</Message></Error>"

struct row {
	const char *name;
	struct server_answer answers[ANSWERS_MAX];
	/* Of the call: */
	uint64_t expected;
	bool xml;
	int begin_fails, data_fails, finish_fails;
	enum err_kind kind;
	/* What comes of it: */
	int status;
	const char *code;
	int attempts;	  /* and delays: 0.5, 1, 2, 4 */
	const char *body; /* NULL: whatever */
	const char *text; /* behind "127.0.0.1:PORT"; NULL: none */
};

static const struct row good[] = {
	{ .name = "GET",
	  .answers = { { OK("abc", "3") } },
	  .expected = 3, .status = 200, .attempts = 1, .body = "abc" },
	{ .name = "nothing",
	  .answers = { { EMPTY("204 No Content") } },
	  .expected = 0, .status = 204, .attempts = 1, .body = "" },
	{ .name = "of any length",
	  .answers = { { OK("abc", "3") } },
	  .expected = AWS_LENGTH_UNKNOWN, .status = 200, .attempts = 1,
	  .body = "abc" },
	{ .name = "F08: chunked",
	  .answers = { { CHUNKED "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" } },
	  .expected = 3, .status = 200, .attempts = 1, .body = "abc" },
	{ .name = "to the connection's end",
	  .answers = { { .bytes = "HTTP/1.1 200 OK\r\n\r\nabc",
			 SERVER_CLOSE } },
	  .expected = 3, .status = 200, .attempts = 1, .body = "abc" },
	{ .name = "after 100 Continue",
	  .answers = { { .bytes = "HTTP/1.1 100 Continue\r\nA: b\r\n"
				  "\r\n" LENGTH("3") "abc" } },
	  .expected = 3, .status = 200, .attempts = 1, .body = "abc" },
	/* What lies behind the announced length is no part of it. */
	{ .name = "F07: more than announced",
	  .answers = { { OK("abcdef", "3"), SERVER_CLOSE } },
	  .expected = 3, .status = 200, .attempts = 1, .body = "abc" },
	{ .name = "an object that looks like an error",
	  .answers = { { OK("<Error/>", "8") } },
	  .expected = 8, .status = 200, .attempts = 1, .body = "<Error/>" },
	{ .name = "XML",
	  .answers = { { OK("<List/>", "7") } },
	  .expected = AWS_LENGTH_UNKNOWN, .xml = true, .status = 200,
	  .attempts = 1, .body = "<List/>" },
	{ .name = "XML that says nothing",
	  .answers = { { OK("\n", "1") } },
	  .expected = AWS_LENGTH_UNKNOWN, .xml = true, .status = 200,
	  .attempts = 1, .body = "\n" },
	{ .name = "XML in pieces",
	  .answers = { { CHUNKED "2\r\n<L\r\n5\r\nist/>\r\n0\r\n\r\n" } },
	  .expected = AWS_LENGTH_UNKNOWN, .xml = true, .status = 200,
	  .attempts = 1, .body = "<List/>" },
};

static const struct row later[] = {
	{ .name = "F01: SlowDown three times",
	  .answers = { { XML("503 Slow", "SlowDown"), SERVER_CLOSE },
		       { XML("503 Slow", "SlowDown"), SERVER_CLOSE },
		       { XML("503 Slow", "SlowDown"), SERVER_CLOSE },
		       { OK("abc", "3") } },
	  .expected = 3, .status = 200, .code = "", .attempts = 4,
	  .body = "abc" },
	{ .name = "500, 502, 504, 429, then 200",
	  .answers = { { EMPTY("500 A") },
		       { EMPTY("502 B") },
		       { EMPTY("504 C") },
		       { EMPTY("429 D") },
		       { OK("abc", "3") } },
	  .expected = 3, .status = 200, .attempts = 5, .body = "abc" },
	{ .name = "a reset",
	  .answers = { { .then = SERVER_RESET }, { OK("abc", "3") } },
	  .expected = 3, .status = 200, .attempts = 2, .body = "abc" },
	{ .name = "closed",
	  .answers = { { .then = SERVER_CLOSE }, { OK("abc", "3") } },
	  .expected = 3, .status = 200, .attempts = 2, .body = "abc" },
	{ .name = "F06: a body cut off",
	  .answers = { { OK("ab", "3"), SERVER_CLOSE }, { OK("abc", "3") } },
	  .expected = 3, .status = 200, .attempts = 2, .body = "abc" },
	{ .name = "chunks cut off",
	  .answers = { { CHUNKED "2\r\nab\r\n", SERVER_CLOSE },
		       { OK("abc", "3") } },
	  .expected = 3, .status = 200, .attempts = 2, .body = "abc" },
	{ .name = "200 with <Error>",
	  .answers = { { XML("200 OK", "InternalError"), SERVER_CLOSE },
		       { OK("<List/>", "7") } },
	  .expected = AWS_LENGTH_UNKNOWN, .xml = true, .status = 200,
	  .code = "", .attempts = 2, .body = "<List/>" },
	{ .name = "200 with <Error> that is not known",
	  .answers = { { XML("200 OK", "Whatever"), SERVER_CLOSE },
		       { OK("<List/>", "7") } },
	  .expected = AWS_LENGTH_UNKNOWN, .xml = true, .status = 200,
	  .attempts = 2, .body = "<List/>" },
	{ .name = "finish is not content",
	  .answers = { { OK("abc", "3") }, { OK("abd", "3") } },
	  .expected = 3, .finish_fails = 1, .kind = ERR_TEMP, .status = 200,
	  .attempts = 2, .body = "abd" },
	{ .name = "no HTTP",
	  .answers = { { .bytes = "SSH-2.0-OpenSSH\r\n", SERVER_CLOSE },
		       { OK("abc", "3") } },
	  .expected = 3, .status = 200, .attempts = 2, .body = "abc" },
};

static const struct row failures[] = {
	{ .name = "SlowDown for ever",
	  .answers = { { XML("503 Slow", "SlowDown"), SERVER_CLOSE } },
	  .expected = 3, .status = 503, .code = "SlowDown", .attempts = 5,
	  .text = " answers 503 SlowDown: Why not (tried 5 times)" },
	{ .name = "500 for ever",
	  .answers = { { EMPTY("500 A") } },
	  .expected = 3, .status = 500, .code = "", .attempts = 5,
	  .text = " answers 500 (tried 5 times)" },
	{ .name = "a proxy's page",
	  .answers = { { .bytes = "HTTP/1.1 502 B\r\nContent-Length: 6\r\n\r\n"
				  "<html>" } },
	  .expected = 3, .status = 502, .code = "", .attempts = 5,
	  .text = " answers 502 (no XML: is there a proxy between?) (tried 5 "
		  "times)" },
	{ .name = "F07: longer than listed",
	  .answers = { { OK("abcd", "4") } },
	  .expected = 3, .status = 200, .attempts = 5,
	  .text = ": the answer announces 4 bytes, expected 3 (tried 5 "
		  "times)" },
	{ .name = "shorter than listed",
	  .answers = { { OK("ab", "2") } },
	  .expected = 3, .status = 200, .attempts = 5,
	  .text = ": the answer announces 2 bytes, expected 3 (tried 5 "
		  "times)" },
	{ .name = "F08: chunked and longer",
	  .answers = { { CHUNKED "4\r\nabcd\r\n0\r\n\r\n" } },
	  .expected = 3, .status = 200, .attempts = 5,
	  .text = ": the answer has at least 4 bytes, expected 3 (tried 5 "
		  "times)" },
	{ .name = "F08: chunked and shorter",
	  .answers = { { CHUNKED "2\r\nab\r\n0\r\n\r\n" } },
	  .expected = 3, .status = 200, .attempts = 5,
	  .text = ": the answer has 2 bytes, expected 3 (tried 5 times)" },
	{ .name = "finish is never content",
	  .answers = { { OK("abc", "3") } },
	  .expected = 3, .finish_fails = 9, .kind = ERR_TEMP, .status = 200,
	  .attempts = 5,
	  .text = ": cannot verify (tried 5 times)" },
};

static const struct row refusals[] = {
	{ .name = "403",
	  .answers = { { XML("403 No", "AccessDenied"), SERVER_CLOSE } },
	  .expected = 3, .status = 403, .code = "AccessDenied", .attempts = 1,
	  .text = " answers 403 AccessDenied: Why not" },
	{ .name = "404",
	  .answers = { { XML("404 No", "NoSuchKey"), SERVER_CLOSE } },
	  .expected = 3, .status = 404, .code = "NoSuchKey", .attempts = 1,
	  .text = " answers 404 NoSuchKey: Why not" },
	{ .name = "412",
	  .answers = { { XML("412 No", "PreconditionFailed"), SERVER_CLOSE } },
	  .expected = 3, .status = 412, .code = "PreconditionFailed",
	  .attempts = 1,
	  .text = " answers 412 PreconditionFailed: Why not" },
	{ .name = "501",
	  .answers = { { EMPTY("501 Not Implemented") } },
	  .expected = 3, .status = 501, .code = "", .attempts = 1,
	  .text = " answers 501" },
	{ .name = "304",
	  .answers = { { .bytes = "HTTP/1.1 304 Not Modified\r\n\r\n" } },
	  .expected = 3, .status = 304, .code = "", .attempts = 1,
	  .text = " answers 304" },
	{ .name = "after trouble",
	  .answers = { { EMPTY("500 A") },
		       { XML("404 No", "NoSuchKey"), SERVER_CLOSE } },
	  .expected = 3, .status = 404, .code = "NoSuchKey", .attempts = 2,
	  .text = " answers 404 NoSuchKey: Why not (tried 2 times)" },
	{ .name = "a portal's page",
	  .answers = { { .bytes = "HTTP/1.1 403 F\r\nContent-Length: 6\r\n\r\n"
				  "<html>" } },
	  .expected = 3, .status = 403, .code = "", .attempts = 1,
	  .text = " answers 403 (no XML: is there a proxy between?)" },
	{ .name = "F19: a redirect",
	  .answers = { { .bytes = "HTTP/1.1 301 Moved\r\nLocation: "
				  "http://127.0.0.1:1/other\r\n"
				  "Content-Length: 0\r\n\r\n" } },
	  .expected = 3, .status = 301, .code = "", .attempts = 1,
	  .text = " answers 301" },
	{ .name = "control bytes",
	  .answers = { { .bytes =
				 "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n"
				 "<Error><Code>a\nb</Code><Message>c\nd\xc3\xa9"
				 "</Message></Error>",
			 SERVER_CLOSE } },
	  .expected = 3, .status = 400, .code = "", .attempts = 1,
	  .text = " answers 400: c\\x0ad\\xc3\\xa9" },
	{ .name = "DOCTYPE",
	  .answers = { { .bytes =
				 "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n"
				 "<!DOCTYPE x [<!ENTITY a \"b\">]><Error>"
				 "<Code>&a;"
				 "</Code></Error>",
			 SERVER_CLOSE } },
	  .expected = 3, .status = 400, .code = "", .attempts = 1,
	  .text = " answers 400 (no XML: is there a proxy between?)" },
};

static void
port_text(const struct world *w, const char *tail, char *out, size_t size)
{
	snprintf(out, size, "127.0.0.1:%d%s", server_port(w->server), tail);
}

static size_t
count(const struct row *row)
{
	size_t n = 0;

	while (n < ANSWERS_MAX &&
	       (row->answers[n].bytes != NULL ||
		row->answers[n].then != SERVER_KEEP))
		n++;
	return n;
}

static void
check_row(const struct row *row, enum aws_result result)
{
	static const double delays[] = { 0.5, 1, 2, 4 };
	struct object o;
	char text[256];
	struct world w;

	ROW(row->name);
	world_begin(&w, row->answers, count(row));
	world_open(&w);
	object_get(&o, "k", row->expected);
	o.call.xml = row->xml;
	o.begin_fails = row->begin_fails;
	o.data_fails = row->data_fails;
	o.finish_fails = row->finish_fails;
	o.kind = row->kind;
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.done, 1);
	assert_int_equal(o.call.result, result);
	assert_int_equal(o.call.status, row->status);
	assert_int_equal(o.call.attempts, row->attempts);
	assert_int_equal(server_requests(w.server), row->attempts);
	assert_int_equal(w.delays_n, row->attempts - 1);
	for (int i = 0; i < w.delays_n; i++)
		assert_true(w.delays[i] == delays[i]);
	if (row->code != NULL)
		assert_string_equal(o.call.code, row->code);
	if (row->body != NULL)
		assert_string_equal(o.body, row->body);
	if (row->text != NULL) {
		port_text(&w, row->text, text, sizeof(text));
		assert_string_equal(o.call.err.text, text);
		assert_int_equal(o.call.err.kind, ERR_TEMP);
	}
	assert_null(aws_word(w.aws));
	world_end(&w);
}

static void
takes_good_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check_row(&good[i], AWS_OK);
}

static void
tries_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(later); i++)
		check_row(&later[i], AWS_OK);
}

static void
fails_in_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(failures); i++)
		check_row(&failures[i], AWS_FAILED);
}

static void
believes_a_refusal(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++)
		check_row(&refusals[i], AWS_REFUSED);
}

/* A callback's verdict is final, and is told as it is. */
static void
obeys_its_callbacks(void **state)
{
	static const struct server_answer answer = { OK("abc", "3") };
	static const struct {
		int begin, data, finish;
		enum err_kind kind;
		const char *text;
	} verdicts[] = {
		{ 1, 0, 0, ERR_TEMP, "cannot begin" },
		{ 0, 1, 0, ERR_TEMP, "cannot write" },
		{ 0, 1, 0, ERR_STOP, "cannot write" },
		{ 0, 0, 1, ERR_PERM, "cannot verify" },
		{ 0, 0, 1, ERR_STOP, "cannot verify" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct object o;
		struct world w;

		world_begin(&w, &answer, 1);
		world_open(&w);
		object_get(&o, "k", 3);
		o.begin_fails = verdicts[i].begin;
		o.data_fails = verdicts[i].data;
		o.finish_fails = verdicts[i].finish;
		o.kind = verdicts[i].kind;
		aws_start(w.aws, &o.call);
		world_run(&w);
		assert_int_equal(o.call.result, AWS_FAILED);
		assert_int_equal(o.call.attempts, 1);
		assert_int_equal(o.call.err.kind, verdicts[i].kind);
		assert_string_equal(o.call.err.text, verdicts[i].text);
		world_end(&w);
	}
}

/* A server that never answers, and one that stops in the middle. */
static void
does_not_wait_for_ever(void **state)
{
	static const struct server_answer answers[] = {
		{ .then = SERVER_STALL },
		{ OK("ab", "3"), SERVER_STALL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct object o;
		struct world w;

		world_begin(&w, &answers[i], 1);
		w.place.http.stall_s = 1;
		w.place.attempts = 1;
		world_open(&w);
		object_get(&o, "k", 3);
		aws_start(w.aws, &o.call);
		world_run(&w);
		assert_int_equal(o.call.result, AWS_FAILED);
		assert_int_equal(o.call.attempts, 1);
		assert_non_null(strstr(o.call.err.text, " does not answer: "));
		world_end(&w);
	}
}

static void
run_one(const struct server_answer *answer, struct object *o)
{
	struct world w;

	world_begin(&w, answer, 1);
	w.place.attempts = 1;
	world_open(&w);
	object_get(o, "k", 3);
	aws_start(w.aws, &o->call);
	world_run(&w);
	world_end(&w);
}

/* 64 KiB of headers, or of an error's text, are enough. */
static void
takes_no_flood(void **state)
{
	struct server_answer answer = { .pad = 1000000, .then = SERVER_CLOSE };
	struct object o;
	char *lines;

	(void)state;
	answer.bytes = "HTTP/1.1 403 No\r\nConnection: close\r\n\r\n"
		       "<Error><Code>AccessDenied</Code><Message>";
	run_one(&answer, &o);
	assert_int_equal(o.call.result, AWS_REFUSED);
	assert_string_equal(o.call.code, "AccessDenied");
	assert_string_equal(o.call.message, "");

	lines = malloc(90000);
	strncpy(lines, "HTTP/1.1 200 OK\r\n", 90000);
	for (size_t n = strlen(lines); n < 80000; n = strlen(lines))
		snprintf(lines + n, 90000 - n, "A: %0500d\r\n", 0);
	answer = (struct server_answer){ .bytes = lines };
	run_one(&answer, &o);
	assert_int_equal(o.call.result, AWS_FAILED);
	assert_non_null(strstr(o.call.err.text, "headers have more than 64"));
	free(lines);
}

static void
shows_the_headers(void **state)
{
	static const struct server_answer answer = {
		.bytes = "HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nEmpty:\r\n"
			 "X-Amz-Version-Id:  v1 \r\nContent-Length: 3\r\n"
			 "\r\nabc" };
	struct object o;
	struct world w;

	(void)state;
	world_begin(&w, &answer, 1);
	world_open(&w);
	object_get(&o, "k", 3);
	assert_null(o.call.answer);
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_string_equal(aws_header(&o.call, "etag"), "\"abc\"");
	assert_string_equal(aws_header(&o.call, "x-amz-version-id"), "v1");
	assert_string_equal(aws_header(&o.call, "empty"), "");
	assert_null(aws_header(&o.call, "x-amz-version"));
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_good_answers),
		cmocka_unit_test(tries_again),
		cmocka_unit_test(fails_in_the_end),
		cmocka_unit_test(believes_a_refusal),
		cmocka_unit_test(obeys_its_callbacks),
		cmocka_unit_test(does_not_wait_for_ever),
		cmocka_unit_test(takes_no_flood),
		cmocka_unit_test(shows_the_headers),
	};

	return cmocka_run_group_tests_name("aws-answer", tests, NULL, NULL);
}
