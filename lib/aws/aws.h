/*
 * aws - calls to one service of AWS, or of a server like it.
 *
 * Each attempt is signed anew. One policy of retries (retry.h) for all calls;
 * besides, a call is put right once each for a wrong clock, a wrong region and
 * expired credentials. Redirects are not followed, and nothing that is signed
 * goes to a host that an answer has named. One thread; everything happens in
 * aws_wait(), callbacks included.
 */
#ifndef FALLBACKMX_AWS_H
#define FALLBACKMX_AWS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws-config.h"
#include "cred.h"
#include "endpoint.h"
#include "http.h"
#include "lib/base/err.h"
#include "sigv4.h"

#define AWS_LENGTH_UNKNOWN UINT64_MAX

/*
 * How long an attempt may take, so that no server keeps us by dripping. The
 * rate is that of one connection; it is generous, since they share a line.
 */
#define AWS_LIMIT_S 120		/* seconds for each, besides its bytes */
#define AWS_LIMIT_RATE 8192	/* bytes a second, sent and expected */
/* Bytes of XML whose length is not known: 1000 of the longest keys. */
#define AWS_LIMIT_XML ((uint64_t)4 << 20)
#define AWS_LIMIT_MAX 2000000	/* seconds; libcurl has an int of ms */

enum aws_result {
	AWS_OK,		/* 2xx, the whole body delivered */
	AWS_REFUSED,	/* an answer that no retry will change: see status and
			 * code */
	AWS_FAILED,	/* no good answer; err.kind says what to do next */
	AWS_CANCELLED,
};

struct aws_call {
	/* What is asked. Stays valid and unchanged until done(). */
	const char *method;
	const char *bucket;	/* NULL: none */
	const char *key;	/* of the bucket, decoded; NULL: none */
	struct sigv4_pair query[8];
	size_t query_n;
	struct sigv4_pair headers[6];
	size_t headers_n;
	const void *body;
	size_t body_n;
	uint64_t expected;	/* bytes of a 2xx's body: more is cut off, and
				 * both more and less fail the attempt; or
				 * AWS_LENGTH_UNKNOWN */
	/* The body of a 2xx is XML: with the root <Error> it is a failure
	 * (S3 answers so when trouble comes after the status line). Else an
	 * object, which may be anything. */
	bool xml;
	/*
	 * It must not happen twice. Sent again only when the server has said
	 * that it did nothing: slow down, or what can be put right. All else
	 * that others are tried again for ends it with AWS_FAILED, and whether
	 * it has happened nobody knows.
	 */
	bool once;
	/*
	 * The body of a 2xx; each may be NULL. begin comes before an attempt's
	 * first byte, also if there is none: what came before is void. finish
	 * comes when all bytes are there, and checks them. -1 ends the call
	 * with AWS_FAILED and e; finish with ERR_TEMP is a failed attempt,
	 * and there may be another.
	 */
	int (*begin)(struct aws_call *c, struct err *e);
	int (*data)(struct aws_call *c, const void *data, size_t n,
		    struct err *e);
	int (*finish)(struct aws_call *c, struct err *e);
	void (*done)(struct aws_call *c);	/* last; may start other calls
						 * and free c */
	void *owner;				/* the caller's */

	/* The answer. */
	enum aws_result result;
	int status;		/* of the last attempt; 0: none */
	char code[64];		/* of <Error>: letters, digits, "._-" */
	char message[256];	/* of <Error>; foreign bytes */
	const struct buf *answer;	/* headers, from begin() to done() */
	int attempts;		/* requests sent */
	struct err err;		/* unless AWS_OK: the reason, as "HOST answers
				 * 403 AccessDenied: Access Denied"; the caller
				 * puts "cannot VERB OBJECT" in front */

	/* aws's own. */
	struct aws_call *next;
	double due;
	int paid, put_right;
	unsigned mended;
};

/* A header of the answer, from begin() to done(); NULL if it is not there. */
const char *aws_header(const struct aws_call *c, const char *name);

/* All of them, for http_header() and checksum_begin(). */
const struct buf *aws_headers(const struct aws_call *c);

/* Time and chance; tests have their own. */
struct aws_clock {
	double (*monotonic)(void *arg);		/* seconds */
	int64_t (*wall)(void *arg);		/* seconds since 1970 */
	double (*chance)(void *arg);		/* 0 up to 1 */
	/* If set: called instead of waiting when there is only time to wait
	 * for. */
	void (*pass)(void *arg, double seconds);
	void *arg;
};

struct aws_place {
	const char *service;			/* "s3" */
	const struct endpoint *endpoint;	/* copied */
	struct http_options http;		/* copied; connections 0:
						 * AWS_CONNECTIONS */
	int attempts;				/* 0: RETRY_ATTEMPTS */
	int limit_s;				/* 0: AWS_LIMIT_S */
};

struct aws;

/* cred stays the caller's. clock NULL: the machine's. */
struct aws *aws_new(const struct aws_place *p, struct cred *cred,
		    const struct aws_clock *clock, struct err *e);

/* Seconds that an attempt of c may take, with limit_s for AWS_LIMIT_S. */
int aws_limit(const struct aws_call *c, int limit_s);

/* Queues c; what was started first is sent first. */
void aws_start(struct aws *a, struct aws_call *c);

/*
 * Drives all calls until at least one is done, a descriptor of fds (at most
 * 63; revents is filled) is ready, a signal came, or ms are over (-1: no
 * limit). Returns the number of calls that are not done; -1 with ERR_STOP when
 * the system fails us. Without calls it waits for fds, and without these it
 * returns at once.
 */
int aws_wait(struct aws *a, struct pollfd *fds, size_t n, int ms,
	     struct err *e);

int aws_connections(const struct aws *a);	/* at a time, at present */

/* All calls that were started before end with AWS_CANCELLED and done(). */
void aws_cancel_all(struct aws *a);

/* What the admin should hear once, as "the clock of this machine ..."; each is
 * told once. NULL: nothing more. Valid until the next call. */
const char *aws_word(struct aws *a);

/* Cancels what is left. */
void aws_free(struct aws *a);

#endif
