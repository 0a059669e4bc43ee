/*
 * aws-private - what the files of aws share: the client, and an attempt.
 */
#ifndef FALLBACKMX_AWS_PRIVATE_H
#define FALLBACKMX_AWS_PRIVATE_H

#include "aws-error.h"
#include "aws.h"
#include "retry.h"

#define AWS_WORDS_MAX 4

/* What the bytes that arrive are. */
enum aws_body {
	AWS_BODY_GOOD,		/* the call's */
	AWS_BODY_ERROR,		/* kept for aws_error_read() */
	AWS_BODY_UNKNOWN,	/* of a 2xx: XML whose root is not seen yet */
};

/* An attempt under way. The handle of its exchange is used again and again. */
struct attempt {
	struct http_exchange x;
	struct aws *aws;
	struct aws_call *call;
	struct attempt *next;		/* idle ones */
	struct sigv4_signed signed_as;
	struct buf url;
	/* What it was made with, to know later whether that is still so. */
	int64_t signed_at;
	unsigned region_version, creds_version, halvings;
	enum aws_body body;
	struct buf kept;		/* AWS_BODY_ERROR, _UNKNOWN */
	uint64_t got;
	struct err err;			/* why we left the answer; text "": we
					 * did not */
	bool fatal;			/* and it ends the call */
};

struct aws {
	struct http *http;
	struct cred *cred;
	struct aws_clock clock;
	struct endpoint endpoint;
	char service[16];
	unsigned region_version;

	char bucket[80];		/* of at */
	bool at_known;
	struct endpoint_bucket at;
	struct buf path;
	struct sigv4 signer;
	struct hash hash;
	struct aws_creds creds;
	int64_t creds_at;		/* second they were fetched in */
	unsigned creds_version;
	int64_t offset;			/* of the server's clock to ours */

	struct retry retry;
	struct pace pace;
	int limit_s;
	struct attempt *attempts;
	struct attempt *idle;
	int attempts_n, flying;
	struct aws_call *queue, **queue_end;
	struct aws_call *waiting;	/* for a retry, the first due first */
	int open;			/* calls that are not done */
	uint64_t finished;

	char words[AWS_WORDS_MAX][320];
	size_t words_n, words_told;
	uint64_t random;
};

/* aws-send: from the call to the wire. -1 with e when it cannot be sent. */
int aws_send(struct attempt *t, struct err *e);

/* aws-answer: what has come back. */
int aws_take_head(struct http_exchange *x);
int aws_take_data(struct http_exchange *x, const char *data, size_t n);
void aws_take_end(struct http_exchange *x);

/* aws-mend: true if the call is worth another attempt now, since what was
 * wrong with it has been put right: the clock, the region, the credentials. */
bool aws_mend(struct attempt *t, const struct aws_error *error);

/* The call is over, or waits until due for its next attempt. */
void aws_finish(struct attempt *t, enum aws_result result);
void aws_again(struct attempt *t, double delay);

void aws_say(struct aws *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
