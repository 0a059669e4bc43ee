#include <config.h>

#include <unistd.h>

#include "lib/aws/http.h"
#include "server.h"
#include "unit.h"

#define OK                                                                     \
	.bytes = "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc"

static const struct server_answer good = { OK };
static const struct http_options plain = { .connections = 1 };

static int
fetch(struct server *s, const struct http_options *o, const char *method,
      const char *path, const char *const *lines, const char *body,
      struct http_answer *r, struct err *e)
{
	char url[256];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server_port(s),
		 path);
	return http_fetch(o, method, url, lines, body,
			  body ? strlen(body) : 0, 5, r, e);
}

static void
fetches(void **state)
{
	static const char *const lines[] = { "X-Token-TTL: 21600", "Empty;",
					     NULL };
	struct server *s = server_new(&good, 1);
	struct http_answer r;
	const char *request;
	struct err e;

	(void)state;
	assert_int_equal(fetch(s, &plain, "PUT", "/latest/../x?a=b", lines,
			       NULL, &r, &e), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body.data, "abc");
	assert_string_equal(http_header(&r.headers, "x-a"), "1");
	assert_null(http_header(&r.headers, "x-b"));
	request = server_request(s, 0);
	assert_int_equal(strncmp(request, "PUT /latest/../x?a=b HTTP/1.1\r\n",
				 31), 0);
	assert_non_null(strstr(request, "\r\nX-Token-TTL: 21600\r\n"));
	assert_non_null(strstr(request, "\r\nEmpty:\r\n"));
	assert_non_null(strstr(request, "\r\nUser-Agent: fallbackmx/"));
	http_answer_free(&r);
	assert_int_equal(fetch(s, &plain, "POST", "/", NULL, "a=b", &r, &e),
			 0);
	request = server_request(s, 1);
	assert_non_null(strstr(request, "\r\nContent-Length: 3\r\n"));
	assert_non_null(strstr(request, "\r\n\r\na=b"));
	assert_null(strstr(request, "urlencoded"));
	http_answer_free(&r);
	server_free(s);
}

struct row {
	const char *name;
	struct server_answer answer;
	int status;		/* 0: no whole answer */
};

static const struct row rows[] = {
	{ "404", { .bytes = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" },
	  404 },
	{ "a redirect", { .bytes = "HTTP/1.1 302 Go\r\nLocation: /x\r\n"
			  "Content-Length: 0\r\n\r\n" }, 302 },
	{ "closed", { .then = SERVER_CLOSE }, 0 },
	{ "cut off", { .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
		       "ab", .then = SERVER_CLOSE }, 0 },
	{ "too much", { .bytes = "HTTP/1.1 200 OK\r\n\r\n",
			.then = SERVER_CLOSE, .pad = 1048577 }, 0 },
	{ "as much as there may be", { .bytes = "HTTP/1.1 200 OK\r\n\r\n",
				       .then = SERVER_CLOSE, .pad = 1048576 },
	  200 },
	{ "HTTP/0.9", { .bytes = "abc", .then = SERVER_CLOSE }, 0 },
	{ "headers without end", { .bytes = "HTTP/1.1 200 OK\r\nA: ",
				   .then = SERVER_CLOSE, .pad = 90000 }, 0 },
};

static void
tells_an_answer_from_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct server *s = server_new(&rows[i].answer, 1);
		struct http_answer r;
		struct err e;
		int result;

		ROW(rows[i].name);
		result = fetch(s, &plain, "GET", "/", NULL, NULL, &r, &e);
		assert_int_equal(result, rows[i].status != 0 ? 0 : -1);
		if (result == 0)
			assert_int_equal(r.status, rows[i].status);
		else
			assert_int_equal(e.kind, ERR_TEMP);
		assert_int_equal(server_requests(s), 1);
		http_answer_free(&r);
		server_free(s);
	}
}

static void
gives_up_in_time(void **state)
{
	static const struct server_answer stall = { .then = SERVER_STALL };
	struct server *s = server_new(&stall, 1);
	struct http_answer r;
	struct err e;
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server_port(s));
	assert_int_equal(http_fetch(&plain, "GET", url, NULL, NULL, 0, 1, &r,
				    &e), -1);
	assert_non_null(strstr(e.text, "timed out"));
	http_answer_free(&r);
	server_free(s);
}

/* libcurl's words where nothing has come, else what has. */
static void
tells_a_slow_answer(void **state)
{
	static const struct server_answer drips = {
		.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
		.pad = 99, .drip_ms = 300,
	};
	struct server *s = server_new(&drips, 1);
	struct http_answer r;
	struct err e;
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server_port(s));
	assert_int_equal(http_fetch(&plain, "GET", url, NULL, NULL, 0, 4, &r,
				    &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_true(strtol(e.text, NULL, 10) > 0);
	assert_non_null(strstr(e.text, " bytes of the answer came in "));
	http_answer_free(&r);
	server_free(s);
}

/* F62: what a caller's environment says about proxies and keys. */
static void
ignores_the_environment(void **state)
{
	struct server *s = server_new(&good, 1);
	struct http_answer r;
	struct err e;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(fetch(s, &plain, "GET", "/x", NULL, NULL, &r, &e), 0);
	assert_int_equal(strncmp(server_request(s, 0), "GET /x ", 7), 0);
	http_answer_free(&r);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_null(getenv("SSLKEYLOGFILE"));
	server_free(s);
}

static void
uses_the_proxy_it_is_given(void **state)
{
	struct server *s = server_new(&good, 1);
	struct http_options o = plain;
	struct http_answer r;
	char proxy[64];
	struct err e;

	(void)state;
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server_port(s));
	o.proxy = proxy;
	setenv("no_proxy", "*", 1);
	assert_int_equal(http_fetch(&o, "GET", "http://s3.example/k", NULL,
				    NULL, 0, 5, &r, &e), 0);
	assert_int_equal(strncmp(server_request(s, 0),
				 "GET http://s3.example/k ", 24), 0);
	http_answer_free(&r);
	unsetenv("no_proxy");
	server_free(s);
}

static void
speaks_http_only(void **state)
{
	static const char *const urls[] = { "file:///etc/passwd",
					    "ftp://127.0.0.1/",
					    "gopher://127.0.0.1/", "x:y", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		struct http_answer r;
		struct err e;

		ROW(urls[i]);
		assert_int_equal(http_fetch(&plain, "GET", urls[i], NULL, NULL,
					    0, 5, &r, &e), -1);
		http_answer_free(&r);
	}
}

struct date {
	const char *text;
	int64_t time;
};

static void
reads_dates(void **state)
{
	static const struct date dates[] = {
		{ "Fri, 24 May 2013 00:00:00 GMT", 1369353600 },
		{ "Friday, 24-May-13 00:00:00 GMT", 1369353600 },
		{ "Fri May 24 00:00:00 2013", 1369353600 },
		{ "yesterday", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		ROW(dates[i].text);
		assert_int_equal(http_date(dates[i].text), dates[i].time);
	}
}

static int
set_env(void **state)
{
	(void)state;
	return setenv("SSLKEYLOGFILE", "/nonexistent/keys", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetches),
		cmocka_unit_test(tells_an_answer_from_none),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(tells_a_slow_answer),
		cmocka_unit_test(ignores_the_environment),
		cmocka_unit_test(uses_the_proxy_it_is_given),
		cmocka_unit_test(speaks_http_only),
		cmocka_unit_test(reads_dates),
	};

	return cmocka_run_group_tests_name("http", tests, set_env, NULL);
}
