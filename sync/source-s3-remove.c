#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bucket.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "source-s3.h"

/*
 * A removal takes exactly the version that was read, or nothing:
 *
 *	it has a version id	DELETE of that version
 *	If-Match is honoured	DELETE with If-Match (S3 since 2025-09)
 *	If-Match is ignored,	a look that it is the same ETag, and DELETE:
 *	or refused with 501	many at a time, see source-s3-round.c
 *
 * Which of the last two, a DELETE with an ETag that is nobody's tells, of a key
 * that nobody has: 204 means that the server did not look at the condition
 * (RADOS Gateway, MinIO), 412 that it did, 404 that it did if the same without
 * the condition gives 204. Without a clear answer a HEAD goes before the
 * DELETE. The version "null" is looked at by itself, and so is what this run
 * did not read.
 *
 * A DELETE that takes whatever is there is sent once. When nobody knows what
 * became of it, somebody may have put another mail under the key by the time of
 * a second one: so it begins anew, with a HEAD.
 */

#define NULL_VERSION "null"
#define STOP_SECONDS 10		/* for removals when the run must end */
#define TRIES_MAX 3		/* of a removal, whose end was unclear */

void
s3_removal_end(struct s3_removal *r, enum removal how, const struct err *e)
{
	struct source_s3 *s = r->of;
	const struct source_listener *l = s->source->listener;

	*r->link = r->next;
	if (r->next != NULL)
		r->next->link = r->link;
	s->removing--;
	l->removed(l->owner, r->ticket, how, e);
	free(r->key);
	free(r->match);
	free(r->found);
	free(r->refused);
	free(r);
}

static void
failed(struct s3_removal *r, const struct aws_call *c, const char *doing,
       const char *right)
{
	struct err e;

	s3_complain(r->of, c, doing, r->object->key, right, &e);
	s3_removal_end(r, REMOVAL_FAILED, &e);
}

void
s3_removal_failed(struct s3_removal *r, const struct aws_call *c)
{
	failed(r, c, "delete", r->found || r->version->id
	       ? "s3:DeleteObjectVersion" : "s3:DeleteObject");
}

/* c may have deleted it, or may not; c had no condition. */
void
s3_removal_unclear(struct s3_removal *r, const struct aws_call *c)
{
	if (c->result == AWS_CANCELLED || c->err.kind == ERR_STOP ||
	    ++r->tries == TRIES_MAX)
		s3_removal_failed(r, c);
	else
		s3_removal_look(r);
}

static void
on_deleted(struct aws_call *c)
{
	struct s3_removal *r = c->owner;

	s3_heard(r->of, c);
	/* 404: a DELETE whose answer was lost, or somebody else's. */
	if (c->result == AWS_OK ||
	    (c->status == 404 && strcmp(c->code, "NoSuchBucket") != 0))
		s3_removal_end(r, REMOVAL_OK, NULL);
	else if (c->status == 412 || c->status == 409)
		s3_removal_end(r, REMOVAL_CHANGED, NULL);
	else if (c->once && c->result == AWS_FAILED)
		s3_removal_unclear(r, c);
	else
		s3_removal_failed(r, c);
}

/* The version that has the id "null" is replaced in place, like any object of a
 * bucket without versions. */
static bool
is_own_version(const char *id)
{
	return id != NULL && strcmp(id, NULL_VERSION) != 0;
}

/* id NULL: the object as it is; match: only if it has that ETag. */
static void
start_delete(struct s3_removal *r, const char *id, bool match)
{
	r->call = (struct aws_call){
		.method = "DELETE", .bucket = r->of->bucket, .key = r->key,
		.done = on_deleted, .owner = r,
		.expected = AWS_LENGTH_UNKNOWN,
	};
	if (id != NULL)
		r->call.query[r->call.query_n++] =
			(struct sigv4_pair){ "versionId", id };
	if (match)
		r->call.headers[r->call.headers_n++] =
			(struct sigv4_pair){ "if-match", r->match };
	r->call.once = !is_own_version(id) &&
		       !(match && r->of->conditional == CONDITIONAL_HONOURED);
	aws_start(r->of->aws, &r->call);
}

