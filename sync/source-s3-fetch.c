#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "engine-private.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "source-s3.h"

/*
 * GETs ahead of the engine, answers kept in the order of the listing. A GET
 * asks for the ETag that was listed; what comes must have the listed size, that
 * ETag, and every checksum that the answer names.
 */

#define ROOM_LEFT ((uint64_t)32 << 20)	/* of the disk, for the ledger and
					 * whoever shares it */

static bool
is_large(const struct slot *t)
{
	return t->object.size > SPOOL_MEMORY_MAX;
}

/* What lies in a bucket may be no mail, and larger than the disk. */
static int
find_room(const struct slot *t, struct err *e)
{
	const char *dir = t->of->source->spool_dir;
	const uint64_t size = t->object.size;
	struct statvfs v;
	uint64_t room;

	if (dir == NULL || statvfs(dir, &v) < 0)
		return 0;
	room = (uint64_t)v.f_bavail * v.f_frsize;
	if (room >= ROOM_LEFT && size <= room - ROOM_LEFT)
		return 0;
	return err_set(e, ERR_TEMP, "it has %llu MiB, and there is no room for "
		       "it in %s (%llu MiB are free)",
		       (unsigned long long)(size >> 20), dir,
		       (unsigned long long)(room >> 20));
}

static int
on_begin(struct aws_call *c, struct err *e)
{
	struct slot *t = c->owner;
	const char *etag = aws_header(c, "etag");

	t->size = 0;
	if (aws_header(c, "x-amz-meta-x-amz-key-v2") != NULL ||
	    aws_header(c, "x-amz-meta-x-amz-key") != NULL)
		return err_set(e, ERR_PERM, "it is encrypted by the S3 action "
			       "of the SES rule (KMS key), which this version "
			       "cannot read: it stays; take the key out of "
			       "the rule");
	if (etag == NULL || strcmp(etag, t->match) != 0)
		return err_set(e, ERR_TEMP, "the answer has the ETag %s, "
			       "asked for was %s",
			       etag ? text_show(etag) : "(none)", t->match);
	checksum_begin(&t->sum, c->answer);
	if (!is_large(t)) {
		if (t->data == NULL)
			t->data = mem_grow(NULL, (size_t)t->object.size + 1, 1);
		return 0;
	}
	if (t->spooler == NULL) {
		t->spooler = mem_alloc(sizeof(*t->spooler));
		t->spooler->dir = t->of->source->spool_dir;
		t->spooler->verbatim = t->of->source->settings->verbatim;
	}
	spool_cancel(t->spooler);
	if (find_room(t, e) < 0)
		return -1;
	return spool_begin(t->spooler, t->object.size, e);
}

static int
on_data(struct aws_call *c, const void *data, size_t n, struct err *e)
{
	struct slot *t = c->owner;

	if (n > t->object.size - t->size)
		return err_set(e, ERR_TEMP, "more bytes came than the listing "
			       "says (%llu)",
			       (unsigned long long)t->object.size);
	checksum_add(&t->sum, data, n);
	if (is_large(t)) {
		if (spool_add(t->spooler, data, n, e) < 0)
			return -1;
	} else {
		memcpy(t->data + t->size, data, n);
	}
	t->size += n;
	return 0;
}

static int
on_finish(struct aws_call *c, struct err *e)
{
	struct slot *t = c->owner;

	if (t->size != t->object.size)
		return err_set(e, ERR_TEMP, "%llu bytes came, the listing "
			       "says %llu", (unsigned long long)t->size,
			       (unsigned long long)t->object.size);
	return checksum_end(&t->sum, e);
}

static void
keep_version(struct slot *t)
{
	const char *id = aws_header(&t->call, "x-amz-version-id");

	if (id != NULL && *id != '\0')
		t->version = mem_strdup(id);
}

/* Since it was listed: the next run lists it. A server that always says so
 * compares another ETag than it lists. */
static void
replaced(struct slot *t)
{
	const struct source_listener *l = t->of->source->listener;
	char what[S3_KEY_MAX + ETAG_MAX + 8];

	snprintf(what, sizeof(what), "412 %s %s", t->match, t->object.key);
	t->result = FETCH_BUSY;
	if (t->of->source->spool_dir == NULL || l->first(l->owner, what))
		return;
	t->result = FETCH_FAILED;
	err_set(&t->err, ERR_TEMP, "cannot get %s: the server says again that "
		"it has not the ETag %s that it lists",
		text_show(t->object.key), t->match);
}

