#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <curl/curl.h>

#include "http.h"
#include "http-private.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

#define BUFFER_BYTES 65536L	/* of a connection: most mails in two reads */

static const struct {
	CURLcode code;
	enum http_end end;
} ends[] = {
	{ CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT },
	{ CURLE_PEER_FAILED_VERIFICATION, HTTP_UNTRUSTED },
	{ CURLE_SSL_CACERT_BADFILE, HTTP_UNTRUSTED },
	{ CURLE_SSL_CERTPROBLEM, HTTP_UNTRUSTED },
	{ CURLE_SSL_CIPHER, HTTP_UNTRUSTED },
	{ CURLE_SSL_ISSUER_ERROR, HTTP_UNTRUSTED },
};

int64_t
http_date(const char *text)
{
	return (int64_t)curl_getdate(text, NULL);
}

static int
fail(struct http_exchange *x, const char *why)
{
	x->end = HTTP_LEFT;
	snprintf(x->why, sizeof(x->why), "%s", why);
	return -1;
}

/* "Name: value" as "name\0value\0". */
static int
keep_header(struct http_exchange *x, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);

	if (colon == NULL || memchr(line, '\0', n) != NULL)
		return 0;
	buf_add(&x->headers, line, (size_t)(colon - line));
	buf_add(&x->headers, "", 1);
	n -= (size_t)(colon + 1 - line);
	line = colon + 1;
	while (n > 0 && (*line == ' ' || *line == '\t'))
		line++, n--;
	while (n > 0 && strchr(" \t\r\n", line[n - 1]) != NULL)
		n--;
	buf_add(&x->headers, line, n);
	buf_add(&x->headers, "", 1);
	if (x->headers.cut)
		return fail(x, "the answer's headers have more than 64 KiB");
	return 0;
}

/* An interim answer (100 Continue) is followed by another status line; what
 * comes after the body (trailers) is nothing that we asked for. */
static size_t
take_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_exchange *x = arg;

	n *= size;
	if (x->headed && x->status >= 200)
		return n;
	if (n > 9 && strncmp(line, "HTTP/", 5) == 0) {
		const char *code = memchr(line, ' ', n);

		x->status = code != NULL ? atoi(code) : 0;
		x->headed = false;
		buf_clear(&x->headers);
		return n;
	}
	if (n <= 2 && (line[0] == '\r' || line[0] == '\n')) {
		x->headed = true;
		if (x->status >= 200 && x->head != NULL && x->head(x) < 0) {
			x->end = HTTP_LEFT;
			return 0;
		}
		return n;
	}
	return keep_header(x, line, n) == 0 ? n : 0;
}

static size_t
take_data(char *data, size_t size, size_t n, void *arg)
{
	struct http_exchange *x = arg;

	n *= size;
	if (x->data != NULL && x->data(x, data, n) < 0) {
		x->end = HTTP_LEFT;
		return 0;
	}
	return n;
}

/* Deliverers and credential processes must not inherit a connection. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)arg;
	(void)purpose;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/*
 * libcurl keeps the parsed CA certificates for all connections of a client,
 * 24 ms each with the system's, but not when a directory of them is set, and
 * distributions build one in. So it goes where a file is known.
 */
static void
set_ca(CURL *easy, const struct http_options *o)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	const char *file = o->ca_file;

	if (file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, file);
	else if (v->age >= CURLVERSION_SEVENTH)
		file = v->cainfo;
	if (file != NULL && access(file, R_OK) == 0)
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void
prepare(CURL *easy, const struct http_options *o)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
			 (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
			 (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT,
			 PACKAGE_NAME "/" PACKAGE_VERSION);
	/* "" is "none", where NULL would ask the environment. */
	curl_easy_setopt(easy, CURLOPT_PROXY, o->proxy ? o->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, o->proxy ? "" : "*");
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
			 (long)(o->connect_s > 0 ? o->connect_s : 10));
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
			 (long)(o->stall_s > 0 ? o->stall_s : 30));
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_data);
	set_ca(easy, o);
}

/* The nodes of the list lie in x and point into x->lines: libcurl only reads
 * them, and nothing is allocated for a request. */
static void
set_lines(struct http_exchange *x, bool sends)
{
	static char no_expect[] = "Expect:", no_type[] = "Content-Type:";
	const char *line = x->lines;
	bool type = false;
	size_t n = 0;

	if (x->list == NULL)
		x->list = mem_alloc((HTTP_LINES_MAX + 2) * sizeof(*x->list));
	for (size_t i = 0; i < x->lines_n && n < HTTP_LINES_MAX; i++) {
		x->list[n++].data = (char *)(uintptr_t)line;
		type = type || strncasecmp(line, "Content-Type", 12) == 0;
		line += strlen(line) + 1;
	}
	/* What libcurl would add to a body by itself. */
	if (sends) {
		x->list[n++].data = no_expect;
		if (!type)
			x->list[n++].data = no_type;
	}
	for (size_t i = 0; i < n; i++)
		x->list[i].next = i + 1 < n ? &x->list[i + 1] : NULL;
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, n > 0 ? x->list : NULL);
}

