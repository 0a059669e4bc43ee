#include <config.h>

#include "lib/aws/sigv4.h"
#include "unit.h"

/* The keys of AWS's own examples. */
static const struct aws_creds creds = {
	.access_key = "AKIAIOSFODNN7EXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
#define NOW 1369353600	/* 20130524T000000Z */
#define HOST "examplebucket.s3.amazonaws.com"

struct row {
	const char *name, *method, *path;
	struct sigv4_pair query[4], headers[4];
	const char *payload, *signature;
};

/* Amazon S3 API Reference, "Signature Calculations for the Authorization
 * Header": its four examples. */
static const struct row documented[] = {
	{ "GET Object", "GET", "/test.txt",
	  .headers = { { "Range", "bytes=0-9" } },
	  .signature = "f0e8bdb87c964420e857bd35b5d6ed31"
		       "0bd44f0170aba48dd91039c6036bdb41" },
	{ "PUT Object", "PUT", "/test$file.text",
	  .headers = { { "Date", "Fri, 24 May 2013 00:00:00 GMT" },
		       { "x-amz-storage-class", "REDUCED_REDUNDANCY" } },
	  .payload = "44ce7dd67c959e0d3524ffac1771dfbb"
		     "a87d2b6b4b4e99e42034a8b803f8b072",
	  .signature = "98ad721746da40c64f1a55b78f14c238"
		       "d841ea1380cd77a1b5971af0ece108bd" },
	{ "GET Bucket Lifecycle", "GET", "/", .query = { { "lifecycle", "" } },
	  .signature = "fea454ca298b7da1c68078a5d1bdbfbb"
		       "e0d65c699e0f91ac7a200a0136783543" },
	{ "List Objects", "GET", "/",
	  .query = { { "max-keys", "2" }, { "prefix", "J" } },
	  .signature = "34b48302e7b5fa45bde8084f4b7868a8"
		       "6f0a534bc59db6670ed5711ef69dc6f7" },
};

static struct sigv4 s;
static struct sigv4_signed out;

static size_t
count(const struct sigv4_pair *pairs)
{
	size_t n = 0;

	while (n < 4 && pairs[n].name != NULL)
		n++;
	return n;
}

static const char *
signature(void)
{
	const char *line = out.lines.data;

	for (size_t i = 1; i < out.lines_n; i++)
		line += strlen(line) + 1;
	assert_non_null(strstr(line, "Signature="));
	return strstr(line, "Signature=") + 10;
}

static struct sigv4_request
request(const struct row *row)
{
	return (struct sigv4_request){
		.method = row->method, .host = HOST, .path = row->path,
		.query = row->query, .query_n = count(row->query),
		.headers = row->headers, .headers_n = count(row->headers),
		.payload = row->payload ? row->payload : SIGV4_EMPTY,
		.region = "us-east-1", .service = "s3",
	};
}

static void
signs_as_documented(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(documented); i++) {
		const struct sigv4_request r = request(&documented[i]);

		ROW(documented[i].name);
		assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), 0);
		assert_string_equal(signature(), documented[i].signature);
	}
}

struct target {
	const char *path, *service;
	struct sigv4_pair query[4];
	const char *wire, *canonical;
};