static void
on_got(struct aws_call *c)
{
	struct slot *t = c->owner;

	t->state = SLOT_READY;
	s3_heard(t->of, c);
	if (c->result == AWS_OK) {
		t->result = FETCH_OK;
		keep_version(t);
		if (is_large(t) &&
		    spool_end(t->spooler, &t->spool, &t->err) < 0)
			t->result = FETCH_FAILED;
	} else if (c->status == 404 && strcmp(c->code, "NoSuchBucket") != 0) {
		t->result = FETCH_GONE;
	} else if (c->status == 412) {
		replaced(t);
	} else {
		t->result = FETCH_FAILED;
		s3_complain(t->of, c, "get", t->object.key, "s3:GetObject",
			    &t->err);
		/* No keys, no trust: for all of this source, and no other. */
		if (c->result == AWS_FAILED && t->err.kind == ERR_STOP) {
			t->of->broken = true;
			t->of->err = t->err;
		}
		t->err.kind = ERR_TEMP;
	}
}

static void
start_get(struct slot *t)
{
	t->state = SLOT_GETTING;
	t->call = (struct aws_call){
		.method = "GET", .bucket = t->of->bucket, .key = t->key,
		.headers = {
			{ "if-match", t->match },
			{ "x-amz-checksum-mode", "ENABLED" },
		},
		.headers_n = 2,
		.begin = on_begin, .data = on_data, .finish = on_finish,
		.done = on_got, .owner = t, .expected = t->object.size,
	};
	aws_start(t->of->aws, &t->call);
}

static char *
join(const char *a, const char *b, const char *c)
{
	size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
	char *s = mem_alloc(n);

	snprintf(s, n, "%s%s%s", a, b, c);
	return s;
}

static bool
is_wanted(const struct source_s3 *s, const struct object *o)
{
	const struct source_listener *l = s->source->listener;

	return l->wanted(l->owner, o);
}

void
s3_slot_add(struct source_s3 *s, const struct s3_object *o)
{
	struct slot *t = mem_alloc(sizeof(*t));

	t->of = s;
	t->spool.fd = -1;
	t->key = join(s->prefix, o->key, "");
	t->match = join("\"", o->etag, "\"");
	t->object = (struct object){
		.key = t->key + strlen(s->prefix),
		.etag = mem_strdup(o->etag), .size = o->size,
		.mtime = o->mtime, .mtime_ns = o->mtime_ns,
	};
	*s->last = t;
	s->last = &t->next;
	s->slots++;
	t->state = SLOT_READY;
	if (strlen(t->key) > S3_KEY_MAX || strlen(o->etag) >= ETAG_MAX) {
		t->result = FETCH_FAILED;
		err_set(&t->err, ERR_PERM, "the key or ETag of %s is too long",
			text_show(t->object.key));
		return;
	}
	t->object.known = !is_wanted(s, &t->object);
	if (t->object.known || o->size == 0 || engine_is_no_mail(&t->object)) {
		t->state = SLOT_UNWANTED;
		return;
	}
	t->reserved = o->size;
	s->bytes += t->reserved;
	start_get(t);
}

void
s3_slot_free(struct slot *t)
{
	struct source_s3 *s = t->of;

	s->bytes -= t->reserved;
	s->slots--;
	if (t->spooler != NULL) {
		spool_cancel(t->spooler);
		spooler_free(t->spooler);
		free(t->spooler);
	}
	fsio_close(&t->spool.fd);
	checksum_free(&t->sum);
	free((char *)(size_t)t->object.etag);
	free(t->data);
	free(t->key);
	free(t->match);
	free(t->version);
	free(t);
}

/* The whole object, from memory into a spool. */
static enum fetch
spool_small(struct slot *t, struct spooler *sp, struct spool *r_r,
	    struct err *e)
{
	if (spool_begin(sp, t->size, e) == 0 &&
	    spool_add(sp, t->data, (size_t)t->size, e) == 0 &&
	    spool_end(sp, r_r, e) == 0)
		return FETCH_OK;
	spool_cancel(sp);
	return FETCH_FAILED;
}

static enum fetch
hand_over(struct slot *t, struct spooler *sp, struct spool *r_r,
	  struct version *v_r, struct err *e)
{
	*e = t->err;
	if (t->result != FETCH_OK)
		return t->result;
	*v_r = (struct version){ .id = t->version };
	snprintf(v_r->etag, sizeof(v_r->etag), "%s", t->object.etag);
	if (!is_large(t))
		return spool_small(t, sp, r_r, e);
	*r_r = t->spool;
	t->spool.fd = -1;
	return FETCH_OK;
}

enum fetch
s3_fetch(struct source *source, const struct object *o, struct spooler *sp,
	 struct spool *r_r, struct version *v_r, struct err *e)
{
	struct source_s3 *s = source->own;
	struct slot *t = s->handed;

	(void)o;
	if (t->state == SLOT_UNWANTED)	/* an empty one */
		start_get(t);
	while (t->state == SLOT_GETTING)
		if (s3_stopping(s)) {
			return FETCH_BUSY;
		} else if (s3_drive(s, NULL, 0, 1000) < 0) {
			*e = s->err;
			e->kind = ERR_TEMP;
			return FETCH_FAILED;
		}
	return hand_over(t, sp, r_r, v_r, e);
}
