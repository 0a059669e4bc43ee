/*
 * endpoint - where a service of AWS, or a server like it, is reached.
 *
 * Pure: no environment, no network; what is wanted comes in as struct
 * endpoint_wish. Names as botocore makes them (AWS General Reference, "AWS
 * service endpoints"; S3 User Guide, "Virtual hosting of buckets").
 */
#ifndef FALLBACKMX_ENDPOINT_H
#define FALLBACKMX_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

enum endpoint_style {
	ENDPOINT_AUTO,		/* AWS: virtual if the name allows; else path */
	ENDPOINT_PATH,		/* the bucket is the path's first part */
	ENDPOINT_VIRTUAL,	/* the bucket is the host's first label */
};

struct endpoint_wish {
	const char *service;	/* "s3", "sts", "sqs", "ssm", "kms" */
	const char *region;	/* of AWS: chooses the partition; of another
				 * server: free text for the signature */
	const char *url;	/* of another server; NULL: AWS's own */
	bool fips, dualstack;	/* AWS's own only */
	bool allow_plain_http;	/* else only to a loopback address */
	enum endpoint_style style;
};

struct endpoint {
	bool tls;
	char host[256];		/* without bucket; IPv6 in brackets */
	int port;		/* 0: the scheme's */
	char region[64];	/* of the signature */
	char base[256];		/* decoded path of the URL, "" or "/x/y" */
	enum endpoint_style style;
	bool aws;		/* AWS's own, not a custom endpoint */
	char place[272];	/* partition of AWS ("aws", "aws-cn", ...), or
				 * "host:port": the same for equal servers */
};

/* How one bucket is reached. */
struct endpoint_bucket {
	char host[340];		/* text of the Host header: with the bucket if
				 * the host has it, with a port that is not
				 * the scheme's */
	char origin[360];	/* "https://" and host */
	char path[340];		/* what stands before "/KEY", decoded: "", the
				 * base, "/BUCKET" or both */
	bool path_style;
};

/* ERR_STOP (EX_CONFIG) when there is no such endpoint; says which word of the
 * wish is wrong and what it should be. */
int endpoint_make(struct endpoint *r, const struct endpoint_wish *w,
		  struct err *e);

/* Its host is an address or a name of this machine (RFC 6761, 6.3). */
bool endpoint_is_loopback(const struct endpoint *r);

/* bucket NULL: no bucket at all. Names that cannot be a label of a host name,
 * and on AWS (TLS) those with dots, go into the path. */
void endpoint_bucket(const struct endpoint *r, const char *bucket,
		     struct endpoint_bucket *b);

/*
 * NULL if name may be a bucket's, else what is expected of one (a noun): 3 to
 * 63 of a-z 0-9 . - and, for servers other than AWS, A-Z _ too (S3 User Guide,
 * "General purpose bucket naming rules").
 */
const char *endpoint_bucket_expected(const char *name);

#endif
