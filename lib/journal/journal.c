#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal-private.h"
#include "lib/base/arena.h"
#include "lib/base/crc.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

#define MIB ((uint64_t)1 << 20)
#define HELD_MAX (256 * MIB)
#define DAY_US ((int64_t)86400 * 1000000)

static struct journal_options
complete(const struct journal_options *o)
{
	struct journal_options r = *o;

	r.level = r.level == 0 ? 3 : r.level < 0 ? 0
		  : r.level > PAYLOAD_LEVEL_MAX ? PAYLOAD_LEVEL_MAX : r.level;
	if (r.segment_bytes == 0 || r.segment_bytes > 64 * MIB)
		r.segment_bytes = 64 * MIB;
	if (r.segment_age_us == 0)
		r.segment_age_us = DAY_US;
	if (r.free_bytes == 0)
		r.free_bytes = 256 * MIB;
	if (r.lock_wait_ms == 0)
		r.lock_wait_ms = 10000;
	return r;
}

static int
code_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return EX_CONFIG;
	case EACCES:
	case EPERM:
	case EROFS:
		return EX_NOPERM;
	default:
		return EX_IOERR;
	}
}

static int
open_archive(struct journal *j, struct err *e)
{
	int ret = grow_open(j, e);

	if (ret < 0) {
		e->kind = ERR_STOP;
		e->code = code_of(errno);
		return -1;
	}
	if (grow_lock(j, e) < 0)
		return -1;
	ret = grow_find_end(j, e);
	grow_unlock(j);
	if (ret < 0 && e->kind == ERR_PERM) {
		e->kind = ERR_STOP;
		e->code = EX_DATAERR;
	}
	return ret;
}

int
journal_open(const char *dir, const struct journal_options *o,
	     struct journal **j_r, struct err *e)
{
	struct journal *j = mem_alloc(sizeof(*j));
	char shown[320];

	*j = (struct journal){ .dir = -1, .lock_fd = -1, .fd = -1,
			       .options = complete(o) };
	j->path = mem_strdup(dir);
	j->shown = mem_strdup(text_quote(shown, sizeof(shown), dir,
					 strlen(dir)));
	j->last = &j->first;
	j->packer = packer_new();
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->less_held, NULL);
	if (open_archive(j, e) < 0) {
		err_prefix(e, "cannot open the archive %s", shown);
		journal_close(j);
		return -1;
	}
	*j_r = j;
	return 0;
}

int
journal_seal(struct journal *j, int64_t now_us, struct err *e)
{
	int ret;

	if (!j->own || j->end == FORMAT_SEGMENT_HEADER)
		return 0;
	ret = grow_lock(j, e);
	if (ret == 0) {
		if (!grow_must_look(j))
			ret = grow_segment(j, now_us, e);
		grow_unlock(j);
	}
	if (ret == 0)
		return 0;
	fsio_close(&j->fd);	/* that of neither segment is to be believed */
	e->kind = ERR_TEMP;
	return err_prefix(e, "cannot seal the archive %s", j->shown);
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	grow_leave(j);
	fsio_close(&j->lock_fd);
	fsio_close(&j->dir);
	recent_free(&j->recent);
	packer_free(j->packer);
	pthread_cond_destroy(&j->less_held);
	pthread_mutex_destroy(&j->lock);
	free(j->path);
	free(j->shown);
	free(j);
}

static void
add_counts(struct journal *j, const struct waiter *first, size_t n)
{
	struct journal_counts *c = &j->counts;

	c->groups++;
	c->flushes = j->flushes;
	c->segments = j->segments;
	for (const struct waiter *w = first; n > 0; w = w->next, n--) {
		const struct format_record *r = &w->record;

		if (w->ret < 0) {
			c->failed++;
			continue;
		}
		c->messages += r->type == FORMAT_MESSAGE;
		c->again += r->type == FORMAT_AGAIN;
		c->raw_bytes += r->type == FORMAT_MESSAGE ? r->raw_n : 0;
		c->stored_bytes += r->stored_n;
	}
}

/* As many as one flush is to answer leave the queue, which begins with the
 * leader. Returns how many. */
static size_t
take_group(struct journal *j)
{
	struct waiter *w = j->first;
	uint64_t bytes = 0;
	size_t n = 0;

	while (w != NULL && n < JOURNAL_GROUP_MAX &&
	       (n == 0 || bytes + waiter_size(w) <
			  j->options.segment_bytes / 2)) {
		bytes += waiter_size(w);
		w = w->next;
		n++;
	}
	j->first = w;
	if (w == NULL)
		j->last = &j->first;
	return n;
}

/* Writes for those at the front of the queue. Whoever leads next is woken
 * first, and nobody while the lock is held, where he would only wait again. */
static void
lead(struct journal *j, struct waiter *self)
{
	struct waiter *after, *w, *next;
	size_t n;

	pthread_mutex_lock(&j->lock);
	n = take_group(j);
	pthread_mutex_unlock(&j->lock);
	group_commit(j, self, n);
	pthread_mutex_lock(&j->lock);
	add_counts(j, self, n);
	after = j->first;
	j->led = after != NULL;
	pthread_mutex_unlock(&j->lock);
	if (after != NULL) {
		after->leads = true;
		sem_post(&after->wake);
	}
	for (w = self->next; n > 1; w = next, n--) {
		next = w->next;		/* w ends when it is woken */
		sem_post(&w->wake);
	}
}

