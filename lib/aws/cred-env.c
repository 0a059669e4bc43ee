#include <config.h>

#include <stdio.h>
#include <sysexits.h>

#include "aws-env.h"
#include "cred-private.h"

enum cred_result
cred_environment(struct cred *c, const char *profile, struct aws_creds *out,
		 struct err *e)
{
	const char *key = aws_env("AWS_ACCESS_KEY_ID");
	const char *secret = aws_env("AWS_SECRET_ACCESS_KEY");
	const char *token = aws_env("AWS_SESSION_TOKEN");
	const char *end = aws_env("AWS_CREDENTIAL_EXPIRATION");
	enum cred_result r;

	(void)profile;
	if (key == NULL)
		return CRED_NONE;
	if (secret == NULL) {
		err_stop(e, EX_CONFIG, "cannot use AWS_ACCESS_KEY_ID: there is "
			 "no AWS_SECRET_ACCESS_KEY");
		return CRED_FAILED;
	}
	if (token == NULL)
		token = aws_env("AWS_SECURITY_TOKEN");
	snprintf(c->source, sizeof(c->source), "the environment");
	r = cred_fill(out, key, secret, token, c->source, e);
	if (r != CRED_FOUND || end == NULL)
		return r;
	out->expires = cred_time(end);
	if (out->expires > 0)
		return r;
	err_stop(e, EX_CONFIG, "cannot use AWS_CREDENTIAL_EXPIRATION: expected "
		 "a time as 2026-11-22T03:00:00Z");
	return CRED_FAILED;
}
