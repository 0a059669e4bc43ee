#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bucket.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "source-s3.h"

/*
 * A bucket, or what is below a prefix of it. Pages of the listing are asked for
 * one ahead, their objects handed out oldest first.
 */

#define PAGE_KEYS "1000"
#define DRIVE_EVERY 8		/* calls of next() without a look around */
#define SLICE_MS 1000		/* of waiting, then a look at the clock */

int
s3_drive(struct source_s3 *s, struct pollfd *fds, nfds_t n, int ms)
{
	const int r = aws_wait(s->aws, fds, n, ms, &s->err);
	const char *word;

	while ((word = aws_word(s->aws)) != NULL ||
	       (word = cred_word(s->cred)) != NULL)
		log_problem("%s: %s", s->source->settings->url, word);
	return r < 0 ? -1 : 0;
}

bool
s3_stopping(const struct source_s3 *s)
{
	const struct source_listener *l = s->source->listener;

	return l->stopping(l->owner);
}

void
s3_heard(struct source_s3 *s, const struct aws_call *c)
{
	if (c->status != 0) {
		s->silent = 0;
	} else if (c->result == AWS_FAILED && !c->once) {
		/* One attempt is no silence; the HEAD behind it tells. */
		s->silent++;
		if (!s->list_failed && !s->broken)
			s->err = c->err;
	}
}

int
s3_complain(const struct source_s3 *s, const struct aws_call *c,
	    const char *doing, const char *key, const char *right,
	    struct err *e)
{
	struct bucket_trouble t;

	bucket_trouble(&t, c, s->source->settings->url, doing, key, right,
		       cred_source(s->cred));
	err_set(e, c->result == AWS_REFUSED ? ERR_TEMP : c->err.kind,
		"%s%s%s", t.what, *t.remedy ? ": " : "", t.remedy);
	e->code = t.code;
	return -1;
}

