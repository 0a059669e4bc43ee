#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws/s3-delete.h"
#include "lib/base/text.h"
#include "source-s3.h"

/*
 * Removals where the server does not look at If-Match, many at a time: a
 * listing tells which objects still have the ETag that was read, and only these
 * are deleted, many in a request. A HEAD and a DELETE for each would be
 * as many chances to come too late, and cost the server half as much again.
 */

/* Removals. A page of the listing costs the same, however few it is for; the
 * listing grows with them. */
#define ROUND_MIN 512
#define ROUND_MAX 1024
#define CHUNK_MAX 64		/* keys of one DeleteObjects */
#define BODY_MAX (CHUNK_MAX * (6 * (size_t)S3_KEY_MAX + 64))

struct chunk {
	struct round *of;
	struct s3_removal *list[CHUNK_MAX];	/* by key */
	size_t n;
	struct buf body;
	char md5[S3_DELETE_MD5_SIZE];
	struct s3_delete_answer answer;
	struct aws_call call;
};

struct round {
	struct source_s3 *of;
	struct s3_removal *list[ROUND_MAX];	/* by key */
	size_t n;
	size_t at;		/* looked up in the listing so far */
	struct chunk *open;	/* still to be filled */
	size_t chunks;		/* sent, and open */
	bool listed;
	char *after;		/* start-after of the listing */
	char *token;
	char *last;		/* key of the pages so far */
	unsigned empty;		/* pages in a row */
	struct s3_page page;
	struct aws_call call;
};

static int
by_key(const void *a, const void *b)
{
	const struct s3_removal *x = *(struct s3_removal *const *)a;
	const struct s3_removal *y = *(struct s3_removal *const *)b;

	return strcmp(x->key, y->key);
}

static void
round_free(struct round *o)
{
	s3_page_free(&o->page);
	free(o->after);
	free(o->token);
	free(o->last);
	free(o);
}

static void
chunk_free(struct chunk *c)
{
	struct round *o = c->of;

	s3_delete_answer_free(&c->answer);
	buf_free(&c->body);
	free(c);
	if (--o->chunks == 0 && o->listed)
		round_free(o);
}

static int
on_answer_begin(struct aws_call *call, struct err *e)
{
	struct chunk *c = call->owner;

	(void)e;
	s3_delete_answer_begin(&c->answer);
	return 0;
}

static int
on_answer_data(struct aws_call *call, const void *data, size_t n,
	       struct err *e)
{
	struct chunk *c = call->owner;

	return s3_delete_answer_add(&c->answer, data, n, e);
}

static int
on_answer_end(struct aws_call *call, struct err *e)
{
	struct chunk *c = call->owner;

	return s3_delete_answer_end(&c->answer, e);
}

static struct s3_removal **
find(struct chunk *c, const char *key)
{
	struct s3_removal like = { .key = (char *)(size_t)key };
	struct s3_removal *const *p = &(struct s3_removal *){ &like };

	return bsearch(p, c->list, c->n, sizeof(*c->list), by_key);
}

/* The server's word for each key; one that it does not mention stays. */
static void
end_chunk(struct chunk *c)
{
	struct err e;

	for (size_t i = 0; i < c->answer.n; i++) {
		const struct s3_deleted *d = &c->answer.list[i];
		struct s3_removal **r = find(c, d->key);

		if (r == NULL || (*r)->told)
			continue;
		(*r)->told = true;
		if (d->code == NULL || strcmp(d->code, "NoSuchKey") == 0)
			continue;
		err_set(&e, ERR_TEMP, "cannot delete it: %s%s%s%s",
			text_show(d->code), d->message ? ", " : "",
			d->message ? text_show(d->message) : "",
			strcmp(d->code, "AccessDenied") ? ""
			: ": allow s3:DeleteObject");
		(*r)->refused = mem_strdup(e.text);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct s3_removal *r = c->list[i];

		err_set(&e, ERR_TEMP, "%s", r->refused ? r->refused
			: "the server does not say that it was deleted");
		s3_removal_end(r, r->told && !r->refused ? REMOVAL_OK
						 : REMOVAL_FAILED, &e);
	}
}

