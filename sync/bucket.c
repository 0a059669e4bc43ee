#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "bucket.h"
#include "lib/base/text.h"

/* What the admin can do about an answer. */
static const struct {
	const char *code, *remedy;
	int exit;
} remedies[] = {
	{ "NoSuchBucket", "there is no such bucket there: look at its name, "
	  "region and endpoint", EX_CONFIG },
	{ "InvalidAccessKeyId", "the server does not know this access key",
	  EX_NOPERM },
	{ "SignatureDoesNotMatch", "the secret key does not belong to the "
	  "access key", EX_NOPERM },
	{ "ExpiredToken", "the credentials have expired", EX_NOPERM },
	{ "InvalidToken", "the session token is not valid", EX_NOPERM },
	{ "RequestTimeTooSkewed", "set the clock of this machine", EX_CONFIG },
	{ "PermanentRedirect", "the bucket is elsewhere: set region or "
	  "endpoint_url", EX_CONFIG },
	{ "AuthorizationHeaderMalformed", "set the region of the bucket",
	  EX_CONFIG },
	{ "InvalidObjectState", "it is in an archive storage class: restore "
	  "it", 0 },
	{ "InvalidBucketName", "that can be no bucket's name", EX_CONFIG },
};

static const char *
remedy_of(const struct aws_call *c, int *exit_r)
{
	const size_t n = sizeof(remedies) / sizeof(remedies[0]);

	for (size_t i = 0; i < n; i++)
		if (strcmp(c->code, remedies[i].code) == 0) {
			*exit_r = remedies[i].exit;
			return remedies[i].remedy;
		}
	return NULL;
}

void
bucket_trouble(struct bucket_trouble *t, const struct aws_call *c,
	       const char *url, const char *doing, const char *key,
	       const char *right, const char *creds)
{
	const char *remedy;
	struct err e = c->err;

	*t = (struct bucket_trouble){ .code = e.code };
	if (c->result != AWS_REFUSED) {
		err_prefix(&e, "cannot %s %s%s", doing, url, text_show(key));
		snprintf(t->what, sizeof(t->what), "%s", e.text);
		return;
	}
	t->code = 0;
	snprintf(t->what, sizeof(t->what), "cannot %s %s%s: %s%s%s (HTTP %d)",
		 doing, url, text_show(key), c->code[0] ? c->code : "refused",
		 c->message[0] ? ", " : "", text_show(c->message), c->status);
	remedy = remedy_of(c, &t->code);
	if (remedy != NULL) {
		snprintf(t->remedy, sizeof(t->remedy), "%s", remedy);
	} else if (c->status == 403) {
		t->code = EX_NOPERM;
		snprintf(t->remedy, sizeof(t->remedy), "allow %s, or look at "
			 "the credentials (%s)", right, creds);
	}
}

int
bucket_endpoint(const struct source_settings *s, struct endpoint *r,
		struct err *e)
{
	if (s->aws_config != NULL)
		return aws_config_endpoint(s->aws_config, "s3", NULL, r, e);
	*e = *s->aws_trouble;
	return err_prefix(e, "%s", s->url);
}

struct aws *
bucket_connect(const struct source_settings *s, struct cred *cred,
	       struct err *e)
{
	const struct aws_config *c = s->aws_config;
	struct endpoint endpoint;
	struct aws_place place = {
		.service = "s3", .endpoint = &endpoint,
	};

	if (bucket_endpoint(s, &endpoint, e) < 0)
		return NULL;
	place.http.ca_file = aws_config_ca_bundle(c);
	place.http.proxy = aws_config_proxy(c);
	place.http.connections = aws_config_connections(c);
	place.attempts = aws_config_max_attempts(c);
	return aws_new(&place, cred, NULL, e);
}

char *
bucket_free_key(const char *prefix)
{
	char name[40] = ".fallbackmx-probe-", *key;
	uint8_t random[8] = { 0 };
	const size_t n = strlen(prefix) + sizeof(name);

	if (getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
		random[0] = 1;	/* any name will do */
	text_hex(name + strlen(name), random, sizeof(random));
	key = mem_alloc(n);
	snprintf(key, n, "%s%s", prefix, name);
	return key;
}
