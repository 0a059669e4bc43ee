/*
 * sigv4 - AWS Signature Version 4 in the Authorization header (AWS, "Create a
 * signed AWS API request").
 *
 * Takes decoded bytes and makes the wire's target itself, so that what is sent
 * and what is signed cannot differ. Pure: no clock, no disk, no network. One
 * struct per thread. OpenSSL without HMAC or SHA-256 is a broken installation
 * and aborts.
 */
#ifndef FALLBACKMX_SIGV4_H
#define FALLBACKMX_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "creds.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"

/* SHA-256 of nothing: the payload of requests without a body. */
#define SIGV4_EMPTY                                                            \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define SIGV4_HEADERS_MAX 32	/* of a request, ours included */

struct sigv4_pair {
	const char *name;
	const char *value;	/* decoded; "" for none */
};

enum sigv4_path {
	SIGV4_PATH_SERVICE,	/* as the service wants it: KEPT for s3, else
				 * TWICE */
	SIGV4_PATH_KEPT,	/* a key: encoded once, dots stay */
	SIGV4_PATH_RESOLVED,	/* dots and empty parts resolved */
	SIGV4_PATH_TWICE,	/* resolved, and encoded twice */
};

struct sigv4_request {
	const char *method;
	const char *host;	/* as sent: with the port if it is not the
				 * scheme's, IPv6 in brackets */
	const char *path;	/* decoded, begins with "/" */
	const struct sigv4_pair *query;
	size_t query_n;
	/* Sent and signed, all of them. The signer adds host and x-amz-date,
	 * x-amz-content-sha256 for S3, and x-amz-security-token. */
	const struct sigv4_pair *headers;
	size_t headers_n;
	const char *payload;	/* SHA-256 of the body in hexadecimal */
	const char *region;
	const char *service;	/* "s3", "sqs", ... */
	enum sigv4_path rule;
};

/* What goes over the wire; kept by the caller, used again and again. */
struct sigv4_signed {
	struct buf target;	/* path and query */
	/* "Name: value", each with a NUL behind it; "Name;" for an empty value,
	 * as libcurl wants it. Host is not among them: libcurl sends it. */
	struct buf lines;
	size_t lines_n;
};

/* Zero-initialised is ready. Keeps the key of the day. */
struct sigv4 {
	struct hash hash;
	struct evp_mac_ctx_st *mac;
	char secret[136], day[9], region[64], service[32]; /* of that key */
	uint8_t key[HASH_SIZE];
	int64_t second;		/* of stamp */
	char stamp[17];		/* 20150830T123600Z */
	struct sigv4_part *parts;
	size_t parts_room;
	struct buf scratch;
	/* Of the last signature; S3 shows the same in its refusal. No secret
	 * but the session token is in them. */
	struct buf canonical, to_sign;
};

/*
 * Signs for the time now (seconds since 1970). ERR_PERM for what cannot be
 * sent: a header with a control byte, a path that does not begin with "/",
 * more than a request may hold.
 */
int sigv4_sign(struct sigv4 *s, const struct sigv4_request *r,
	       const struct aws_creds *c, int64_t now,
	       struct sigv4_signed *out, struct err *e);

void sigv4_signed_free(struct sigv4_signed *out);
void sigv4_free(struct sigv4 *s);	/* cleanses */

/* RFC 3986: all but A-Z a-z 0-9 - . _ ~ becomes %XX, "/" if not kept. */
void sigv4_encode(struct buf *b, const char *text, bool keep_slash);

#endif
