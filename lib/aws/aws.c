#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>

#include "aws-private.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

static double
real_monotonic(void *arg)
{
	(void)arg;
	return clock_monotonic();
}

static int64_t
real_wall(void *arg)
{
	(void)arg;
	return clock_wall();
}

/* Xorshift (Marsaglia 2003): spreads retries, no more. */
static double
real_chance(void *arg)
{
	struct aws *a = arg;

	while (a->random == 0)
		if (getrandom(&a->random, sizeof(a->random), 0) < 0)
			a->random = (uint64_t)(clock_monotonic() * 1e9);
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return (double)(a->random >> 11) / 9007199254740992.0;
}

struct aws *
aws_new(const struct aws_place *p, struct cred *cred,
	const struct aws_clock *clock, struct err *e)
{
	struct aws *a = mem_alloc(sizeof(*a));
	struct http_options http = p->http;

	if (http.connections <= 0)
		http.connections = AWS_CONNECTIONS;
	if (http.connections > AWS_CONNECTIONS_MAX)
		http.connections = AWS_CONNECTIONS_MAX;
	a->http = http_new(&http, e);
	if (a->http == NULL) {
		free(a);
		return NULL;
	}
	a->cred = cred;
	a->clock = clock != NULL ? *clock : (struct aws_clock){
		.monotonic = real_monotonic, .wall = real_wall,
		.chance = real_chance, .arg = a,
	};
	a->endpoint = *p->endpoint;
	snprintf(a->service, sizeof(a->service), "%s", p->service);
	retry_init(&a->retry, p->attempts);
	pace_init(&a->pace, http.connections);
	a->limit_s = p->limit_s > 0 ? p->limit_s : AWS_LIMIT_S;
	a->queue_end = &a->queue;
	a->creds_at = -1;
	buf_init(&a->path, 65536);
	a->attempts_n = http.connections;
	a->attempts = mem_alloc((size_t)a->attempts_n * sizeof(*a->attempts));
	for (int i = 0; i < a->attempts_n; i++) {
		struct attempt *t = &a->attempts[i];

		t->aws = a;
		buf_init(&t->url, 524288);
		buf_init(&t->kept, AWS_ERROR_MAX);
		t->x.owner = t;
		t->next = a->idle;
		a->idle = t;
	}
	return a;
}

void
aws_free(struct aws *a)
{
	if (a == NULL)
		return;
	while (a->open > 0)
		aws_cancel_all(a);
	for (int i = 0; i < a->attempts_n; i++) {
		struct attempt *t = &a->attempts[i];

		http_forget(&t->x);
		sigv4_signed_free(&t->signed_as);
		buf_free(&t->url);
		buf_free(&t->kept);
	}
	http_free(a->http);
	free(a->attempts);
	sigv4_free(&a->signer);
	hash_free(&a->hash);
	buf_free(&a->path);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
}

const struct buf *
aws_headers(const struct aws_call *c)
{
	static const struct buf none;

	return c->answer != NULL ? c->answer : &none;
}

const char *
aws_header(const struct aws_call *c, const char *name)
{
	return http_header(aws_headers(c), name);
}

int
aws_connections(const struct aws *a)
{
	return a->pace.now;
}