void
s3_removal_delete(struct s3_removal *r)
{
	start_delete(r, r->found, r->found == NULL &&
		     r->of->conditional != CONDITIONAL_IGNORED);
}

static bool
same_etag(const char *quoted, const char *etag)
{
	size_t n = strlen(etag);

	return quoted != NULL && (strcmp(quoted, etag) == 0 ||
	       (quoted[0] == '"' && strncmp(quoted + 1, etag, n) == 0 &&
		strcmp(quoted + 1 + n, "\"") == 0));
}

static void
on_looked(struct aws_call *c)
{
	struct s3_removal *r = c->owner;
	const char *id;

	s3_heard(r->of, c);
	if (c->status == 404) {
		s3_removal_end(r, REMOVAL_OK, NULL);
		return;
	}
	if (c->result != AWS_OK) {
		failed(r, c, "look at", "s3:GetObject");
		return;
	}
	if (!same_etag(aws_header(c, "etag"), r->version->etag)) {
		s3_removal_end(r, REMOVAL_CHANGED, NULL);
		return;
	}
	id = aws_header(c, "x-amz-version-id");
	if (id == NULL && r->of->versioned)
		id = NULL_VERSION;
	free(r->found);		/* of a look before */
	r->found = id != NULL ? mem_strdup(id) : NULL;
	s3_removal_delete(r);
}

void
s3_removal_look(struct s3_removal *r)
{
	r->call = (struct aws_call){
		.method = "HEAD", .bucket = r->of->bucket, .key = r->key,
		.done = on_looked, .owner = r,
		.expected = AWS_LENGTH_UNKNOWN,
	};
	aws_start(r->of->aws, &r->call);
}

static void
start(struct s3_removal *r)
{
	struct source_s3 *s = r->of;

	if (is_own_version(r->version->id)) {
		start_delete(r, r->version->id, false);
	} else if (r->object->known || s->versioned ||
		   r->version->id != NULL ||
		   s->conditional == CONDITIONAL_UNSURE) {
		s3_removal_look(r);
	} else if (s->conditional == CONDITIONAL_IGNORED) {
		r->waits = s->waiting;
		s->waiting = r;
		s->waiting_n++;
	} else {
		start_delete(r, NULL, true);
	}
}

static void
tell_ignored(const struct source_s3 *s)
{
	const struct source_listener *l = s->source->listener;

	if (l->first(l->owner, "If-Match"))
		log_problem("%s: warning: the server does not honour If-Match "
			    "with DELETE: each object is looked at again "
			    "before it is deleted; said once",
			    s->source->settings->url);
}

/* All that waited to know what this bucket is. */
static void
start_all(struct source_s3 *s)
{
	for (struct s3_removal *r = s->removals, *next; r != NULL; r = next) {
		next = r->next;
		if (r->call.method == NULL && !is_own_version(r->version->id))
			start(r);
	}
}

static void
probed(struct source_s3 *s, enum conditional answer)
{
	s->conditional = answer;
	if (answer == CONDITIONAL_IGNORED)
		tell_ignored(s);
	start_all(s);
}

/* The same without a condition: what does a missing key alone give? */
static void
on_probed_again(struct aws_call *c)
{
	struct source_s3 *s = c->owner;

	s3_heard(s, c);
	if (c->result != AWS_CANCELLED)
		probed(s, c->result == AWS_OK ? CONDITIONAL_HONOURED
					      : CONDITIONAL_UNSURE);
}

static void
start_probe(struct source_s3 *s, bool condition,
	    void (*done)(struct aws_call *c))
{
	if (s->probe_key == NULL)
		s->probe_key = bucket_free_key(s->prefix);
	s->probe = (struct aws_call){
		.method = "DELETE", .bucket = s->bucket, .key = s->probe_key,
		.headers = { { "if-match", BUCKET_NO_ETAG } },
		.headers_n = condition,
		.done = done, .owner = s, .expected = AWS_LENGTH_UNKNOWN,
	};
	aws_start(s->aws, &s->probe);
}

