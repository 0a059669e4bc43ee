#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws-private.h"

#define SKEW 240	/* seconds; S3 allows 15 minutes, others 5 */

/* Each of them once for a call (aws_call.mended). */
enum { CLOCK = 1, REGION = 2, CREDS = 4 };

static bool
one_of(const char *code, const char *const *codes)
{
	for (; *codes != NULL; codes++)
		if (strcmp(code, *codes) == 0)
			return true;
	return false;
}

static bool
first_time(struct aws_call *c, unsigned what)
{
	if (c->mended & what)
		return false;
	c->mended |= what;
	return true;
}

static void
say_skew(struct aws *a, int64_t offset)
{
	const char *direction = offset > 0 ? "behind" : "ahead of";
	const int64_t n = offset > 0 ? offset : -offset;

	if (n < 120)
		aws_say(a, "the clock of this machine is %" PRId64 " seconds "
			"%s that of %s: set it", n, direction, a->at.host);
	else
		aws_say(a, "the clock of this machine is %" PRId64 " minutes "
			"%s that of %s: set it", n / 60, direction,
			a->at.host);
}

/*
 * A signature holds for minutes around the server's time. Those who only say
 * that it does not match mean the clock if it is wrong; with a clock that is
 * right they mean the secret.
 */
static bool
mend_clock(struct attempt *t)
{
	static const char *const sure[] = { "RequestTimeTooSkewed", NULL };
	static const char *const perhaps[] = {
		"AuthFailure", "InvalidSignatureException", "RequestExpired",
		"RequestInTheFuture", "SignatureDoesNotMatch", NULL };
	struct aws *a = t->aws;
	struct aws_call *c = t->call;
	const char *text = http_header(&t->x.headers, "Date");
	const int64_t date = text != NULL ? http_date(text) : -1;
	const bool mute = c->status == 403 && strcmp(c->method, "HEAD") == 0;

	if (date < 0)
		return false;
	if (!one_of(c->code, sure) &&
	    ((!one_of(c->code, perhaps) && !mute) ||
	     llabs(date - t->signed_at) <= SKEW))
		return false;
	if (!first_time(c, CLOCK))
		return false;
	if (a->offset == 0)
		say_skew(a, date - t->signed_at);
	a->offset = date - a->clock.wall(a->clock.arg);
	return true;
}

/* It goes into a host name of AWS's, and into no other. */
static bool
is_region(const char *s)
{
	const size_t n = strlen(s);

	return n > 0 && n < 64 && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static void
move_host(struct aws *a, const char *region)
{
	char old[80], host[sizeof(a->endpoint.host)];
	const char *at;

	snprintf(old, sizeof(old), ".%s.", a->endpoint.region);
	at = strstr(a->endpoint.host, old);
	if (!a->endpoint.aws || at == NULL)
		return;
	if ((size_t)snprintf(host, sizeof(host), "%.*s.%s.%s",
			     (int)(at - a->endpoint.host), a->endpoint.host,
			     region, at + strlen(old)) < sizeof(host))
		memcpy(a->endpoint.host, host, sizeof(host));
}

static bool
mend_region(struct attempt *t, const struct aws_error *error)
{
	static const char *const codes[] = {
		"AuthorizationHeaderMalformed", "PermanentRedirect",
		"IllegalLocationConstraintException", NULL };
	struct aws *a = t->aws;
	struct aws_call *c = t->call;
	const char *region = http_header(&t->x.headers, "x-amz-bucket-region");

	if (c->status != 301 && !one_of(c->code, codes) &&
	    (c->status != 400 || strcmp(c->method, "HEAD") != 0))
		return false;
	if (region == NULL)
		region = error->region;
	if (!is_region(region) || !first_time(c, REGION))
		return false;
	if (t->region_version != a->region_version)
		return true;	/* another call has, since this was signed */
	if (strcmp(region, a->endpoint.region) == 0)
		return false;
	aws_say(a, "%s%s is in the region %s, not %s: set \"region\"",
		c->bucket != NULL ? "the bucket " : "the service",
		c->bucket != NULL ? c->bucket : "", region,
		a->endpoint.region);
	move_host(a, region);
	snprintf(a->endpoint.region, sizeof(a->endpoint.region), "%s", region);
	a->region_version++;
	a->at_known = false;
	return true;
}

static bool
mend_creds(struct attempt *t)
{
	static const char *const codes[] = { "ExpiredToken",
		"ExpiredTokenException", "InvalidToken", NULL };
	struct aws *a = t->aws;
	struct aws_call *c = t->call;
	struct err e;

	if (!one_of(c->code, codes) || !first_time(c, CREDS))
		return false;
	if (t->creds_version != a->creds_version)
		return true;
	if (cred_renew(a->cred, a->clock.wall(a->clock.arg), &e) < 0) {
		err_prefix(&c->err, "%s", e.text);
		return false;
	}
	a->creds_version++;
	a->creds_at = -1;
	return true;
}

bool
aws_mend(struct attempt *t, const struct aws_error *error)
{
	return mend_clock(t) || mend_region(t, error) || mend_creds(t);
}