static const struct target targets[] = {
	{ "/", "s3", { { 0 } }, "/", "/" },
	{ "/a b+c%41~'*", "s3", { { 0 } }, "/a%20b%2Bc%2541~%27%2A",
	  "/a%20b%2Bc%2541~%27%2A" },
	{ "/b//x/../y/./z/", "s3", { { 0 } }, "/b//x/../y/./z/",
	  "/b//x/../y/./z/" },
	{ "/\xff\x01?#", "s3", { { 0 } }, "/%FF%01%3F%23", "/%FF%01%3F%23" },
	{ "//b//x/../y/./z/", "sqs", { { 0 } }, "/b/y/z/", "/b/y/z/" },
	{ "/../..", "sqs", { { 0 } }, "/", "/" },
	{ "/a/..", "sqs", { { 0 } }, "/", "/" },
	{ "/a/b/../", "sqs", { { 0 } }, "/a/", "/a/" },
	{ "/a b/.", "sqs", { { 0 } }, "/a%20b", "/a%2520b" },
	{ "/a/...", "sqs", { { 0 } }, "/a/...", "/a/..." },
	{ "/", "s3", { { "b", "2" }, { "a", "2" }, { "a", "1" }, { "c", "" } },
	  "/?a=1&a=2&b=2&c=", "/" },
	{ "/", "s3", { { "z", "" }, { "\xc3\xa9", "" } }, "/?%C3%A9=&z=", "/" },
	{ "/", "s3", { { "prefix", "a/b+c d" } }, "/?prefix=a%2Fb%2Bc%20d",
	  "/" },
	/* "a-b" comes before "a=" were the pairs sorted as text. */
	{ "/", "s3", { { "a-b", "1" }, { "a", "2" } }, "/?a=2&a-b=1", "/" },
};

static void
makes_the_target_itself(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct target *t = &targets[i];
		const struct sigv4_request r = {
			.method = "GET", .host = HOST, .path = t->path,
			.query = t->query, .query_n = count(t->query),
			.payload = SIGV4_EMPTY, .region = "us-east-1",
			.service = t->service,
		};
		const char *query = strchr(t->wire, '?');
		char *canonical;

		ROW(t->path);
		assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), 0);
		assert_string_equal(out.target.data, t->wire);
		assert_true(asprintf(&canonical, "GET\n%s\n%s\nhost:" HOST "\n",
				     t->canonical, query ? query + 1 : "") > 0);
		assert_int_equal(strncmp(s.canonical.data, canonical,
					 strlen(canonical)), 0);
		free(canonical);
	}
}

static void
sends_what_it_signs(void **state)
{
	static const char *const lines[] = {
		"x-amz-date: 20130524T000000Z",
		("x-amz-content-sha256: " SIGV4_EMPTY),
		"x-amz-security-token: TO+KEN==",
		"X-Amz-Meta-B:  two   blanks ",
		"Empty;",
		"x-amz-meta-b: again",
	};
	static const struct sigv4_pair headers[] = {
		{ "X-Amz-Meta-B", " two   blanks " }, { "Empty", " \t" },
		{ "x-amz-meta-b", "again" },
	};
	const struct row row = { .method = "GET", .path = "/k" };
	struct sigv4_request r = request(&row);
	struct aws_creds c = creds;
	const char *line;
	struct err e;

	(void)state;
	r.headers = headers;
	r.headers_n = COUNT(headers);
	snprintf(c.token, sizeof(c.token), "TO+KEN==");
	assert_int_equal(sigv4_sign(&s, &r, &c, NOW, &out, &e), 0);
	assert_int_equal(out.lines_n, COUNT(lines) + 1);
	line = out.lines.data;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_string_equal(line, lines[i]);
		line += strlen(line) + 1;
	}
	assert_non_null(strstr(line, "SignedHeaders=empty;host;"
			       "x-amz-content-sha256;x-amz-date;x-amz-meta-b;"
			       "x-amz-security-token, "));
	assert_non_null(strstr(s.canonical.data,
			       "\nx-amz-meta-b:two blanks,again\n"));
	assert_non_null(strstr(s.canonical.data, "\nempty:\n"));
}

/* Only S3 asks for the body's hash as a header. */
static void
knows_the_service(void **state)
{
	const struct row row = { .method = "POST", .path = "/" };
	struct sigv4_request r = request(&row);
	struct err e;

	(void)state;
	r.service = "sqs";
	assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), 0);
	assert_int_equal(out.lines_n, 2);
	assert_null(strstr(s.canonical.data, "x-amz-content-sha256"));
	assert_non_null(strstr(s.to_sign.data,
			       "\n20130524/us-east-1/sqs/aws4_request\n"));
}