static int
oldest_first(const void *a, const void *b)
{
	const struct s3_object *x = a, *y = b;

	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int
on_page_begin(struct aws_call *c, struct err *e)
{
	struct source_s3 *s = c->owner;

	(void)e;
	s3_page_begin(&s->ahead, s->prefix);
	return 0;
}

static int
on_page_data(struct aws_call *c, const void *data, size_t n, struct err *e)
{
	struct source_s3 *s = c->owner;

	return s3_page_add(&s->ahead, data, n, e);
}

static int
on_page_end(struct aws_call *c, struct err *e)
{
	struct source_s3 *s = c->owner;

	return s3_page_end(&s->ahead, e);
}

static void
list_failed(struct source_s3 *s)
{
	s3_page_free(&s->ahead);
	s->list_failed = true;
	if (s->err.code != 0)	/* somebody must act */
		s->err.kind = ERR_STOP;
}

/* The same token, keys that do not go on behind the last page's, or never any
 * key. */
static bool
repeats(struct source_s3 *s)
{
	const struct s3_page *p = &s->ahead;
	bool again = s->token != NULL && p->token != NULL &&
		     strcmp(s->token, p->token) == 0;

	if (p->n == 0)
		return again || ++s->empty >= S3_EMPTY_MAX;
	s->empty = 0;
	again = again || (s->greatest != NULL &&
			  strcmp(p->list[0].key, s->greatest) <= 0);
	free(s->greatest);
	s->greatest = mem_strdup(p->list[p->n - 1].key);
	return again;
}

static void
on_listed(struct aws_call *c)
{
	struct source_s3 *s = c->owner;

	s->asking = false;
	s3_heard(s, c);
	if (c->result != AWS_OK) {
		s3_complain(s, c, "list", "", "s3:ListBucket", &s->err);
		list_failed(s);
	} else if (repeats(s)) {
		/* It would keep us for ever. */
		err_set(&s->err, ERR_TEMP, "cannot list %s to its end: the "
			"server gives the same page again and again, or "
			"pages without an object",
			s->source->settings->url);
		list_failed(s);
	} else {
		s->ready = true;
		if (s->ahead.n > 0)
			qsort(s->ahead.list, s->ahead.n,
			      sizeof(*s->ahead.list), oldest_first);
	}
}

static void
start_listing(struct source_s3 *s)
{
	struct aws_call *c = &s->listing;

	*c = (struct aws_call){
		.method = "GET", .bucket = s->bucket,
		.query = {
			{ "list-type", "2" }, { "encoding-type", "url" },
			{ "max-keys", PAGE_KEYS }, { "prefix", s->prefix },
		},
		.query_n = 4, .xml = true,
		.begin = on_page_begin, .data = on_page_data,
		.finish = on_page_end, .done = on_listed, .owner = s,
		.expected = AWS_LENGTH_UNKNOWN,
	};
	if (s->token != NULL)
		c->query[c->query_n++] = (struct sigv4_pair){
			"continuation-token", s->token };
	s->asking = true;
	aws_start(s->aws, c);
}

/* The page that has come is the one in work, and the one after it asked for. */
static void
turn_page(struct source_s3 *s)
{
	s3_page_free(&s->page);
	s->page = s->ahead;
	s->ahead = (struct s3_page){ .n = 0 };
	s->at = 0;
	s->ready = false;
	free(s->token);
	s->token = s->page.token ? mem_strdup(s->page.token) : NULL;
	if (s->token != NULL)
		start_listing(s);
}

/* Starts what the window has room for. */
static void
fill(struct source_s3 *s)
{
	for (;;) {
		while (s->at < s->page.n && s->slots < S3_WINDOW &&
		       s->bytes < S3_WINDOW_BYTES)
			s3_slot_add(s, &s->page.list[s->at++]);
		if (s->at < s->page.n || !s->ready)
			return;
		turn_page(s);
	}
}

/* An object of the window: 1; 0 at the end, -1 when no more can be listed. */
static int
await_object(struct source_s3 *s, struct err *e)
{
	if (!s->began)
		start_listing(s);
	s->began = true;
	for (;;) {
		fill(s);
		if (s->first != NULL)
			return 1;
		if (s->list_failed)
			break;
		if (!s->asking)
			return 0;
		if (s3_stopping(s)) {
			s->source->complete = false;
			return 0;
		}
		if (s3_drive(s, NULL, 0, SLICE_MS) < 0)
			break;
	}
	*e = s->err;
	return -1;
}

/* One that nobody wanted may still be under way; 1: the run is to end before
 * it is there. */
static int
drop_handed(struct source_s3 *s, struct err *e)
{
	while (s->handed != NULL && s->handed->state == SLOT_GETTING &&
	       !s3_stopping(s))
		if (s3_drive(s, NULL, 0, SLICE_MS) < 0) {
			*e = s->err;
			return -1;
		}
	if (s->handed != NULL && s->handed->state == SLOT_GETTING) {
		s->source->complete = false;
		return 1;
	}
	if (s->handed != NULL)
		s3_slot_free(s->handed);
	s->handed = NULL;
	return 0;
}

static int
s3_next(struct source *source, struct object *o_r, struct err *e)
{
	struct source_s3 *s = source->own;
	int r;

	r = drop_handed(s, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	s3_round_due(s, false);
	while (s->removing > S3_REMOVING_MAX && !s3_stopping(s)) {
		if (s3_drive(s, NULL, 0, SLICE_MS) < 0)
			break;
		s3_round_due(s, false);
	}
	if (++s->calls % DRIVE_EVERY == 0 && s3_drive(s, NULL, 0, 0) < 0) {
		*e = s->err;
		return -1;
	}
	if (s->broken) {
		*e = s->err;
		return -1;
	}
	if (s->silent >= S3_SILENT_MAX) {
		*e = s->err;
		return err_prefix(e, "gave up after %u requests without an "
				  "answer", s->silent);
	}
	r = await_object(s, e);
	if (r != 1)
		return r;
	s->handed = s->first;
	s->first = s->handed->next;
	if (s->first == NULL)
		s->last = &s->first;
	*o_r = s->handed->object;
	return 1;
}

static size_t
s3_left(const struct source *source)
{
	const struct source_s3 *s = source->own;
	size_t ahead = s->ready ? s->ahead.n : 0;

	return s->page.n - s->at + ahead + s->slots - (s->handed != NULL);
}

/* Errors of the requests are told by the requests. */
static int
s3_wait(struct source *source, struct pollfd *fds, nfds_t n, int ms)
{
	const double end = clock_monotonic() + ms / 1000.0;
	struct source_s3 *s = source->own;

	for (;;) {
		double rest = end - clock_monotonic();
		int ready = 0;

		for (nfds_t i = 0; i < n; i++)
			fds[i].revents = 0;
		if (rest <= 0 || s3_drive(s, fds, n, (int)(rest * 1000)) < 0)
			return poll(fds, n, rest > 0 ? (int)(rest * 1000) : 0);
		for (nfds_t i = 0; i < n; i++)
			ready += fds[i].revents != 0;
		if (ready > 0)
			return ready;
	}
}

static void
s3_close(struct source *source)
{
	struct source_s3 *s = source->own;

	aws_cancel_all(s->aws);
	s3_removals_free(s);
	if (s->handed != NULL)
		s3_slot_free(s->handed);
	while (s->first != NULL) {
		struct slot *t = s->first;

		s->first = t->next;
		s3_slot_free(t);
	}
	aws_free(s->aws);
	cred_free(s->cred);
	s3_page_free(&s->page);
	s3_page_free(&s->ahead);
	free(s->token);
	free(s->greatest);
	free(s);
}

static const struct source_kind bucket = {
	s3_next, s3_left, s3_fetch, s3_remove, s3_finish, s3_wait, s3_close,
};

int
source_s3_name(const struct source_settings *settings, struct source_name *n,
	       struct err *e)
{
	struct endpoint endpoint;

	if (bucket_endpoint(settings, &endpoint, e) < 0)
		return -1;
	snprintf(n->url, sizeof(n->url), "s3://%s/%s", settings->bucket,
		 settings->prefix);
	snprintf(n->place, sizeof(n->place), "%s", endpoint.place);
	return 0;
}

/* Before any request: what is missing is told now, and the provider may know
 * the region. */
static int
find_credentials(struct source_s3 *s, struct err *e)
{
	struct aws_creds creds;
	int r = cred_get(s->cred, clock_wall(), &creds, e);

	explicit_bzero(&creds, sizeof(creds));
	return r < 0 ? err_prefix(e, "%s", s->source->settings->url) : 0;
}

static int
connect_to(struct source_s3 *s, struct err *e)
{
	const struct source_settings *settings = s->source->settings;
	const struct aws_config *c = settings->aws_config;
	const char *warning;

	if (c != NULL) {
		s->cred = cred_new(settings->aws_config);
		for (size_t i = 0; (warning = aws_config_warning(c, i)) != NULL;
		     i++)
			log_problem("%s: %s", settings->url, warning);
		if (find_credentials(s, e) < 0)
			return -1;
	}
	s->aws = bucket_connect(settings, s->cred, e);
	return s->aws == NULL ? -1 : 0;
}

int
source_s3_open(struct source *source, struct err *e)
{
	const struct source_settings *settings = source->settings;
	struct source_s3 *s = mem_alloc(sizeof(*s));

	s->source = source;
	s->bucket = settings->bucket;
	s->prefix = settings->prefix;
	s->last = &s->first;
	source->kind = &bucket;
	source->own = s;
	if (connect_to(s, e) == 0)
		return 0;
	cred_free(s->cred);
	free(s);
	return -1;
}
