#include <config.h>

#include "aws-help.h"

int
cred_get(struct cred *c, int64_t now, struct aws_creds *out, struct err *e)
{
	(void)now;
	c->asked++;
	if (c->refuses)
		return err_set(e, ERR_TEMP, "cannot find credentials: none");
	*out = c->creds;
	return 0;
}

int
cred_renew(struct cred *c, int64_t now, struct err *e)
{
	(void)now;
	if (c->refuses)
		return err_set(e, ERR_TEMP, "cannot renew credentials: no");
	c->renewed++;
	snprintf(c->creds.token, sizeof(c->creds.token), "token-%d",
		 c->renewed);
	return 0;
}

static double
monotonic(void *arg)
{
	const struct world *w = arg;

	return w->now;
}

static int64_t
wall(void *arg)
{
	(void)arg;
	return AWS_NOW;
}

static double
chance(void *arg)
{
	(void)arg;
	return 0.5;
}

static void
pass(void *arg, double seconds)
{
	struct world *w = arg;

	w->now += seconds;
	if (w->delays_n < DELAYS_MAX)
		w->delays[w->delays_n] = seconds;
	w->delays_n++;
}

void
world_begin(struct world *w, const struct server_answer *answers, size_t n)
{
	const struct endpoint_wish wish = { .service = "s3",
					    .region = "us-east-1",
					    .url = "http://127.0.0.1:1" };
	struct err e;

	memset(w, 0, sizeof(*w));
	w->server = server_new(answers, n);
	w->cred.creds = (struct aws_creds){ .access_key = "AKIDEXAMPLE",
					    .secret_key = "secret" };
	assert_int_equal(endpoint_make(&w->endpoint, &wish, &e), 0);
	w->endpoint.port = server_port(w->server);
	w->place = (struct aws_place){ .service = "s3",
				       .endpoint = &w->endpoint };
}

void
world_open(struct world *w)
{
	const struct aws_clock clock = { monotonic, wall, chance, pass, w };
	struct err e;

	w->aws = aws_new(&w->place, &w->cred, &clock, &e);
	assert_non_null(w->aws);
}

void
world_end(struct world *w)
{
	aws_free(w->aws);
	server_free(w->server);
}

static int
fails(int *times, enum err_kind kind, const char *what, struct err *e)
{
	if (*times == 0)
		return 0;
	--*times;
	return err_set(e, kind, "cannot %s", what);
}

static int
begin(struct aws_call *c, struct err *e)
{
	struct object *o = (struct object *)c;

	o->begun++;
	o->body_n = 0;
	return fails(&o->begin_fails, o->kind, "begin", e);
}

static int
data(struct aws_call *c, const void *bytes, size_t n, struct err *e)
{
	struct object *o = (struct object *)c;

	assert_true(o->begun > 0);
	assert_true(n < sizeof(o->body) - o->body_n);
	memcpy(o->body + o->body_n, bytes, n);
	o->body_n += n;
	o->body[o->body_n] = '\0';
	return fails(&o->data_fails, o->kind, "write", e);
}

static int
finish(struct aws_call *c, struct err *e)
{
	struct object *o = (struct object *)c;

	o->finished++;
	return fails(&o->finish_fails, o->kind, "verify", e);
}

static void
done(struct aws_call *c)
{
	struct object *o = (struct object *)c;

	o->done++;
}

void
object_get(struct object *o, const char *key, uint64_t expected)
{
	*o = (struct object){ .call = {
		.method = "GET", .bucket = "bkt", .key = key,
		.expected = expected, .begin = begin, .data = data,
		.finish = finish, .done = done,
	} };
}

void
world_run(struct world *w)
{
	struct err e;
	int left;

	while ((left = aws_wait(w->aws, NULL, 0, 20000, &e)) > 0)
		continue;
	assert_int_equal(left, 0);
}