/* The key of the day is kept: not for another day, place or secret. */
static void
keeps_no_key_too_long(void **state)
{
	const struct row row = { .method = "GET", .path = "/k" };
	const struct sigv4_request plain = request(&row);
	struct sigv4_request others[] = { plain, plain, plain, plain, plain };
	const int64_t times[] = { NOW, NOW + 86400, NOW, NOW, NOW };
	struct aws_creds c[] = { creds, creds, creds, creds, creds };
	struct err e;

	(void)state;
	others[2].region = "us-east-2";
	others[3].service = "s4";
	snprintf(c[4].secret_key, sizeof(c[4].secret_key), "another");
	for (size_t i = 0; i < COUNT(others); i++) {
		struct sigv4 fresh = { .second = 0 };
		char kept[65];

		assert_int_equal(sigv4_sign(&s, &plain, &creds, NOW, &out, &e),
				 0);
		assert_int_equal(sigv4_sign(&s, &others[i], &c[i], times[i],
					    &out, &e), 0);
		snprintf(kept, sizeof(kept), "%s", signature());
		assert_int_equal(sigv4_sign(&fresh, &others[i], &c[i],
					    times[i], &out, &e), 0);
		assert_string_equal(signature(), kept);
		sigv4_free(&fresh);
	}
}

struct refused {
	const char *name;
	struct sigv4_pair header;
	const char *path, *text;
};

static const struct refused refusals[] = {
	{ "a second header", { "x-amz-meta-a", "b\r\nx-evil: c" }, "/",
	  "cannot sign the header x-amz-meta-a: b\\x0d\\x0ax-evil: c has a "
	  "control byte" },
	{ "LF", { "a", "\n" }, "/",
	  "cannot sign the header a: \\x0a has a control byte" },
	{ "DEL", { "a", "\x7f" }, "/",
	  "cannot sign the header a: \\x7f has a control byte" },
	{ "no slash", { 0 }, "key",
	  "cannot sign key: a path begins with a slash" },
	{ "nothing", { 0 }, "", "cannot sign : a path begins with a slash" },
};

static void
refuses_what_cannot_be_sent(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct row row = { .method = "GET",
					 .path = refusals[i].path };
		struct sigv4_request r = request(&row);

		ROW(refusals[i].name);
		r.headers = &refusals[i].header;
		r.headers_n = r.headers[0].name != NULL;
		assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), -1);
		assert_int_equal(e.kind, ERR_PERM);
		assert_string_equal(e.text, refusals[i].text);
	}
}

static void
refuses_more_than_fits(void **state)
{
	static struct sigv4_pair many[SIGV4_HEADERS_MAX];
	const struct row row = { .method = "GET", .path = "/" };
	struct sigv4_request r = request(&row);
	char *path = malloc(300000);
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct sigv4_pair){ "x-amz-meta-a", "b" };
	r.headers = many;
	r.headers_n = COUNT(many) - 3;	/* host, date, hash */
	assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), 0);
	r.headers_n++;
	assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), -1);
	assert_string_equal(e.text, "cannot sign a request: it has more than "
			    "32 headers");
	memset(path, 'a', 300000 - 1);
	path[300000 - 1] = '\0';
	many[0].value = path;
	r.headers_n = 1;
	assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), -1);
	assert_string_equal(e.text, "cannot sign a request: its headers have "
			    "more than 262144 bytes");
	path[0] = '/';
	r.path = path;
	r.headers_n = 0;
	assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), -1);
	assert_string_equal(e.text, "cannot sign a request: its path and query "
			    "have more than 262144 bytes");
	free(path);
	r.path = "/";
	assert_int_equal(sigv4_sign(&s, &r, &creds, -1, &out, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(sigv4_sign(&s, &r, &creds, NOW, &out, &e), 0);
}

static int
end(void **state)
{
	(void)state;
	sigv4_free(&s);
	sigv4_signed_free(&out);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_documented),
		cmocka_unit_test(makes_the_target_itself),
		cmocka_unit_test(sends_what_it_signs),
		cmocka_unit_test(knows_the_service),
		cmocka_unit_test(keeps_no_key_too_long),
		cmocka_unit_test(refuses_what_cannot_be_sent),
		cmocka_unit_test(refuses_more_than_fits),
	};

	return cmocka_run_group_tests_name("sigv4", tests, NULL, end);
}
