#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "payload.h"

#define CHUNK ((size_t)65536)
/* 8 MiB: RFC 8878, 3.1.1.1.2, and what level 19 takes. */
#define WINDOW_LOG_MAX 23
#define KEPT 16		/* contexts: a level 3 has about 1 MiB */

struct packer {
	pthread_mutex_t lock;
	ZSTD_CCtx *free[KEPT];
	size_t n;
};

struct packer *
packer_new(void)
{
	struct packer *k = mem_alloc(sizeof(*k));

	*k = (struct packer){ .n = 0 };
	pthread_mutex_init(&k->lock, NULL);
	return k;
}

void
packer_free(struct packer *k)
{
	if (k == NULL)
		return;
	while (k->n > 0)
		ZSTD_freeCCtx(k->free[--k->n]);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static ZSTD_CCtx *
take_context(struct packer *k)
{
	ZSTD_CCtx *c = NULL;

	pthread_mutex_lock(&k->lock);
	if (k->n > 0)
		c = k->free[--k->n];
	pthread_mutex_unlock(&k->lock);
	return c != NULL ? c : ZSTD_createCCtx();
}

static void
give_context(struct packer *k, ZSTD_CCtx *c)
{
	pthread_mutex_lock(&k->lock);
	if (k->n < KEPT) {
		k->free[k->n++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&k->lock);
	ZSTD_freeCCtx(c);
}

/* A message on its way, and the hash of what was taken of it. */
struct walk {
	const struct payload_source *from;
	size_t piece;
	uint64_t at;		/* in the file */
	uint8_t *chunk;
	struct hash hash;
};

static void
walk_begin(struct walk *w, const struct payload_source *s)
{
	*w = (struct walk){ .from = s, .hash = { .ctx = NULL } };
	hash_begin(&w->hash);
}

static void
walk_end(struct walk *w, uint8_t hash[HASH_SIZE])
{
	hash_end(&w->hash, hash);
	hash_free(&w->hash);
	free(w->chunk);
}

static ssize_t
walk_file(struct walk *w, const void **data_r)
{
	const struct payload_source *s = w->from;
	const uint64_t left = s->file_n - w->at;
	const size_t n = left < CHUNK ? (size_t)left : CHUNK;
	ssize_t got;

	if (w->chunk == NULL)
		w->chunk = mem_alloc(CHUNK);
	got = fsio_pread(s->file, w->chunk, n, (off_t)w->at);
	if (got >= 0 && (size_t)got < n) {
		errno = EIO;	/* somebody has cut it */
		got = -1;
	}
	w->at += n;
	*data_r = w->chunk;
	return got;
}

/* The next part. Bytes, 0: that was all, -1 with errno. */
static ssize_t
walk_next(struct walk *w, const void **data_r)
{
	const struct payload_source *s = w->from;
	ssize_t n = 0;

	while (n == 0 && w->piece < s->pieces_n) {
		*data_r = s->pieces[w->piece].data;
		n = (ssize_t)s->pieces[w->piece++].n;
	}
	if (n == 0 && w->at < s->file_n)
		n = walk_file(w, data_r);
	if (n > 0)
		hash_add(&w->hash, *data_r, (size_t)n);
	return n;
}

/* What is in `in` to the end of it, or of the frame. False: it does not fit. */
static bool
press_part(ZSTD_CCtx *c, ZSTD_outBuffer *to, const void *data, size_t n)
{
	ZSTD_inBuffer in = { .src = data, .size = n };
	size_t left;

	do {
		left = ZSTD_compressStream2(c, to, &in, n > 0 ?
			ZSTD_e_continue : ZSTD_e_end);
		if (ZSTD_isError(left) || to->pos == to->size)
			return false;
	} while (n > 0 ? in.pos < in.size : left > 0);
	return true;
}

/* All of it, packed. 1: done; 0: it does not become smaller; -1 with errno. */
static int
press(ZSTD_CCtx *c, int level, const struct payload_source *s,
      struct payload *p)
{
	ZSTD_outBuffer to = { .dst = p->stored, .size = p->raw_n };
	const void *data = NULL;
	struct walk w;
	bool fits = true;
	ssize_t n;

	ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setPledgedSrcSize(c, p->raw_n);
	walk_begin(&w, s);
	while (fits && (n = walk_next(&w, &data)) > 0)
		fits = press_part(c, &to, data, (size_t)n);
	if (fits && n == 0)
		fits = press_part(c, &to, NULL, 0);
	walk_end(&w, p->hash);
	p->stored_n = to.pos;
	p->packing = FORMAT_ZSTD;
	return !fits ? 0 : n < 0 ? -1 : 1;
}

static int
lay_plain(const struct payload_source *s, struct payload *p)
{
	const void *data;
	struct walk w;
	ssize_t n;

	p->stored_n = 0;
	p->packing = FORMAT_PLAIN;
	walk_begin(&w, s);
	while ((n = walk_next(&w, &data)) > 0) {
		memcpy(p->stored + p->stored_n, data, (size_t)n);
		p->stored_n += (size_t)n;
	}
	walk_end(&w, p->hash);
	return n < 0 ? -1 : 0;
}

static int
pack(struct packer *k, int level, const struct payload_source *s,
     struct payload *p)
{
	ZSTD_CCtx *c = level > 0 && p->raw_n > 0 ? take_context(k) : NULL;
	int ret = 0;

	if (c != NULL) {
		ret = press(c, level, s, p);
		give_context(k, c);
	}
	return ret == 0 ? lay_plain(s, p) : ret;
}

static int
measure(const struct payload_source *s, struct payload *p, struct err *e)
{
	uint64_t left = FORMAT_RAW_MAX;
	bool fits = s->file_n <= left;

	left -= fits ? s->file_n : 0;
	for (size_t i = 0; i < s->pieces_n && fits; i++) {
		fits = s->pieces[i].n <= left;
		left -= fits ? s->pieces[i].n : 0;
	}
	p->raw_n = (size_t)(FORMAT_RAW_MAX - left);
	return fits ? 0 : err_set(e, ERR_PERM, "cannot archive more than %"
				  PRIu64 " MiB in one message",
				  FORMAT_RAW_MAX >> 20);
}

int
payload_pack(struct packer *k, int level, const struct payload_source *s,
	     struct payload *p_r, struct err *e)
{
	struct payload p = { .raw_n = 0 };

	if (measure(s, &p, e) < 0)
		return -1;
	/* Zeroed pages that nobody touches cost nothing. */
	p.stored = mem_alloc(p.raw_n + 1);
	if (pack(k, level, s, &p) < 0) {
		err_errno(e, "cannot read the message again");
		free(p.stored);
		return -1;
	}
	*p_r = p;
	return 0;
}

struct payload_reader {
	int fd;
	uint64_t at, stored_left, raw_left;
	enum format_packing packing;
	uint8_t expected[HASH_SIZE];
	struct hash hash;
	ZSTD_DCtx *context;
	bool frame_ended;
	ZSTD_inBuffer in;
	uint8_t stored[CHUNK], raw[CHUNK];
};

/* The last one that was closed. Making one costs more than reading a small
 * message: zstd asks the CPU what it can do, which a virtual one is slow to
 * answer. */
static _Atomic(struct payload_reader *) spare;

static struct payload_reader *
take_reader(void)
{
	struct payload_reader *p = atomic_exchange(&spare, NULL);

	return p != NULL ? p : mem_alloc(sizeof(*p));
}

static void
use_context(struct payload_reader *p)
{
	if (p->context == NULL) {
		p->context = ZSTD_createDCtx();
		if (p->context == NULL)
			abort();
		ZSTD_DCtx_setParameter(p->context, ZSTD_d_windowLogMax,
				       WINDOW_LOG_MAX);
	}
	ZSTD_DCtx_reset(p->context, ZSTD_reset_session_only);
	p->frame_ended = false;
	p->in = (ZSTD_inBuffer){ NULL, 0, 0 };
}

struct payload_reader *
payload_open(int fd, const struct format_record *r)
{
	struct payload_reader *p = take_reader();

	p->fd = fd;
	p->at = r->place.offset + FORMAT_RECORD_HEADER + r->metadata_n;
	p->stored_left = r->stored_n;
	p->raw_left = r->raw_n;
	p->packing = r->packing;
	memcpy(p->expected, r->payload_hash, HASH_SIZE);
	hash_begin(&p->hash);
	if (p->packing == FORMAT_ZSTD)
		use_context(p);
	return p;
}

void
payload_close(struct payload_reader *p)
{
	if (p == NULL || (p = atomic_exchange(&spare, p)) == NULL)
		return;
	ZSTD_freeDCtx(p->context);
	hash_free(&p->hash);
	free(p);
}

/* The next stored bytes. Bytes, 0 at the end, -1. */
static ssize_t
fill(struct payload_reader *p, struct err *e)
{
	const size_t n = p->stored_left < CHUNK ? (size_t)p->stored_left
			 : CHUNK;
	ssize_t got = fsio_pread(p->fd, p->stored, n, (off_t)p->at);

	if (got < 0)
		return err_errno(e, "cannot read the payload");
	if ((size_t)got < n)
		return err_set(e, ERR_PERM, "the payload is cut");
	p->at += n;
	p->stored_left -= n;
	return got;
}

static ssize_t
next_plain(struct payload_reader *p, struct err *e)
{
	ssize_t got = fill(p, e);

	if (got > 0)
		memcpy(p->raw, p->stored, (size_t)got);
	return got;
}

/* One step of zstd; 0 at the end of its frame, which must be that of the
 * stored bytes. */
static ssize_t
next_packed(struct payload_reader *p, struct err *e)
{
	ZSTD_outBuffer out = { .dst = p->raw, .size = CHUNK };

	while (!p->frame_ended && out.pos == 0) {
		size_t left;

		if (p->in.pos == p->in.size) {
			ssize_t got = fill(p, e);

			if (got < 0)
				return -1;
			p->in = (ZSTD_inBuffer){ p->stored, (size_t)got, 0 };
		}
		if (p->in.size == 0)
			return err_set(e, ERR_PERM, "the payload does not end");
		left = ZSTD_decompressStream(p->context, &out, &p->in);
		if (ZSTD_isError(left))
			return err_set(e, ERR_PERM, "the payload cannot be "
				       "unpacked: %s", ZSTD_getErrorName(left));
		p->frame_ended = left == 0;
	}
	if (p->frame_ended && (p->stored_left > 0 || p->in.pos < p->in.size))
		return err_set(e, ERR_PERM, "something stands behind the "
			       "payload");
	return (ssize_t)out.pos;
}

static ssize_t
finish(struct payload_reader *p, struct err *e)
{
	uint8_t hash[HASH_SIZE];

	if (p->raw_left > 0)
		return err_set(e, ERR_PERM, "the payload is %" PRIu64 " bytes "
			       "too short", p->raw_left);
	hash_end(&p->hash, hash);
	hash_begin(&p->hash);
	if (memcmp(hash, p->expected, HASH_SIZE) != 0)
		return err_set(e, ERR_PERM, "the payload has another hash");
	return 0;
}

ssize_t
payload_next(struct payload_reader *p, const void **data_r, struct err *e)
{
	ssize_t got = p->packing == FORMAT_ZSTD ? next_packed(p, e)
		      : next_plain(p, e);

	if (got == 0)
		return finish(p, e);
	if (got < 0)
		return -1;
	if ((uint64_t)got > p->raw_left)
		return err_set(e, ERR_PERM, "the payload is longer than its "
			       "record says");
	p->raw_left -= (uint64_t)got;
	hash_add(&p->hash, p->raw, (size_t)got);
	*data_r = p->raw;
	return got;
}