static void
on_chunk(struct aws_call *call)
{
	struct chunk *c = call->owner;
	struct source_s3 *s = c->of->of;

	s3_heard(s, call);
	if (call->result == AWS_OK) {
		end_chunk(c);
	} else if (call->result == AWS_REFUSED) {
		/* It does not know DeleteObjects, or not ours; or it allows
		 * them only to who may delete all of the bucket (RADOS
		 * Gateway). A DELETE tells whether it is allowed. */
		s->no_chunks = true;
		for (size_t i = 0; i < c->n; i++)
			s3_removal_look(c->list[i]);
	} else {
		for (size_t i = 0; i < c->n; i++)
			s3_removal_unclear(c->list[i], call);
	}
	chunk_free(c);
}

static void
send_chunk(struct round *o)
{
	struct chunk *c = o->open;

	o->open = NULL;
	if (s3_delete_end(&c->body, c->md5) < 0) {
		o->of->no_chunks = true;
		for (size_t i = 0; i < c->n; i++)
			s3_removal_delete(c->list[i]);
		chunk_free(c);
		return;
	}
	c->call = (struct aws_call){
		.method = "POST", .bucket = o->of->bucket,
		.query = { { "delete", "" } }, .query_n = 1,
		.headers = {
			{ "content-md5", c->md5 },
			{ "content-type", "application/xml" },
		},
		.headers_n = 2,
		.body = c->body.data, .body_n = c->body.len, .xml = true,
		.once = true, .begin = on_answer_begin, .data = on_answer_data,
		.finish = on_answer_end, .done = on_chunk, .owner = c,
		.expected = AWS_LENGTH_UNKNOWN,
	};
	aws_start(o->of->aws, &c->call);
}

/* It has the ETag that was read. */
static void
delete_it(struct round *o, struct s3_removal *r)
{
	if (o->of->no_chunks || !s3_delete_takes(r->key)) {
		s3_removal_delete(r);
		return;
	}
	if (o->open == NULL) {
		o->open = mem_alloc(sizeof(*o->open));
		o->open->of = o;
		o->chunks++;
		buf_init(&o->open->body, BODY_MAX);
		s3_delete_begin(&o->open->body);
	}
	s3_delete_key(&o->open->body, r->key);
	o->open->list[o->open->n++] = r;
	if (o->open->n == CHUNK_MAX)
		send_chunk(o);
}

/* Up to the keys that this page has told of; all of them at the last page. */
static void
compare(struct round *o)
{
	const char *last = o->page.n > 0 ? o->page.list[o->page.n - 1].key
					 : "";
	size_t k = 0;

	for (; o->at < o->n; o->at++) {
		struct s3_removal *r = o->list[o->at];
		const char *key = r->object->key;
		int order = 1;

		if (o->page.token != NULL && strcmp(key, last) > 0)
			break;
		while (k < o->page.n &&
		       (order = strcmp(o->page.list[k].key, key)) < 0)
			k++;
		if (k == o->page.n || order != 0)
			s3_removal_end(r, REMOVAL_OK, NULL);
		else if (strcmp(o->page.list[k].etag, r->version->etag) != 0)
			s3_removal_end(r, REMOVAL_CHANGED, NULL);
		else
			delete_it(o, r);
	}
}

static void start_list(struct round *o);

static void
fail_chunk(struct chunk *c, const struct aws_call *call)
{
	for (size_t i = 0; i < c->n; i++)
		s3_removal_failed(c->list[i], call);
	chunk_free(c);
}

static void
end_round(struct round *o)
{
	o->of->rounds--;
	o->chunks++;		/* not before all is sent */
	if (o->open != NULL && o->call.result == AWS_CANCELLED)
		fail_chunk(o->open, &o->call);
	else if (o->open != NULL)
		send_chunk(o);
	o->listed = true;
	if (--o->chunks == 0)
		round_free(o);
}

