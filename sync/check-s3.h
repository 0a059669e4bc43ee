/*
 * check-s3 - what check-s3.c (the way to the bucket), check-s3-rights.c (what
 * is allowed there) and check-s3-ask.c (one question at a time) share.
 */
#ifndef FALLBACKMX_CHECK_S3_H
#define FALLBACKMX_CHECK_S3_H

#include "bucket.h"
#include "check-private.h"
#include "lib/aws/s3-page.h"
#include "lib/aws/xml.h"

enum versions {
	VERSIONS_UNKNOWN,	/* it may not be asked */
	VERSIONS_NONE,		/* no removal leaves a delete marker */
	VERSIONS_ON,
	VERSIONS_SUSPENDED,
};

struct check_s3 {
	struct check *check;
	const struct source_settings *source;
	struct endpoint endpoint;
	struct endpoint_bucket at;
	struct cred *cred;
	struct aws *aws;
	char *nobodys;		/* a key that nobody has */
	enum versions versions;
	/* The last question, and what is kept of its answer. */
	struct aws_call call;
	double seconds;		/* until it was there */
	bool dated;
	int64_t ahead;		/* seconds of the server's clock to ours */
	bool version;		/* it named a version */
	uint64_t got;		/* bytes of its body */
	struct s3_page page;	/* of the listing, until the end */
	bool listed;		/* page tells whether there is an object */
	struct xml *xml;	/* of the bucket's setup, while it is read */
	struct xml_reader reader;
	char status[16], mfa[16];	/* of versioning */
	char mode[16], days[16], years[16];	/* of object lock */
};

/* Each waits for the answer; call.result tells. */
void check_s3_ask_list(struct check_s3 *q);	/* one key; fills page */
void check_s3_ask_byte(struct check_s3 *q, const char *key);
void check_s3_ask_setup(struct check_s3 *q, const char *what); /* of bucket */
/* Asks for the removal of the key that nobody has: on a condition if match is
 * not NULL, of a version if id is not NULL. */
void check_s3_ask_delete(struct check_s3 *q, const char *match,
			 const char *id);

#define CHECK_S3_LATER "try again later, or ask whoever runs the server"

/* The result of that name, as the last question ended; for the other arguments
 * see bucket_trouble(). */
void check_s3_fail(struct check_s3 *q, const char *name, const char *doing,
		   const char *key, const char *right);
bool check_s3_is_denied(const struct check_s3 *q);	/* AccessDenied */

/* After the listing: what may be done with objects, and how the bucket is set
 * up. */
void check_s3_rights(struct check_s3 *q);

#endif
