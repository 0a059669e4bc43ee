#include <config.h>

#include "aws-help.h"

static const struct server_answer good = {
	.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
};

struct target {
	const char *method, *bucket, *key;
	struct sigv4_pair query, header;
	const char *body;
	const char *first; /* line of the request */
	const char *has;   /* NULL: whatever */
};

static const struct target targets[] = {
	{ .method = "GET",
	  .bucket = "bkt",
	  .key = "a b+c",
	  .first = "GET /bkt/a%20b%2Bc HTTP/1.1" },
	{ .method = "GET",
	  .bucket = "bkt",
	  .key = "x/../../other//./y?z#",
	  .first = "GET /bkt/x/../../other//./y%3Fz%23 HTTP/1.1" },
	{ .method = "GET",
	  .bucket = "bkt",
	  .query = { "list-type", "2" },
	  .first = "GET /bkt?list-type=2 HTTP/1.1" },
	{ .method = "GET", .first = "GET / HTTP/1.1" },
	{ .method = "GET",
	  .bucket = "bkt",
	  .key = "/",
	  .first = "GET /bkt// HTTP/1.1" },
	{ .method = "DELETE",
	  .bucket = "bkt",
	  .key = "k",
	  .query = { "versionId", "a+b" },
	  .first = "DELETE /bkt/k?versionId=a%2Bb HTTP/1.1",
	  .has = "\r\n\r\n" },
	{ .method = "GET",
	  .bucket = "bkt",
	  .key = "k",
	  .header = { "If-Match", "\"e\"" },
	  .first = "GET /bkt/k HTTP/1.1",
	  .has = "\r\nIf-Match: \"e\"\r\n" },
	{ .method = "PUT",
	  .bucket = "bkt",
	  .key = "k",
	  .body = "abc",
	  .first = "PUT /bkt/k HTTP/1.1",
	  .has = "\r\nContent-Length: 3\r\n\r\nabc" },
	{ .method = "PUT",
	  .bucket = "bkt",
	  .key = "k",
	  .body = "",
	  .first = "PUT /bkt/k HTTP/1.1",
	  .has = "\r\nContent-Length: 0\r\n" },
	{ .method = "POST",
	  .bucket = "bkt",
	  .query = { "delete", "" },
	  .body = "<Delete/>",
	  .first = "POST /bkt?delete= HTTP/1.1",
	  .has = "\r\n\r\n<Delete/>" },
	{ .method = "POST",
	  .bucket = "bkt",
	  .body = "{}",
	  .header = { "Content-Type", "application/json" },
	  .first = "POST /bkt HTTP/1.1",
	  .has = "\r\nContent-Type: application/json\r\n" },
};

static void
sends_what_is_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct target *t = &targets[i];
		struct object o;
		struct world w;
		const char *request;

		ROW(t->first);
		world_begin(&w, &good, 1);
		world_open(&w);
		object_get(&o, t->key, 3);
		o.call.method = t->method;
		o.call.bucket = t->bucket;
		o.call.query[0] = t->query;
		o.call.query_n = t->query.name != NULL;
		o.call.headers[0] = t->header;
		o.call.headers_n = t->header.name != NULL;
		o.call.body = t->body;
		o.call.body_n = t->body ? strlen(t->body) : 0;
		aws_start(w.aws, &o.call);
		world_run(&w);
		assert_int_equal(o.call.result, AWS_OK);
		request = server_request(w.server, 0);
		assert_int_equal(strncmp(request, t->first, strlen(t->first)),
				 0);
		if (t->has != NULL)
			assert_non_null(strstr(request, t->has));
		/* Nothing that libcurl would add to a body by itself. */
		assert_null(strstr(request, "urlencoded"));
		assert_null(strstr(request, "Expect"));
		assert_null(strstr(request, "Accept-Encoding"));
		world_end(&w);
	}
}

static void
refuses_what_cannot_be_sent(void **state)
{
	struct object o;
	struct world w;

	(void)state;
	world_begin(&w, &good, 1);
	world_open(&w);
	object_get(&o, "k", 3);
	o.call.headers[0] = (struct sigv4_pair){ "If-Match", "a\r\nb: c" };
	o.call.headers_n = 1;
	aws_start(w.aws, &o.call);
	world_run(&w);
	assert_int_equal(o.call.result, AWS_FAILED);
	assert_int_equal(o.call.err.kind, ERR_PERM);
	assert_int_equal(o.call.attempts, 0);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_what_is_asked),
		cmocka_unit_test(refuses_what_cannot_be_sent),
	};

	return cmocka_run_group_tests_name("aws-send", tests, NULL, NULL);
}
