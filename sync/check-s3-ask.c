#include <config.h>

#include <stdio.h>
#include <string.h>

#include "check-s3.h"
#include "lib/base/clock.h"

/* The questions to a bucket. None of them changes anything. */

#define BYTES_MAX ((uint64_t)1 << 20)	/* of a server without ranges */

static void
on_done(struct aws_call *c)
{
	struct check_s3 *q = c->owner;
	const char *date = c->answer ? aws_header(c, "date") : NULL;
	const char *id = c->answer ? aws_header(c, "x-amz-version-id") : NULL;
	const int64_t at = date ? http_date(date) : -1;

	q->dated = c->status != 0 && at >= 0;
	q->ahead = at - clock_wall();
	q->version = id != NULL && *id != '\0' && strcmp(id, "null") != 0;
}

static void
ask(struct check_s3 *q)
{
	struct aws_call *c = &q->call;
	const double begun = clock_monotonic();
	struct err e;
	int left;

	c->bucket = q->source->bucket;
	c->expected = AWS_LENGTH_UNKNOWN;
	c->done = on_done;
	c->owner = q;
	q->got = 0;
	q->dated = q->version = false;
	aws_start(q->aws, c);
	while ((left = aws_wait(q->aws, NULL, 0, -1, &e)) > 0)
		continue;
	if (left < 0) {
		aws_cancel_all(q->aws);
		c->err = e;
	}
	q->seconds = clock_monotonic() - begun;
}

static int
on_page_begin(struct aws_call *c, struct err *e)
{
	struct check_s3 *q = c->owner;

	(void)e;
	s3_page_begin(&q->page, q->source->prefix);
	return 0;
}

static int
on_page_data(struct aws_call *c, const void *data, size_t n, struct err *e)
{
	struct check_s3 *q = c->owner;

	return s3_page_add(&q->page, data, n, e);
}

static int
on_page_end(struct aws_call *c, struct err *e)
{
	struct check_s3 *q = c->owner;

	return s3_page_end(&q->page, e);
}

void
check_s3_ask_list(struct check_s3 *q)
{
	q->call = (struct aws_call){
		.method = "GET",
		.query = {
			{ "list-type", "2" }, { "encoding-type", "url" },
			{ "max-keys", "1" }, { "prefix", q->source->prefix },
		},
		.query_n = 4, .xml = true,
		.begin = on_page_begin, .data = on_page_data,
		.finish = on_page_end,
	};
	ask(q);
}

static int
on_byte(struct aws_call *c, const void *data, size_t n, struct err *e)
{
	struct check_s3 *q = c->owner;

	(void)data;
	q->got += n;
	if (q->got <= BYTES_MAX)
		return 0;
	return err_set(e, ERR_PERM, "a byte is more than enough");
}

void
check_s3_ask_byte(struct check_s3 *q, const char *key)
{
	q->call = (struct aws_call){
		.method = "GET", .key = key, .data = on_byte,
		.headers = { { "range", "bytes=0-0" } }, .headers_n = 1,
	};
	ask(q);
}

static void
keep(char text_r[16], const char *text)
{
	snprintf(text_r, 16, "%.15s", text);
}

static int
on_element(void *owner, const char *path, const char *text, struct err *e)
{
#define RETENTION "ObjectLockConfiguration/Rule/DefaultRetention/"
	struct check_s3 *q = owner;

	(void)e;
	if (strcmp(path, "VersioningConfiguration/Status") == 0)
		keep(q->status, text);
	else if (strcmp(path, "VersioningConfiguration/MfaDelete") == 0)
		keep(q->mfa, text);
	else if (strcmp(path, RETENTION "Mode") == 0)
		keep(q->mode, text);
	else if (strcmp(path, RETENTION "Days") == 0)
		keep(q->days, text);
	else if (strcmp(path, RETENTION "Years") == 0)
		keep(q->years, text);
	return 0;
}

static int
on_setup_begin(struct aws_call *c, struct err *e)
{
	struct check_s3 *q = c->owner;

	(void)e;
	xml_free(q->xml);
	q->reader = (struct xml_reader){ .owner = q, .element = on_element };
	q->xml = xml_new(&q->reader);
	return 0;
}

static int
on_setup_data(struct aws_call *c, const void *data, size_t n, struct err *e)
{
	struct check_s3 *q = c->owner;

	return xml_add(q->xml, data, n, e);
}

static int
on_setup_end(struct aws_call *c, struct err *e)
{
	struct check_s3 *q = c->owner;

	return xml_end(q->xml, e);
}

void
check_s3_ask_setup(struct check_s3 *q, const char *what)
{
	q->call = (struct aws_call){
		.method = "GET", .query = { { what, "" } }, .query_n = 1,
		.xml = true, .begin = on_setup_begin, .data = on_setup_data,
		.finish = on_setup_end,
	};
	ask(q);
	xml_free(q->xml);
	q->xml = NULL;
}

void
check_s3_ask_delete(struct check_s3 *q, const char *match, const char *id)
{
	struct aws_call *c = &q->call;

	*c = (struct aws_call){ .method = "DELETE", .key = q->nobodys };
	if (match != NULL)
		c->headers[c->headers_n++] =
			(struct sigv4_pair){ "if-match", match };
	if (id != NULL)
		c->query[c->query_n++] = (struct sigv4_pair){ "versionId", id };
	ask(q);
}

void
check_s3_fail(struct check_s3 *q, const char *name, const char *doing,
	      const char *key, const char *right)
{
	struct bucket_trouble t;

	bucket_trouble(&t, &q->call, q->source->url, doing, key, right,
		       cred_source(q->cred));
	check_fail(q->check, name, t.code,
		   *t.remedy ? t.remedy : CHECK_S3_LATER, "%s", t.what);
}

bool
check_s3_is_denied(const struct check_s3 *q)
{
	return q->call.result == AWS_REFUSED &&
	       strcmp(q->call.code, "AccessDenied") == 0;
}
