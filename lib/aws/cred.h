/*
 * cred - the credentials of the AWS calls, from the first provider that has
 * some, in botocore's order: our key_file; the environment (unless a profile is
 * asked for); of the profile: a role to assume, a web identity, keys in the
 * credentials file, credential_process, keys in the config file; the container;
 * the instance (IMDSv2). A profile that knows no more than a sign-in by a
 * browser is refused, and nobody behind it is asked.
 *
 * Those that expire are renewed by the same provider: tried from 15 minutes
 * before the end. While valid ones are there nothing blocks for more than five
 * seconds, and a failure keeps them until they end. Nothing here ever shows a
 * secret. One thread.
 */
#ifndef FALLBACKMX_CRED_H
#define FALLBACKMX_CRED_H

#include <stdint.h>

#include "aws-config.h"
#include "creds.h"
#include "lib/base/err.h"

struct cred;

/* Asks nobody yet. c stays the caller's, outlives it, and may learn its region
 * from the instance: get credentials before making endpoints of it. */
struct cred *cred_new(struct aws_config *c);

/*
 * The credentials for now (seconds since 1970), a copy that the caller wipes.
 * ERR_STOP (EX_CONFIG, EX_NOPERM) when there are none or what there is cannot
 * be used; ERR_TEMP when a provider does not answer well and there are no
 * valid ones.
 */
int cred_get(struct cred *c, int64_t now, struct aws_creds *out,
	     struct err *e);

/* After a service said ExpiredToken: asks the provider again, at most once a
 * minute. -1 when there are no others. */
int cred_renew(struct cred *c, int64_t now, struct err *e);

/* Where they are from, as "profile backup of FILE"; "" before the first
 * cred_get(). */
const char *cred_source(const struct cred *c);

/* What the admin should hear, each once; NULL: nothing more. Valid until the
 * next call. */
const char *cred_word(struct cred *c);

/* Who we are: the ARN that STS answers (GetCallerIdentity, which needs no
 * permission). For AWS only. */
int cred_identity(struct cred *c, int64_t now, char *arn, size_t size,
		  struct err *e);

void cred_free(struct cred *c);		/* wipes; NULL is fine */

#endif