/* Without a listing a HEAD tells. */
static void
give_up_list(struct round *o)
{
	const bool over = o->call.result == AWS_CANCELLED;

	for (; o->at < o->n; o->at++)
		if (over)
			s3_removal_failed(o->list[o->at], &o->call);
		else
			s3_removal_look(o->list[o->at]);
	end_round(o);
}

/* Each key behind the one before, also across pages: only such a listing can
 * say that a key is not there. */
static bool
goes_on(struct round *o)
{
	const struct s3_page *p = &o->page;
	const char *previous = o->last;
	char *last;

	if (o->token != NULL && p->token != NULL &&
	    strcmp(o->token, p->token) == 0)
		return false;
	if (p->n == 0)
		return ++o->empty < S3_EMPTY_MAX;
	o->empty = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (previous != NULL && strcmp(previous, p->list[i].key) >= 0)
			return false;
		previous = p->list[i].key;
	}
	last = mem_strdup(previous);
	free(o->last);
	o->last = last;
	return true;
}

static void
on_listed(struct aws_call *call)
{
	struct round *o = call->owner;

	s3_heard(o->of, call);
	if (call->result != AWS_OK || !goes_on(o)) {
		give_up_list(o);
		return;
	}
	compare(o);
	if (o->open != NULL)	/* what was compared does not wait */
		send_chunk(o);
	free(o->token);
	o->token = o->page.token ? mem_strdup(o->page.token) : NULL;
	if (o->at < o->n && o->token != NULL)
		start_list(o);
	else
		end_round(o);
}

static int
on_page_begin(struct aws_call *call, struct err *e)
{
	struct round *o = call->owner;

	(void)e;
	s3_page_begin(&o->page, o->of->prefix);
	return 0;
}

static int
on_page_data(struct aws_call *call, const void *data, size_t n, struct err *e)
{
	struct round *o = call->owner;

	return s3_page_add(&o->page, data, n, e);
}

static int
on_page_end(struct aws_call *call, struct err *e)
{
	struct round *o = call->owner;

	return s3_page_end(&o->page, e);
}

static void
start_list(struct round *o)
{
	struct aws_call *c = &o->call;

	*c = (struct aws_call){
		.method = "GET", .bucket = o->of->bucket,
		.query = {
			{ "list-type", "2" }, { "encoding-type", "url" },
			{ "prefix", o->of->prefix },
		},
		.query_n = 3, .xml = true,
		.begin = on_page_begin, .data = on_page_data,
		.finish = on_page_end, .done = on_listed, .owner = o,
		.expected = AWS_LENGTH_UNKNOWN,
	};
	if (o->token != NULL)
		c->query[c->query_n++] = (struct sigv4_pair){
			"continuation-token", o->token };
	else if (strlen(o->after) > strlen(o->of->prefix))
		c->query[c->query_n++] = (struct sigv4_pair){
			"start-after", o->after };
	aws_start(o->of->aws, c);
}

/* A text before the key in the order of the listing, near to it: the key
 * without its last character (UTF-8). */
static char *
before(const char *key)
{
	char *text = mem_strdup(key);
	size_t n = strlen(text);

	while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
		n--;
	text[n > 0 ? n - 1 : 0] = '\0';
	return text;
}

static void
start_round(struct source_s3 *s)
{
	struct round *o = mem_alloc(sizeof(*o));

	o->of = s;
	while (s->waiting != NULL && o->n < ROUND_MAX) {
		struct s3_removal *r = s->waiting;

		s->waiting = r->waits;
		r->waits = NULL;
		s->waiting_n--;
		o->list[o->n++] = r;
	}
	qsort(o->list, o->n, sizeof(*o->list), by_key);
	o->after = before(o->list[0]->key);
	s->rounds++;
	start_list(o);
}

void
s3_round_due(struct source_s3 *s, bool last)
{
	if (s->rounds == 0 && s->waiting_n >= (last ? 1 : ROUND_MIN))
		start_round(s);
}
