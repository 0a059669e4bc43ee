#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "aws-private.h"
#include "lib/base/text.h"

static int
wrong_length(struct attempt *t, const char *what, uint64_t n)
{
	return err_set(&t->err, ERR_TEMP, "%s %llu bytes, expected %llu", what,
		       (unsigned long long)n,
		       (unsigned long long)t->call->expected);
}

/* A callback's verdict ends the call. */
static int
obey(struct attempt *t, int result)
{
	t->fatal = result < 0;
	return result;
}

static int
begin_body(struct attempt *t)
{
	struct aws_call *c = t->call;

	t->body = AWS_BODY_GOOD;
	return c->begin != NULL ? obey(t, c->begin(c, &t->err)) : 0;
}

static int
take_good(struct attempt *t, const char *data, size_t n)
{
	struct aws_call *c = t->call;

	t->got += n;
	if (c->data == NULL && t->got > AWS_ERROR_MAX)
		return err_set(&t->err, ERR_TEMP, "the answer has more than "
			       "64 KiB, expected was none");
	if (t->got > c->expected)
		return wrong_length(t, "the answer has at least", t->got);
	return c->data != NULL ? obey(t, c->data(c, data, n, &t->err)) : 0;
}

/* It has begun, or it is over: an object after all, whatever was kept back. */
static int
release(struct attempt *t)
{
	if (begin_body(t) < 0)
		return -1;
	return t->kept.len > 0 ? take_good(t, t->kept.data, t->kept.len) : 0;
}

int
aws_take_head(struct http_exchange *x)
{
	struct attempt *t = x->owner;
	struct aws_call *c = t->call;
	const char *length;

	c->status = x->status;
	if (x->status < 200 || x->status > 299)
		return 0;
	if (c->xml) {
		t->body = AWS_BODY_UNKNOWN;
		return 0;
	}
	length = http_header(&x->headers, "Content-Length");
	if (length != NULL && c->expected != AWS_LENGTH_UNKNOWN) {
		const uint64_t n = strtoull(length, NULL, 10);

		if (n != c->expected)
			return wrong_length(t, "the answer announces", n);
	}
	return begin_body(t);
}

int
aws_take_data(struct http_exchange *x, const char *data, size_t n)
{
	struct attempt *t = x->owner;

	if (t->body == AWS_BODY_GOOD)
		return take_good(t, data, n);
	buf_add(&t->kept, data, n);
	/* What is kept says enough; more may never end. */
	if (t->body == AWS_BODY_ERROR)
		return t->kept.cut ? -1 : 0;
	switch (aws_error_root(t->kept.data, t->kept.len)) {
	case AWS_ROOT_ERROR:
		t->body = AWS_BODY_ERROR;
		return 0;
	case AWS_ROOT_UNKNOWN:
		if (!t->kept.cut)
			return 0;
		return err_set(&t->err, ERR_TEMP, "the answer begins with "
			       "more than 64 KiB of nothing");
	case AWS_ROOT_OTHER:
		break;
	}
	return release(t);
}

/* The host as it stands in the URL. */
static const char *
host_of(const struct attempt *t, int *n_r)
{
	const char *host = strstr(t->url.data, "//") + 2;

	*n_r = (int)strcspn(host, "/?");
	return host;
}

/* The reason of the call's failure, should there be no other attempt. */
static void
explain(struct attempt *t, const char *before, const char *after,
	const char *reason)
{
	struct aws_call *c = t->call;
	char times[32] = "";
	int n;
	const char *host = host_of(t, &n);

	if (c->attempts > 1)
		snprintf(times, sizeof(times), " (tried %d times)",
			 c->attempts);
	err_set(&c->err, ERR_TEMP, "%s%.*s%s%s%s", before, n, host, after,
		reason, times);
}

static void
explain_refusal(struct attempt *t, bool xml)
{
	const struct aws_call *c = t->call;
	char message[400], text[600];

	text_quote(message, sizeof(message), c->message, strlen(c->message));
	snprintf(text, sizeof(text), "%d%s%s%s%s%s", c->status,
		 *c->code ? " " : "", c->code, *message ? ": " : "", message,
		 t->kept.len > 0 && !xml ?
			 " (no XML: is there a proxy between?)" : "");
	explain(t, "", " answers ", text);
}

/* RFC 9110, 10.2.3: seconds or a date. < 0: nothing said. */
static double
retry_after(const struct attempt *t)
{
	const char *text = http_header(&t->x.headers, "Retry-After");
	char *end;
	long seconds;
	int64_t date;

	if (text == NULL || *text == '\0')
		return -1;
	seconds = strtol(text, &end, 10);
	if (*end == '\0')
		return (double)seconds;
	date = http_date(text);
	return date < 0 ? -1 : (double)(date - t->signed_at);
}

/* Not so a 503 without a word of S3's, which may be a proxy's, nor an <Error>
 * behind a 2xx, which comes when the work has begun. */
