/*
 * bucket - the bucket of a source: how it is reached, what its refusals mean
 * for the admin, and a key in it that nobody has.
 */
#ifndef FALLBACKMX_BUCKET_H
#define FALLBACKMX_BUCKET_H

#include "lib/aws/aws.h"
#include "settings.h"

/* An ETag that is nobody's, for a condition that nothing fulfils. */
#define BUCKET_NO_ETAG "\"00000000000000000000000000000000\""

/* ERR_STOP with the reason when that could not be found out. */
int bucket_endpoint(const struct source_settings *s, struct endpoint *r,
		    struct err *e);

/* A client for it; cred stays the caller's and outlives it. NULL with e. */
struct aws *bucket_connect(const struct source_settings *s, struct cred *cred,
			   struct err *e);

/* A key below prefix that nobody has; to be freed. */
char *bucket_free_key(const char *prefix);

/* Why a call was refused or failed. */
struct bucket_trouble {
	char what[1024];	/* "cannot DOING URL KEY: REASON" */
	char remedy[240];	/* what the admin can do; "" if that is not
				 * known */
	int code;		/* exit code that goes with remedy, else 0 */
};

/*
 * Of a call that is over and did not end with AWS_OK. key: behind the prefix,
 * "" for the bucket; right: the IAM action that the call needs; creds: where
 * the credentials are from.
 */
void bucket_trouble(struct bucket_trouble *t, const struct aws_call *c,
		    const char *url, const char *doing, const char *key,
		    const char *right, const char *creds);

#endif
