/*
 * cred - the credentials of the AWS calls, from the first provider that has
 * some.
 */
#ifndef FALLBACKMX_CRED_H
#define FALLBACKMX_CRED_H

#include <stdint.h>

#include "creds.h"
#include "lib/base/err.h"

struct cred;

int cred_get(struct cred *c, int64_t now, struct aws_creds *out,
	     struct err *e);
int cred_renew(struct cred *c, int64_t now, struct err *e);

#endif