static bool
has_done_nothing(const struct aws_call *c)
{
	if (c->status < 300 || strcmp(c->code, "ServiceUnavailable") == 0)
		return false;
	return c->status == 429 ||
	       retry_cause(0, c->code) == RETRY_THROTTLED;
}

static void
again_or_finish(struct attempt *t, enum retry_cause cause, double after,
		enum aws_result otherwise)
{
	struct aws *a = t->aws;
	struct aws_call *c = t->call;
	double delay;

	if (cause == RETRY_THROTTLED)
		pace_throttled(&a->pace, t->halvings);
	if (c->once && (cause != RETRY_THROTTLED || !has_done_nothing(c))) {
		aws_finish(t, otherwise);
		return;
	}
	delay = retry_delay(&a->retry, cause, c->attempts - c->put_right,
			    after, a->clock.chance(a->clock.arg), &c->paid);
	if (delay < 0)
		aws_finish(t, otherwise);
	else
		aws_again(t, delay);
}

static void
take_refusal(struct attempt *t)
{
	struct aws_call *c = t->call;
	enum retry_cause cause;
	struct aws_error error;
	const bool xml = aws_error_read(&error, t->kept.data, t->kept.len);

	memcpy(c->code, error.code, sizeof(c->code));
	memcpy(c->message, error.message, sizeof(c->message));
	explain_refusal(t, xml);
	if (aws_mend(t, &error)) {
		c->put_right++;
		aws_again(t, 0);
		return;
	}
	/* A 2xx whose root is <Error>. */
	cause = retry_cause(c->status < 300 ? 500 : c->status, c->code);
	again_or_finish(t, cause, retry_after(t),
			cause == RETRY_NEVER ? AWS_REFUSED : AWS_FAILED);
}

/* We have left the answer, or cannot use it; t->err says why. */
static void
take_our_failure(struct attempt *t)
{
	if (t->fatal) {
		t->call->err = t->err;
		aws_finish(t, AWS_FAILED);
		return;
	}
	explain(t, "", ": ", t->err.text);
	again_or_finish(t, RETRY_TROUBLE, -1, AWS_FAILED);
}

static int
check_body(struct attempt *t)
{
	struct aws_call *c = t->call;

	if (t->body == AWS_BODY_UNKNOWN && release(t) < 0)
		return -1;
	if (c->expected != AWS_LENGTH_UNKNOWN && t->got != c->expected)
		return wrong_length(t, "the answer has", t->got);
	if (c->finish == NULL || c->finish(c, &t->err) == 0)
		return 0;
	t->fatal = t->err.kind != ERR_TEMP;
	return -1;
}

static void
take_answer(struct attempt *t)
{
	struct aws *a = t->aws;

	if (t->body == AWS_BODY_ERROR) {
		take_refusal(t);
	} else if (check_body(t) < 0) {
		take_our_failure(t);
	} else {
		retry_succeeded(&a->retry, t->call->paid);
		pace_succeeded(&a->pace);
		aws_finish(t, AWS_OK);
	}
}

static void
take_distrust(struct attempt *t)
{
	int n;
	const char *host = host_of(t, &n);

	err_stop(&t->call->err, EX_UNAVAILABLE, "cannot trust %.*s: %s; if a "
		 "CA of your own has signed its certificate, name that CA's "
		 "file (ca_bundle)", n, host, t->x.why);
	aws_finish(t, AWS_FAILED);
}

static void
take_slowness(struct attempt *t)
{
	char text[400];

	snprintf(text, sizeof(text), "%s, and all of it may take %d: look at "
		 "the server and the line to it, or use fewer connections",
		 t->x.why, t->x.limit_s);
	explain(t, "", " is too slow: ", text);
	again_or_finish(t, RETRY_TIMEOUT, -1, AWS_FAILED);
}

void
aws_take_end(struct http_exchange *x)
{
	struct attempt *t = x->owner;

	switch (x->end) {
	case HTTP_ANSWERED:
		take_answer(t);
		return;
	case HTTP_LEFT:
		if (t->body == AWS_BODY_ERROR && t->kept.cut) {
			take_refusal(t);
			return;
		}
		if (!t->fatal && t->err.text[0] == '\0')
			err_set(&t->err, ERR_TEMP, "%s", x->why);
		take_our_failure(t);
		return;
	case HTTP_UNTRUSTED:
		take_distrust(t);
		return;
	case HTTP_TIMEOUT:
		explain(t, "", " does not answer: ", x->why);
		again_or_finish(t, RETRY_TIMEOUT, -1, AWS_FAILED);
		return;
	case HTTP_SLOW:
		take_slowness(t);
		return;
	case HTTP_BROKEN:
		break;
	}
	if (x->status == 0)
		explain(t, "cannot reach ", ": ", x->why);
	else
		explain(t, "", " broke off: ", x->why);
	again_or_finish(t, RETRY_TROUBLE, -1, AWS_FAILED);
}
