#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "check-s3.h"
#include "lib/aws/secret.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

/* A bucket: what is asked in which order, and what is made of the answers. */

#define SKEW 240	/* seconds; lib/aws mends it when it is refused */

static void
tell_source(struct check_s3 *q)
{
	const struct source_settings *s = q->source;

	if (*s->prefix == '\0')
		check_ok(q->check, "source", "the bucket %s, all keys",
			 s->bucket);
	else
		check_ok(q->check, "source", "the bucket %s, keys that begin "
			 "with %s", s->bucket, text_show(s->prefix));
}

/* The settings that options may have said are told from the others. */
static const char *
said_by(const struct check_s3 *q, const struct aws_config_value *v)
{
	const struct aws_settings *given = q->check->options->given;

	if (strcmp(v->source, "settings") != 0)
		return v->source;
	if (strcmp(v->name, "region") == 0 && given->region != NULL)
		return "--region";
	if (strcmp(v->name, "profile") == 0 && given->profile != NULL)
		return "--profile";
	if (strcmp(v->name, "endpoint_url") == 0 && given->endpoint_url != NULL)
		return "--endpoint-url";
	if (strcmp(v->name, "ca_bundle") == 0 && given->ca_bundle != NULL)
		return "--ca-bundle";
	return "configuration";
}

static void
tell_settings(struct check_s3 *q)
{
	const struct aws_config *c = q->source->aws_config;
	struct aws_config_value v;
	const char *warning;
	struct buf said;

	buf_init(&said, 1500);
	for (size_t i = 0; aws_config_value(c, i, &v); i++)
		if (strcmp(v.source, "default") != 0)
			buf_printf(&said, ", %s %s (%s)", v.name,
				   text_show(v.value), said_by(q, &v));
	if (!aws_config_region_known(c))
		buf_printf(&said, ", region %s (default)", q->endpoint.region);
	if (aws_config_ca_bundle(c) == NULL && q->endpoint.tls)
		buf_printf(&said, ", certificates of the system");
	check_ok(q->check, "settings", "server %s%s", q->at.origin,
		 said.data ? said.data : "");
	buf_free(&said);
	for (size_t i = 0; (warning = aws_config_warning(c, i)) != NULL; i++)
		check_warn(q->check, "settings", "say what is meant", "%s",
			   warning);
}

/* 0 when there are some. */
static int
get_credentials(struct check_s3 *q, struct aws_creds *c_r, struct err *e)
{
	q->cred = cred_new(q->source->aws_config);
	return cred_get(q->cred, clock_wall(), c_r, e);
}

static void
tell_credentials(struct check_s3 *q, const struct aws_creds *c)
{
	const int64_t left = c->expires - clock_wall();
	const char *word;

	if (c->expires == 0)
		check_ok(q->check, "credentials", "%s, access key %s, without "
			 "an end", cred_source(q->cred),
			 text_show(c->access_key));
	else
		check_ok(q->check, "credentials", "%s, access key %s, for %"
			 PRId64 " minutes, then renewed", cred_source(q->cred),
			 text_show(c->access_key), left / 60);
	while ((word = cred_word(q->cred)) != NULL)
		check_warn(q->check, "credentials", CHECK_S3_LATER, "%s", word);
}

static void
tell_identity(struct check_s3 *q)
{
	char arn[512];
	struct err e;

	if (!q->endpoint.aws)
		return;
	if (cred_identity(q->cred, clock_wall(), arn, sizeof(arn), &e) == 0)
		check_ok(q->check, "identity", "%s", text_show(arn));
	else
		check_warn(q->check, "identity", "see the lines below; the "
			   "import does not need it", "%s", e.text);
}

static bool
is_answered(const struct check_s3 *q)
{
	return q->call.status != 0;
}

static void
tell_server(struct check_s3 *q)
{
	struct err *e = &q->call.err;
	const char *remedy;

	if (is_answered(q)) {
		check_ok(q->check, "server", "%s answers%s, after %d ms",
			 q->at.host, q->endpoint.tls ?
			 ", its certificate is good" : "",
			 (int)(q->seconds * 1000));
		return;
	}
	if (e->code == EX_UNAVAILABLE) {
		remedy = check_split(e->text, "; ", "look at the server");
		check_fail(q->check, "server", EX_CONFIG, remedy, "%s",
			   e->text);
		return;
	}
	check_fail(q->check, "server", e->code, "look at endpoint_url, region "
		   "and proxy, and whether something is between", "%s",
		   e->text);
}

static void
tell_clock(struct check_s3 *q)
{
	const int64_t n = q->ahead < 0 ? -q->ahead : q->ahead;

	if (!q->dated)
		check_ok(q->check, "clock", "the server does not tell the "
			 "time");
	else if (n < SKEW)
		check_ok(q->check, "clock", "%" PRId64 " seconds from the "
			 "server's", n);
	else
		check_warn(q->check, "clock", "set it", "the clock of this "
			   "machine is %" PRId64 " minutes %s that of the "
			   "server", n / 60,
			   q->ahead > 0 ? "behind" : "ahead of");
}

/* What was put right on the way; of the clock the line before has told. */
static void
tell_words(struct check_s3 *q)
{
	const char *word, *remedy;
	char text[320];

	while ((word = aws_word(q->aws)) != NULL) {
		if (strncmp(word, "the clock", 9) == 0)
			continue;
		snprintf(text, sizeof(text), "%s", word);
		remedy = check_split(text, ": ", "look at it");
		check_warn(q->check, "settings", remedy, "%s", text);
	}
}

/* True if it makes sense to go on. */
static bool
try_list(struct check_s3 *q)
{
	const struct s3_page *p = &q->page;

	check_s3_ask_list(q);
	tell_server(q);
	if (!is_answered(q))
		return false;
	tell_clock(q);
	tell_words(q);
	if (q->call.result != AWS_OK) {
		s3_page_free(&q->page);
		check_s3_fail(q, "list", "list", "", "s3:ListBucket");
		return check_s3_is_denied(q);
	}
	q->listed = true;
	check_ok(q->check, "list", "%s", p->n > 0 ?
		 "there are objects below it" : "there is no object below it");
	return true;
}

void
check_s3(struct check *k)
{
	struct check_s3 q = { .check = k, .source = k->source };
	struct aws_creds creds = { .expires = 0 };
	struct err e;
	bool found;

	tell_source(&q);
	if (bucket_endpoint(q.source, &q.endpoint, &e) < 0) {
		check_fail(k, "settings", e.code, "put it right there", "%s",
			   e.text);
		return;
	}
	/* First, since an instance tells its region too. */
	found = get_credentials(&q, &creds, &e) == 0 &&
		bucket_endpoint(q.source, &q.endpoint, &e) == 0;
	endpoint_bucket(&q.endpoint, q.source->bucket, &q.at);
	tell_settings(&q);
	if (found) {
		tell_credentials(&q, &creds);
		tell_identity(&q);
		q.aws = bucket_connect(q.source, q.cred, &e);
	}
	secret_wipe(&creds, sizeof(creds));
	if (q.aws == NULL)
		check_fail(k, found ? "server" : "credentials", e.code,
			   "see fallbackmx-sync(1), Credentials for a bucket",
			   "%s", e.text);
	else if (try_list(&q))
		check_s3_rights(&q);
	s3_page_free(&q.page);
	if (q.aws != NULL)
		aws_free(q.aws);
	cred_free(q.cred);
}