static void
sleep_until_woken(sem_t *wake)
{
	while (sem_wait(wake) < 0)
		;	/* a signal */
}

static void
wait_in_queue(struct journal *j, struct waiter *w)
{
	bool first;

	sem_init(&w->wake, 0, 0);
	pthread_mutex_lock(&j->lock);
	*j->last = w;
	j->last = &w->next;
	first = !j->led;
	j->led = true;
	pthread_mutex_unlock(&j->lock);
	if (!first)
		sleep_until_woken(&w->wake);
	if (first || w->leads)
		lead(j, w);
	sem_destroy(&w->wake);
}

static int
append(struct journal *j, struct waiter *w, struct journal_receipt *r_r,
       struct err *e)
{
	struct hash h = { .ctx = NULL };
	struct format_record *r = &w->record;

	hash_begin(&h);
	hash_add(&h, w->metadata, (size_t)r->metadata_n);
	hash_end(&h, r->metadata_hash);
	hash_free(&h);
	memcpy(r->payload_hash, w->payload.hash, HASH_SIZE);
	r->raw_n = w->payload.raw_n;
	w->metadata_crc = (uint32_t)crc_add(CRC_32C, 0, w->metadata,
					    (size_t)r->metadata_n);
	w->data_crc = (uint32_t)crc_add(CRC_32C, w->metadata_crc,
					w->payload.stored,
					w->payload.stored_n);
	wait_in_queue(j, w);
	r_r->full = w->full;
	if (w->ret < 0) {
		*e = w->e;
		return -1;
	}
	format_id(r->place, r_r->id);
	r_r->again = r->type == FORMAT_AGAIN;
	if (r->first.segment != 0)
		format_id(r->first, r_r->first);
	return 0;
}

static int
check_metadata(size_t n, struct err *e)
{
	if (n <= FORMAT_METADATA_MAX)
		return 0;
	return err_set(e, ERR_PERM, "cannot archive %zu bytes of metadata: "
		       "expected at most %" PRIu64, n, FORMAT_METADATA_MAX);
}

/* What appends hold in memory: bytes before they are packed, as nobody knows
 * what is left of them. Who finds no room waits for that of others. */
static void
hold(struct journal *j, uint64_t n)
{
	pthread_mutex_lock(&j->lock);
	while (j->held > 0 && j->held + n > HELD_MAX)
		pthread_cond_wait(&j->less_held, &j->lock);
	j->held += n;
	pthread_mutex_unlock(&j->lock);
}

static void
let_go(struct journal *j, uint64_t n)
{
	pthread_mutex_lock(&j->lock);
	j->held -= n;
	pthread_cond_broadcast(&j->less_held);
	pthread_mutex_unlock(&j->lock);
}

static uint64_t
bytes_of(const struct journal_entry *m)
{
	uint64_t n = m->metadata_n + m->file_n;

	for (size_t i = 0; i < m->pieces_n; i++)
		n += m->pieces[i].n;
	return n;
}

int
journal_append(struct journal *j, const struct journal_entry *m,
	       struct journal_receipt *r_r, struct err *e)
{
	struct waiter w = { .metadata = m->metadata, .record = {
		.type = FORMAT_MESSAGE, .time_us = m->time_us,
		.metadata_n = m->metadata_n } };
	const struct payload_source message = {
		.pieces = m->pieces, .pieces_n = m->pieces_n,
		.file = m->file, .file_n = m->file_n };
	const uint64_t n = bytes_of(m);
	int ret;

	*r_r = (struct journal_receipt){ .full = false };
	if (m->key != NULL)
		memcpy(w.record.key, m->key, HASH_SIZE);
	if (check_metadata(m->metadata_n, e) < 0)
		return -1;
	hold(j, n);
	ret = payload_pack(j->packer, j->options.level, &message, &w.payload,
			   e);
	if (ret == 0)
		ret = append(j, &w, r_r, e);
	free(w.payload.stored);
	let_go(j, n);
	return ret;
}

int
journal_control(struct journal *j, int64_t time_us, const char *metadata,
		size_t metadata_n, struct journal_receipt *r_r, struct err *e)
{
	struct waiter w = { .metadata = metadata, .record = {
		.type = FORMAT_CONTROL, .time_us = time_us,
		.metadata_n = metadata_n } };
	const struct payload_source none = { .pieces_n = 0 };
	int ret;

	*r_r = (struct journal_receipt){ .full = false };
	if (check_metadata(metadata_n, e) < 0 ||
	    payload_pack(j->packer, 0, &none, &w.payload, e) < 0)
		return -1;
	ret = append(j, &w, r_r, e);
	free(w.payload.stored);
	return ret;
}

void
journal_count(struct journal *j, struct journal_counts *c_r)
{
	pthread_mutex_lock(&j->lock);
	*c_r = j->counts;
	pthread_mutex_unlock(&j->lock);
}

const char *
journal_found(const struct journal *j)
{
	return j->found;
}
