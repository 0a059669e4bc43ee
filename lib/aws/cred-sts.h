/*
 * cred-sts - calls of AWS's Security Token Service: query protocol, version
 * 2011-06-15 (AWS STS API Reference).
 */
#ifndef FALLBACKMX_CRED_STS_H
#define FALLBACKMX_CRED_STS_H

#include "cred-private.h"
#include "sigv4.h"

/*
 * An AssumeRole action; pairs with value NULL are left away. signer NULL: not
 * signed (AssumeRoleWithWebIdentity). role is a phrase for errors.
 */
enum cred_result cred_sts_role(struct cred *c, const struct sigv4_pair *pairs,
			       size_t n, const struct aws_creds *signer,
			       const char *role, struct aws_creds *out,
			       struct err *e);

/* The answer's XML, at most CRED_ANSWER_MAX bytes. Pure. */
int cred_sts_read(const char *text, size_t n, const char *from,
		  struct aws_creds *out, struct err *e);

#endif