/* True if a body goes along, even an empty one. */
static bool
set_method(struct http_exchange *x)
{
	const char *custom = x->method;
	const bool head = strcmp(x->method, "HEAD") == 0;
	const bool sends = x->body_n > 0 || strcmp(x->method, "POST") == 0 ||
			   strcmp(x->method, "PUT") == 0;

	curl_easy_setopt(x->easy, CURLOPT_HTTPGET, 1L);
	if (head)
		curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
	if (sends) {
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)x->body_n);
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS,
				 x->body_n > 0 ? x->body : "");
		curl_easy_setopt(x->easy, CURLOPT_POST, 1L);
	}
	if (head || strcmp(x->method, sends ? "POST" : "GET") == 0)
		custom = NULL;
	curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, custom);
	return sends;
}

void
http_set(struct http_exchange *x, const struct http_options *o)
{
	if (x->easy == NULL) {
		x->easy = curl_easy_init();
		if (x->easy == NULL) {
			fputs("fallbackmx: out of memory\n", stderr);
			abort();
		}
		prepare(x->easy, o);
		curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->said);
		curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
		curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
		curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	}
	x->headers.max = HTTP_HEADERS_MAX;
	buf_clear(&x->headers);
	x->status = 0;
	x->headed = false;
	x->end = HTTP_ANSWERED;
	x->why[0] = x->said[0] = '\0';
	set_lines(x, set_method(x));
	curl_easy_setopt(x->easy, CURLOPT_URL, x->url);
	curl_easy_setopt(x->easy, CURLOPT_FRESH_CONNECT, (long)x->once);
	curl_easy_setopt(x->easy, CURLOPT_TIMEOUT, (long)x->limit_s);
	x->began = clock_monotonic();
}

/* libcurl has one code for all that takes too long. Where no answer has begun,
 * its words tell what it waited for. Its clock counts whole milliseconds, and
 * may be a little ahead of ours. */
static bool
is_slow(const struct http_exchange *x, double seconds)
{
	return x->end == HTTP_TIMEOUT && x->status != 0 && x->limit_s > 0 &&
	       seconds >= x->limit_s - 0.1;
}

void
http_ended(struct http_exchange *x, CURLcode code)
{
	const char *why = x->said[0] != '\0' ? x->said :
						curl_easy_strerror(code);
	const double seconds = clock_monotonic() - x->began;
	curl_off_t came = 0;

	if (x->end == HTTP_LEFT || (code == CURLE_OK && x->headed))
		return;
	x->end = HTTP_BROKEN;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (code == ends[i].code)
			x->end = ends[i].end;
	/* libcurl takes the end of the connection for the end of headers. */
	if (code == CURLE_OK)
		why = "the answer ends within its headers";
	snprintf(x->why, sizeof(x->why), "%s", why);
	if (is_slow(x, seconds)) {
		x->end = HTTP_SLOW;
		curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &came);
		snprintf(x->why, sizeof(x->why), "%lld bytes of the answer "
			 "came in %.0f seconds", (long long)came, seconds);
	}
}

void
http_forget(struct http_exchange *x)
{
	if (x->easy != NULL)
		curl_easy_cleanup(x->easy);
	x->easy = NULL;
	free(x->list);
	x->list = NULL;
	buf_free(&x->headers);
}

int
http_global(struct err *e)
{
	static bool done;

	if (done)
		return 0;
	/* libcurl would write the keys of all connections there. */
	unsetenv("SSLKEYLOGFILE");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_stop(e, EX_SOFTWARE, "cannot start libcurl");
	done = true;
	return 0;
}

static int
keep_body(struct http_exchange *x, const char *data, size_t n)
{
	struct http_answer *r = x->owner;

	buf_add(&r->body, data, n);
	return r->body.cut ? fail(x, "the answer has more than 1 MiB") : 0;
}

int
http_fetch(const struct http_options *o, const char *method, const char *url,
	   const char *const *lines, const void *body, size_t n, int timeout_s,
	   struct http_answer *r, struct err *e)
{
	struct http_exchange x = {
		.method = method, .url = url, .body = body, .body_n = n,
		.limit_s = timeout_s, .data = keep_body, .owner = r,
	};
	struct buf joined;

	*r = (struct http_answer){ .status = 0 };
	buf_init(&r->body, HTTP_ANSWER_MAX);
	if (http_global(e) < 0)
		return -1;
	buf_init(&joined, HTTP_HEADERS_MAX);
	for (; lines != NULL && lines[x.lines_n] != NULL; x.lines_n++)
		buf_add(&joined, lines[x.lines_n],
			strlen(lines[x.lines_n]) + 1);
	x.lines = joined.data;
	http_set(&x, o);
	http_ended(&x, curl_easy_perform(x.easy));
	r->status = x.status;
	r->headers = x.headers;
	x.headers.data = NULL;
	http_forget(&x);
	buf_free(&joined);
	if (x.end == HTTP_ANSWERED)
		return 0;
	return err_set(e, ERR_TEMP, "%s", x.why);
}

void
http_answer_free(struct http_answer *r)
{
	buf_free(&r->headers);
	buf_free(&r->body);
}