static void
on_probed(struct aws_call *c)
{
	struct source_s3 *s = c->owner;

	s3_heard(s, c);
	if (c->result == AWS_CANCELLED)
		return;
	if (c->status == 404)	/* S3's; and of some who did not look */
		start_probe(s, false, on_probed_again);
	else if (c->result == AWS_OK || c->status == 501)
		probed(s, CONDITIONAL_IGNORED);
	else
		probed(s, c->status == 412 ? CONDITIONAL_HONOURED
					   : CONDITIONAL_UNSURE);
}

static int
on_versioning_begin(struct aws_call *c, struct err *e)
{
	struct source_s3 *s = c->owner;

	(void)e;
	buf_clear(&s->probe_body);
	return 0;
}

static int
on_versioning_data(struct aws_call *c, const void *data, size_t n,
		   struct err *e)
{
	struct source_s3 *s = c->owner;

	buf_add(&s->probe_body, data, n);
	return s->probe_body.cut ? err_set(e, ERR_TEMP, "too much for what "
					   "was asked") : 0;
}

/* Whoever may not ask is not told; on AWS each answer to a GET tells, too, and
 * has perhaps. */
static void
on_versioning(struct aws_call *c)
{
	struct source_s3 *s = c->owner;

	s3_heard(s, c);
	if (c->result == AWS_CANCELLED)
		return;
	s->versioned |= c->result == AWS_OK && s->probe_body.data != NULL &&
			strstr(s->probe_body.data, "<Status>") != NULL;
	/* Never in a bucket with versions: it would leave a delete marker. */
	if (!s->versioned) {
		start_probe(s, true, on_probed);
		return;
	}
	s->conditional = CONDITIONAL_IGNORED;
	start_all(s);
}

static void
ask_versioning(struct source_s3 *s)
{
	buf_init(&s->probe_body, 4096);
	s->conditional = CONDITIONAL_ASKED;
	s->probe = (struct aws_call){
		.method = "GET", .bucket = s->bucket,
		.query = { { "versioning", "" } }, .query_n = 1,
		.begin = on_versioning_begin, .data = on_versioning_data,
		.done = on_versioning, .owner = s, .xml = true,
		.expected = AWS_LENGTH_UNKNOWN,
	};
	aws_start(s->aws, &s->probe);
}

void
s3_remove(struct source *source, const struct object *o,
	  const struct version *v, void *ticket)
{
	struct source_s3 *s = source->own;
	struct s3_removal *r = mem_alloc(sizeof(*r));
	size_t key = strlen(s->prefix) + strlen(o->key) + 1;
	size_t match = strlen(v->etag) + 3;

	r->of = s;
	r->ticket = ticket;
	r->object = o;
	r->version = v;
	r->key = mem_alloc(key);
	snprintf(r->key, key, "%s%s", s->prefix, o->key);
	r->match = mem_alloc(match);
	snprintf(r->match, match, "\"%s\"", v->etag);
	r->next = s->removals;
	r->link = &s->removals;
	if (r->next != NULL)
		r->next->link = &r->next;
	s->removals = r;
	s->removing++;
	s->versioned |= v->id != NULL;
	if (is_own_version(v->id) || s->conditional > CONDITIONAL_ASKED)
		start(r);
	else if (s->conditional == CONDITIONAL_UNKNOWN)
		ask_versioning(s);
}

void
s3_finish(struct source *source)
{
	struct source_s3 *s = source->own;

	double end = clock_monotonic() + STOP_SECONDS;

	while (s->removing > 0) {
		s3_round_due(s, true);
		if (s3_drive(s, NULL, 0, 1000) < 0)
			break;
		if (!s3_stopping(s))
			end = clock_monotonic() + STOP_SECONDS;
		else if (clock_monotonic() >= end)
			break;
	}
}

void
s3_removals_free(struct source_s3 *s)
{
	struct err e;

	err_set(&e, ERR_TEMP, "the run ended before it was deleted");
	while (s->removals != NULL)
		s3_removal_end(s->removals, REMOVAL_FAILED, &e);
	free(s->probe_key);
	buf_free(&s->probe_body);
}
