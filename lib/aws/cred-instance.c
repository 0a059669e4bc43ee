#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "aws-env.h"
#include "cred-private.h"
#include "lib/base/text.h"
#include "secret.h"

/*
 * Version 2 only (EC2 User Guide, "Use IMDSv2"): a token is asked for with PUT
 * first, which a proxy or a forged request does not get. An answer takes
 * milliseconds, and where there is no instance nobody should wait.
 */
#define SECONDS 1
#define TOKEN_LINE "X-aws-ec2-metadata-token: "
#define TOKEN_MAX 1024

static const char from[] = "the instance's metadata service";

struct metadata {
	struct cred *cred;
	const char *origin;		/* "http://169.254.169.254" */
	char token[sizeof(TOKEN_LINE) + TOKEN_MAX];	/* the header line */
};

/* The variable, or the profile's key of the same meaning. */
static const char *
said(struct cred *c, const char *variable, const char *key)
{
	const char *v = aws_env(variable);

	return v ? v : aws_config_get(c->config,
				      c->config->values[VALUE_PROFILE].text,
				      NULL, key, NULL);
}

static int
find_origin(struct metadata *m, struct err *e)
{
	static const char *const own[] = {
		"169.254.169.254", "[fd00:ec2::254]", NULL
	};
	struct endpoint_wish w = {
		.service = "s3", .region = "r", .allow_plain_http = true,
		.url = said(m->cred, "AWS_EC2_METADATA_SERVICE_ENDPOINT",
			    "ec2_metadata_service_endpoint"),
	};
	const char *mode = said(m->cred,
				"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
				"ec2_metadata_service_endpoint_mode");
	struct endpoint_bucket b;
	struct endpoint r;
	size_t i = 0;

	m->origin = mode && strcasecmp(mode, "ipv6") == 0 ?
		"http://[fd00:ec2::254]" : "http://169.254.169.254";
	if (w.url == NULL)
		return 0;
	if (endpoint_make(&r, &w, e) < 0)
		return err_prefix(e, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	while (own[i] != NULL && strcmp(own[i], r.host) != 0)
		i++;
	/* Whoever answers there decides where our mail comes from. */
	if (own[i] == NULL && !r.tls && !endpoint_is_loopback(&r))
		return err_stop(e, EX_CONFIG, "cannot use AWS_EC2_METADATA_"
				"SERVICE_ENDPOINT %s: expected an address of "
				"the instance or of this machine",
				text_show(w.url));
	endpoint_bucket(&r, NULL, &b);
	m->origin = arena_printf(&m->cred->config->arena, "%s%s", b.origin,
				 r.base);
	return 0;
}

static int
get(struct metadata *m, const char *path, struct http_answer *r,
    struct err *e)
{
	const char *lines[] = { m->token, NULL };
	char url[1024];

	snprintf(url, sizeof(url), "%s/latest/meta-data/%s", m->origin, path);
	if (cred_fetch("GET", url, lines, cred_seconds(m->cred, SECONDS), r,
		       e) < 0)
		return err_prefix(e, "cannot use %s", from);
	return 0;
}

/* Text of the characters that AWS gives to names, in one line. */
static bool
is_name(const struct buf *b)
{
	return b->len > 0 && b->len <= 128 &&
	       strspn(b->data, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "abcdefghijklmnopqrstuvwxyz0123456789+=,.@_-") == b->len;
}

static enum cred_result
get_token(struct metadata *m, struct err *e)
{
	static const char *const lines[] = {
		"X-aws-ec2-metadata-token-ttl-seconds: 21600", NULL
	};
	enum cred_result r = CRED_NONE;
	struct http_answer a;
	char url[1024];

	snprintf(url, sizeof(url), "%s/latest/api/token", m->origin);
	if (cred_fetch("PUT", url, lines, cred_seconds(m->cred, SECONDS), &a,
		       e) < 0) {
		snprintf(m->cred->none, sizeof(m->cred->none),
			 "%s does not answer", from);
	} else if (a.status != 200) {
		snprintf(m->cred->none, sizeof(m->cred->none),
			 "%s gives no token (it answers %d)", from, a.status);
	} else if (a.body.len == 0 || a.body.len > TOKEN_MAX ||
		   strspn(a.body.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "abcdefghijklmnopqrstuvwxyz0123456789+/=_-") !=
		   a.body.len) {
		err_set(e, ERR_TEMP, "cannot use %s: it answers something else "
			"than a token", from);
		r = CRED_FAILED;
	} else {
		snprintf(m->token, sizeof(m->token), TOKEN_LINE "%s",
			 a.body.data);
		r = CRED_FOUND;
	}
	cred_answer_free(&a);
	return r;
}

static enum cred_result
get_role(struct metadata *m, char *role, size_t size, struct err *e)
{
	enum cred_result r = CRED_FAILED;
	struct http_answer a;

	if (get(m, "iam/security-credentials/", &a, e) < 0) {
		;
	} else if (a.status == 404) {
		snprintf(m->cred->none, sizeof(m->cred->none),
			 "the instance has no role");
		r = CRED_NONE;
	} else if (cred_answered(&a, from, e) == CRED_FOUND) {
		/* One role, perhaps with a newline behind it. */
		while (a.body.len > 0 &&
		       strchr("\r\n", a.body.data[a.body.len - 1]) != NULL)
			a.body.data[--a.body.len] = '\0';
		if (is_name(&a.body)) {
			snprintf(role, size, "%s", a.body.data);
			r = CRED_FOUND;
		} else {
			err_set(e, ERR_TEMP, "cannot use %s: it answers "
				"something else than the name of a role",
				from);
		}
	}
	cred_answer_free(&a);
	return r;
}

static enum cred_result
get_creds(struct metadata *m, const char *role, struct aws_creds *out,
	  struct err *e)
{
	enum cred_result r = CRED_FAILED;
	struct http_answer a;
	char path[256];

	snprintf(path, sizeof(path), "iam/security-credentials/%s", role);
	if (get(m, path, &a, e) == 0)
		r = cred_answered(&a, from, e);
	if (r == CRED_FOUND &&
	    cred_json(CRED_JSON_INSTANCE, a.body.data ? a.body.data : "",
		      a.body.len, from, out, e) < 0)
		r = CRED_FAILED;
	cred_answer_free(&a);
	return r;
}

/* Of use only where nothing else says it; no trouble when it does not come. */
static void
learn_region(struct metadata *m)
{
	struct aws_config *config = m->cred->config;
	struct http_answer a;
	struct err unused;

	if (aws_config_region_known(config))
		return;
	if (get(m, "placement/region", &a, &unused) == 0 &&
	    a.status == 200 && is_name(&a.body) && a.body.len < 64)
		aws_config_set_region(config, a.body.data, from);
	cred_answer_free(&a);
}

enum cred_result
cred_instance(struct cred *c, const char *profile, struct aws_creds *out,
	      struct err *e)
{
	struct metadata m = { .cred = c };
	const char *off = aws_env("AWS_EC2_METADATA_DISABLED");
	enum cred_result r;
	char role[160];

	(void)profile;
	if (off != NULL && strcasecmp(off, "true") == 0) {
		snprintf(c->none, sizeof(c->none),
			 "AWS_EC2_METADATA_DISABLED is true");
		return CRED_NONE;
	}
	if (find_origin(&m, e) < 0)
		return CRED_FAILED;
	r = get_token(&m, e);
	if (r == CRED_FOUND)
		r = get_role(&m, role, sizeof(role), e);
	if (r == CRED_FOUND)
		r = get_creds(&m, role, out, e);
	if (r == CRED_FOUND) {
		snprintf(c->source, sizeof(c->source),
			 "the role %s of this instance", role);
		learn_region(&m);
	}
	secret_wipe(&m, sizeof(m));
	return r;
}