void
aws_say(struct aws *a, const char *fmt, ...)
{
	va_list ap;

	if (a->words_n == AWS_WORDS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(a->words[a->words_n++], sizeof(a->words[0]), fmt, ap);
	va_end(ap);
}

const char *
aws_word(struct aws *a)
{
	return a->words_told < a->words_n ? a->words[a->words_told++] : NULL;
}

void
aws_start(struct aws *a, struct aws_call *c)
{
	c->status = c->attempts = c->paid = c->put_right = 0;
	c->mended = 0;
	c->code[0] = c->message[0] = '\0';
	c->answer = NULL;
	c->next = NULL;
	*a->queue_end = c;
	a->queue_end = &c->next;
	a->open++;
}

/* The call has no attempt, or none any more. */
static void
end_call(struct aws *a, struct aws_call *c, enum aws_result result)
{
	c->result = result;
	a->open--;
	a->finished++;
	if (c->done != NULL)
		c->done(c);
}

static void
put_idle(struct attempt *t)
{
	struct aws *a = t->aws;

	t->call = NULL;
	t->next = a->idle;
	a->idle = t;
	a->flying--;
}

void
aws_finish(struct attempt *t, enum aws_result result)
{
	struct aws_call *c = t->call;

	/* done() may read the headers: t is idle only after it. */
	t->call = NULL;
	end_call(t->aws, c, result);
	put_idle(t);
}

void
aws_again(struct attempt *t, double delay)
{
	struct aws *a = t->aws;
	struct aws_call *c = t->call, **at = &a->waiting;

	c->answer = NULL;
	c->due = a->clock.monotonic(a->clock.arg) + delay;
	while (*at != NULL && (*at)->due <= c->due)
		at = &(*at)->next;
	c->next = *at;
	*at = c;
	put_idle(t);
}

static struct aws_call *
next_call(struct aws *a)
{
	struct aws_call *c = a->waiting;

	if (c != NULL && c->due <= a->clock.monotonic(a->clock.arg)) {
		a->waiting = c->next;
		return c;
	}
	c = a->queue;
	if (c != NULL) {
		a->queue = c->next;
		if (a->queue == NULL)
			a->queue_end = &a->queue;
	}
	return c;
}

static void
send_calls(struct aws *a)
{
	struct aws_call *c;

	while (a->flying < a->pace.now && a->idle != NULL &&
	       (c = next_call(a)) != NULL) {
		struct attempt *t = a->idle;

		a->idle = t->next;
		a->flying++;
		t->call = c;
		if (aws_send(t, &c->err) < 0)
			aws_finish(t, AWS_FAILED);
	}
}

/* Milliseconds until a retry is due or until; -1: nothing to wait for. */
static int
time_left(struct aws *a, double until)
{
	double at = until, left;

	if (a->waiting != NULL && (at < 0 || a->waiting->due < at) &&
	    a->flying < a->pace.now)
		at = a->waiting->due;
	if (at < 0)
		return -1;
	left = (at - a->clock.monotonic(a->clock.arg)) * 1e3;
	if (left <= 0)
		return 0;
	return left > 60000 ? 60000 : (int)left + 1;
}

static bool
any_ready(const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents != 0)
			return true;
	return false;
}

/* Nothing but time is waited for: a test's clock makes it pass. */
static bool
let_pass(struct aws *a)
{
	if (a->clock.pass == NULL || a->flying > 0 || a->waiting == NULL)
		return false;
	a->clock.pass(a->clock.arg, a->waiting->due -
		      a->clock.monotonic(a->clock.arg));
	return true;
}

int
aws_wait(struct aws *a, struct pollfd *fds, size_t n, int ms, struct err *e)
{
	const uint64_t before = a->finished;
	const double until = ms < 0 ? -1 :
		a->clock.monotonic(a->clock.arg) + ms / 1e3;

	for (;;) {
		int left, came;

		send_calls(a);
		if (a->finished != before || (a->open == 0 && n == 0))
			break;
		if (let_pass(a))
			continue;
		left = time_left(a, until);
		came = http_wait(a->http, fds, n, left, e);
		if (came < 0)
			return -1;
		if (a->finished != before || any_ready(fds, n) || came > 0)
			break;
		if (until >= 0 && a->clock.monotonic(a->clock.arg) >= until)
			break;
	}
	/* What can be sent goes out before the caller has other work. */
	send_calls(a);
	if (http_push(a->http, e) < 0)
		return -1;
	return a->open;
}

void
aws_cancel_all(struct aws *a)
{
	struct aws_call *lists[] = { a->waiting, a->queue };

	a->waiting = a->queue = NULL;
	a->queue_end = &a->queue;
	for (int i = 0; i < a->attempts_n; i++) {
		struct attempt *t = &a->attempts[i];

		if (t->call == NULL)
			continue;
		http_stop(&t->x);
		err_set(&t->call->err, ERR_TEMP, "the call was cancelled");
		aws_finish(t, AWS_CANCELLED);
	}
	for (size_t i = 0; i < 2; i++) {
		struct aws_call *c = lists[i], *next;

		for (; c != NULL; c = next) {
			next = c->next;
			err_set(&c->err, ERR_TEMP, "the call was cancelled");
			end_call(a, c, AWS_CANCELLED);
		}
	}
}
