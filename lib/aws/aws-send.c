#include <config.h>

#include <stdio.h>
#include <string.h>

#include "aws-private.h"
#include "lib/base/text.h"

/* Asking costs a copy of some KiB, and the provider a look at the time. */
static int
fetch_creds(struct aws *a, int64_t now, struct err *e)
{
	if (a->creds_at == now)
		return 0;
	if (cred_get(a->cred, now, &a->creds, e) < 0)
		return -1;
	a->creds_at = now;
	return 0;
}

/* Most runs know one bucket. */
static void
find_bucket(struct aws *a, const char *bucket)
{
	const char *name = bucket != NULL ? bucket : "";

	if (a->at_known && strcmp(a->bucket, name) == 0)
		return;
	endpoint_bucket(&a->endpoint, bucket, &a->at);
	a->at_known = (size_t)snprintf(a->bucket, sizeof(a->bucket), "%s",
				       name) < sizeof(a->bucket);
}

static int
make_path(struct aws *a, const struct aws_call *c, struct err *e)
{
	buf_clear(&a->path);
	buf_add(&a->path, a->at.path, strlen(a->at.path));
	if (c->key != NULL || a->path.len == 0)
		buf_add(&a->path, "/", 1);
	if (c->key != NULL)
		buf_add(&a->path, c->key, strlen(c->key));
	if (a->path.cut)
		return err_set(e, ERR_PERM, "its key is too long");
	return 0;
}

static void
hash_body(struct aws *a, const struct aws_call *c, char hex[2 * HASH_SIZE + 1])
{
	uint8_t digest[HASH_SIZE];

	if (c->body_n == 0) {
		memcpy(hex, SIGV4_EMPTY, 2 * HASH_SIZE + 1);
		return;
	}
	hash_begin(&a->hash);
	hash_add(&a->hash, c->body, c->body_n);
	hash_end(&a->hash, digest);
	text_hex(hex, digest, HASH_SIZE);
}

static int
sign(struct attempt *t, struct err *e)
{
	struct aws *a = t->aws;
	const struct aws_call *c = t->call;
	char payload[2 * HASH_SIZE + 1];
	const struct sigv4_request r = {
		.method = c->method, .host = a->at.host, .path = a->path.data,
		.query = c->query, .query_n = c->query_n,
		.headers = c->headers, .headers_n = c->headers_n,
		.payload = payload, .region = a->endpoint.region,
		.service = a->service,
	};

	hash_body(a, c, payload);
	return sigv4_sign(&a->signer, &r, &a->creds, t->signed_at,
			  &t->signed_as, e);
}

int
aws_limit(const struct aws_call *c, int limit_s)
{
	uint64_t bytes = c->expected, seconds;

	if (bytes == AWS_LENGTH_UNKNOWN)
		bytes = c->xml ? AWS_LIMIT_XML : 0;
	seconds = bytes / AWS_LIMIT_RATE + c->body_n / AWS_LIMIT_RATE;
	if (seconds >= (uint64_t)(AWS_LIMIT_MAX - limit_s))
		return AWS_LIMIT_MAX;
	return limit_s + (int)seconds;
}

int
aws_send(struct attempt *t, struct err *e)
{
	struct aws *a = t->aws;
	struct aws_call *c = t->call;
	const int64_t now = a->clock.wall(a->clock.arg);

	t->signed_at = now + a->offset;
	t->region_version = a->region_version;
	t->creds_version = a->creds_version;
	t->halvings = a->pace.halvings;
	t->body = AWS_BODY_ERROR;
	t->got = 0;
	t->fatal = false;
	t->err.text[0] = '\0';
	buf_clear(&t->kept);
	if (fetch_creds(a, now, e) < 0)
		return -1;
	find_bucket(a, c->bucket);
	if (make_path(a, c, e) < 0 || sign(t, e) < 0)
		return -1;
	buf_clear(&t->url);
	buf_add(&t->url, a->at.origin, strlen(a->at.origin));
	buf_add(&t->url, t->signed_as.target.data, t->signed_as.target.len);
	t->x.method = c->method;
	t->x.url = t->url.data;
	t->x.lines = t->signed_as.lines.data;
	t->x.lines_n = t->signed_as.lines_n;
	t->x.body = c->body;
	t->x.body_n = c->body_n;
	t->x.once = c->once;
	t->x.limit_s = aws_limit(c, a->limit_s);
	t->x.head = aws_take_head;
	t->x.data = aws_take_data;
	t->x.done = aws_take_end;
	c->status = 0;
	c->code[0] = c->message[0] = '\0';
	c->attempts++;
	c->answer = &t->x.headers;
	http_start(a->http, &t->x);
	return 0;
}
