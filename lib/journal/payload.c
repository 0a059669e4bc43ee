#include <config.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "payload.h"

#define CHUNK ((size_t)65536)
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

/* All pieces into out, which has room for raw_n bytes. Bytes, or 0: they do
 * not fit, so packing is no use. */
static size_t
press(ZSTD_CCtx *c, int level, const struct payload_piece *all, size_t n,
      size_t raw_n, uint8_t *out)
{
	ZSTD_outBuffer to = { .dst = out, .size = raw_n };

	ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setPledgedSrcSize(c, raw_n);
	for (size_t i = 0; i <= n; i++) {
		ZSTD_inBuffer from = { .src = i < n ? all[i].data : NULL,
				       .size = i < n ? all[i].n : 0 };
		size_t left;

		do {
			left = ZSTD_compressStream2(c, &to, &from, i < n ?
				ZSTD_e_continue : ZSTD_e_end);
			if (ZSTD_isError(left) || to.pos == to.size)
				return 0;
		} while (i < n ? from.pos < from.size : left > 0);
	}
	return to.pos;
}

static void
lay_plain(const struct payload_piece *all, size_t n, struct payload *p)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (all[i].n > 0)
			memcpy(p->stored + at, all[i].data, all[i].n);
		at += all[i].n;
	}
	p->stored_n = at;
	p->packing = FORMAT_PLAIN;
}

static void
pack(struct packer *k, int level, const struct payload_piece *all, size_t n,
     struct payload *p)
{
	ZSTD_CCtx *c = level > 0 && p->raw_n > 0 ? take_context(k) : NULL;

	p->packing = FORMAT_ZSTD;
	p->stored_n = c ? press(c, level, all, n, p->raw_n, p->stored) : 0;
	if (p->stored_n == 0)
		lay_plain(all, n, p);
	if (c != NULL)
		give_context(k, c);
}

int
payload_pack(struct packer *k, int level, const struct payload_piece *all,
	     size_t n, struct payload *p_r, struct err *e)
{
	struct hash h = { .ctx = NULL };
	struct payload p = { .raw_n = 0 };

	for (size_t i = 0; i < n; i++) {
		if (all[i].n > FORMAT_RAW_MAX - p.raw_n)
			return err_set(e, ERR_PERM, "cannot archive more than "
				       "%" PRIu64 " MiB in one message",
				       FORMAT_RAW_MAX >> 20);
		p.raw_n += all[i].n;
	}
	hash_begin(&h);
	for (size_t i = 0; i < n; i++)
		hash_add(&h, all[i].data, all[i].n);
	hash_end(&h, p.hash);
	hash_free(&h);
	/* Zeroed pages that nobody touches cost nothing. */
	p.stored = mem_alloc(p.raw_n + 1);
	pack(k, level, all, n, &p);
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

struct payload_reader *
payload_open(int fd, const struct format_record *r)
{
	struct payload_reader *p = mem_alloc(sizeof(*p));

	p->fd = fd;
	p->at = r->place.offset + FORMAT_RECORD_HEADER + r->metadata_n;
	p->stored_left = r->stored_n;
	p->raw_left = r->raw_n;
	p->packing = r->packing;
	memcpy(p->expected, r->payload_hash, HASH_SIZE);
	hash_begin(&p->hash);
	if (p->packing == FORMAT_ZSTD)
		p->context = ZSTD_createDCtx();
	return p;
}

void
payload_close(struct payload_reader *p)
{
	if (p == NULL)
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
