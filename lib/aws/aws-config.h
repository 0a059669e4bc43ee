/*
 * aws-config - what is known about account and endpoint before any call: our
 * own settings, then AWS_* of the environment, then the profile of AWS's shared
 * files (AWS SDKs and Tools Reference Guide; order as in botocore).
 *
 * Made once, by the user who started the program: root reads its own ~/.aws
 * and systemd's credentials before the engine becomes another user. It then
 * never changes, but for the region. Holds secrets: what is handed out for
 * showing never is one. Not shared between threads.
 */
#ifndef FALLBACKMX_AWS_CONFIG_H
#define FALLBACKMX_AWS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"
#include "lib/base/err.h"

#define AWS_CONNECTIONS 16	/* at once, unless said otherwise */
#define AWS_CONNECTIONS_MAX 64

/* Object "aws" of a source in fallbackmx.json, and options of the command
 * line. NULL, false, 0: not said. */
struct aws_settings {
	const char *region, *profile;
	const char *endpoint_url;	/* of the source's own service */
	const char *ca_bundle;
	const char *key_file;		/* or "credential:NAME" of systemd */
	const char *proxy;		/* http://HOST:PORT */
	int addressing_style;		/* enum endpoint_style */
	bool use_fips_endpoint, use_dualstack_endpoint, allow_plain_http;
	int connections;		/* 1 to AWS_CONNECTIONS_MAX */
};

struct aws_config;

/*
 * Decides all of it; s is copied. Takes the variables out of the environment
 * (aws-env.h) and opens files; no network. The home directory is that of the
 * passwd entry, never $HOME.
 * NULL with ERR_STOP (EX_CONFIG, EX_NOPERM, EX_IOERR) when a file or a value
 * cannot be used: the text names file and line, or the variable.
 */
struct aws_config *aws_config_new(const struct aws_settings *s, struct err *e);
void aws_config_free(struct aws_config *c);	/* wipes; NULL is fine */

/* One value and where it comes from, for showing. */
struct aws_config_value {
	const char *name;	/* "region" */
	const char *value;	/* "eu-west-1" */
	const char *source;	/* "AWS_REGION", "profile backup of FILE",
				 * "settings", "default" */
};

/* Value number i in a fixed order; false when there are no more. Those that
 * nobody said and that have no default are passed over. */
bool aws_config_value(const struct aws_config *c, size_t i,
		      struct aws_config_value *v);

/* What the admin should hear although it works, number i; NULL: no more. */
const char *aws_config_warning(const struct aws_config *c, size_t i);

/* Never NULL. When nobody said one (known is false) it is us-east-1: S3 there
 * tells of each bucket in which region it is. */
const char *aws_config_region(const struct aws_config *c);
bool aws_config_region_known(const struct aws_config *c);
/* Learned later, as from the instance's metadata; source is a phrase. */
void aws_config_set_region(struct aws_config *c, const char *region,
			   const char *source);

const char *aws_config_ca_bundle(const struct aws_config *c);	/* or NULL */
const char *aws_config_proxy(const struct aws_config *c);	/* or NULL */
int aws_config_connections(const struct aws_config *c);
int aws_config_max_attempts(const struct aws_config *c); /* 0: not said */

/*
 * Where a service ("s3", "sts") is reached; region NULL: that of c. "s3" never
 * fails with NULL: aws_config_new() has tried.
 */
int aws_config_endpoint(const struct aws_config *c, const char *service,
			const char *region, struct endpoint *r, struct err *e);

#endif
