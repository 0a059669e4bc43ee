/*
 * http - HTTP/1.1 by libcurl: many requests at a time in one thread, or one
 * that is waited for.
 *
 * No redirects, no other scheme than http and https, no proxy but the one that
 * is given, certificates always verified, no TLS keys written anywhere;
 * http_proxy, SSLKEYLOGFILE and ~/.netrc are not looked at. When a kept
 * connection is closed before an answer has begun, libcurl sends the request
 * again by itself, whether the server has read it or not: one that must not
 * arrive twice says so. The process ignores SIGPIPE.
 */
#ifndef FALLBACKMX_HTTP_H
#define FALLBACKMX_HTTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define HTTP_HEADERS_MAX ((size_t)65536)
#define HTTP_LINES_MAX 40	/* of a request */

struct http_options {
	const char *ca_file;	/* PEM; NULL: the system's */
	const char *proxy;	/* http://HOST:PORT; NULL: none */
	int connections;	/* kept open at most; 0: 1 */
	int connect_s;		/* until connected; 0: 10 */
	int stall_s;		/* less than a byte a second; 0: 30 */
};

/* How an exchange ended. */
enum http_end {
	HTTP_ANSWERED,		/* whole: status, headers, body */
	HTTP_BROKEN,		/* connection, DNS, TLS, a body cut off: later
				 * perhaps */
	HTTP_TIMEOUT,		/* as well, and it took its time */
	HTTP_SLOW,		/* as well: an answer, not whole in limit_s */
	HTTP_UNTRUSTED,		/* certificate, or what we were given to verify
				 * it with: never by itself */
	HTTP_LEFT,		/* head() or data() said -1 */
};

/*
 * An exchange. Zero-initialised and filled, then http_start(); all of it stays
 * valid until done(). Used again it keeps its memory; http_forget() ends it.
 */
struct http_exchange {
	const char *method;
	const char *url;	/* complete and encoded; sent as it is */
	const char *lines;	/* "Name: value", each with a NUL behind it */
	size_t lines_n;
	const void *body;
	size_t body_n;
	bool once;		/* never sent again, and so not on a kept
				 * connection */
	int limit_s;		/* seconds for all of it, from connecting to
				 * the answer's last byte; 0: no limit */
	/* All headers of the answer are there; called for each answer. */
	int (*head)(struct http_exchange *x);
	int (*data)(struct http_exchange *x, const char *data, size_t n);
	void (*done)(struct http_exchange *x);	/* last; may start others */
	void *owner;

	int status;		/* 0: no answer */
	struct buf headers;	/* of the answer, for http_header() */
	enum http_end end;
	char why[256];		/* if not HTTP_ANSWERED */

	/* http's own. */
	void *easy;
	struct http *http;	/* while it runs */
	bool headed;
	char said[256];		/* by libcurl */
	struct curl_slist *list;
	double began;		/* clock_monotonic() */
	struct http_exchange *next, *prev;
};

/* Value of a header, or NULL; any case. The first one of several. headers are
 * "name\0value\0" for each. */
const char *http_header(const struct buf *headers, const char *name);

/* Seconds since 1970 of an HTTP date (RFC 9110, 5.6.7); -1 if it is none. */
int64_t http_date(const char *text);

struct http *http_new(const struct http_options *o, struct err *e);
void http_start(struct http *h, struct http_exchange *x);
void http_stop(struct http_exchange *x);	/* without done() */
void http_forget(struct http_exchange *x);	/* stopped or done before */

/*
 * Waits until something happens, and does what is to be done then: on a
 * connection, on a descriptor of fds (at most 63; revents is filled), a signal,
 * or ms are over (-1: no limit). 1 if it was a signal, else 0; -1 with ERR_STOP
 * when the system fails us.
 */
int http_wait(struct http *h, struct pollfd *fds, size_t n, int ms,
	      struct err *e);
/* Does what can be done at once, without waiting. */
int http_push(struct http *h, struct err *e);
void http_free(struct http *h);		/* all exchanges stopped before */

/* One request that is waited for, with a small answer. */
#define HTTP_ANSWER_MAX ((size_t)1048576)

struct http_answer {
	int status;
	struct buf headers, body;
};

/*
 * lines: NULL-terminated "Name: value"; NULL: none. ERR_TEMP if there was no
 * whole answer within timeout_s or it is longer than HTTP_ANSWER_MAX; any
 * status is an answer. Free r in both cases.
 */
int http_fetch(const struct http_options *o, const char *method,
	       const char *url, const char *const *lines, const void *body,
	       size_t n, int timeout_s, struct http_answer *r, struct err *e);
void http_answer_free(struct http_answer *r);

#endif
