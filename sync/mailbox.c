#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "lib/base/text.h"
#include "mailbox.h"

#define ANSWER_MS ((DELIVERY_ALARM + 10) * 1000)
#define LIST_MAX ((off_t)256 << 20)	/* bytes of names: 2 million mails */

static int
gone(struct mailbox *m, struct err *e)
{
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_TEMP, "no answer for %d s: is its file "
			       "system there?", ANSWER_MS / 1000);
	return err_set(e, ERR_TEMP, "the deliverer of %s has ended", m->path);
}

int
mailbox_send(struct mailbox *m, const struct delivery_request *q,
	     const void *tail, size_t n, int fd, struct err *e)
{
	if (packet_send2(m->sock, q, sizeof(*q), tail, n, fd) < 0)
		return gone(m, e);
	return 0;
}

int
mailbox_receive(struct mailbox *m, enum delivery_op op, struct answer *w_r,
		int *fd_r, struct err *e)
{
	char text[sizeof(e->text)];
	ssize_t n = packet_receive(m->sock, w_r, sizeof(*w_r), fd_r,
				   ANSWER_MS);

	if (n <= 0) {
		errno = n == 0 ? EPIPE : errno;
		w_r->a.count = 0;
		w_r->a.status = DELIVERY_OK;
		return gone(m, e);
	}
	w_r->a.uuid[sizeof(w_r->a.uuid) - 1] = '\0';
	if ((size_t)n < sizeof(w_r->a) || w_r->a.op != (uint32_t)op ||
	    (size_t)n - sizeof(w_r->a) != w_r->a.count) {
		w_r->a.count = 0;
		w_r->a.status = DELIVERY_OK;
		return err_set(e, ERR_TEMP, "the deliverer of %s answers "
			       "nonsense", m->path);
	}
	if (w_r->a.status != DELIVERY_FAILED)
		return 0;
	/* It speaks for its user: nothing of it goes raw to a terminal. */
	text_quote(text, sizeof(text), w_r->a.text,
		   strnlen(w_r->a.text, sizeof(w_r->a.text)));
	return err_set(e, ERR_TEMP, "%s", text);
}

int
mailbox_ask(struct mailbox *m, enum delivery_op op, uint32_t flags,
	    struct answer *w_r, int *fd_r, struct err *e)
{
	struct delivery_request q = { .op = op, .flags = flags };

	if (mailbox_send(m, &q, NULL, 0, -1, e) < 0)
		return -1;
	return mailbox_receive(m, op, w_r, fd_r, e);
}

int
mailbox_mark(struct mailbox *m, const char *uuid, struct err *e)
{
	struct delivery_request q = { .op = DELIVERY_MARK };
	struct answer w;

	q.generation = 1 + (m->mark > m->row.generation ? m->mark
							: m->row.generation);
	memcpy(q.uuid, uuid, sizeof(q.uuid));
	if (mailbox_send(m, &q, NULL, 0, -1, e) < 0 ||
	    mailbox_receive(m, DELIVERY_MARK, &w, NULL, e) < 0)
		return -1;
	m->row.generation = q.generation;
	m->marked = m->touched = true;
	return 0;
}

int
mailbox_send_names(struct mailbox *m, enum delivery_op op,
		   const char *const *names, size_t n, struct err *e)
{
	struct delivery_request q = { .op = op, .count = (uint32_t)n };
	char tail[DELIVERY_BATCH_MAX * DELIVERY_NAME_MAX / 2];
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]) + 1;

		if (len > sizeof(tail) - at)
			return err_set(e, ERR_TEMP, "too many names");
		memcpy(tail + at, names[i], len);
		at += len;
	}
	return mailbox_send(m, &q, tail, at, -1, e);
}

int
mailbox_receive_names(struct mailbox *m, enum delivery_op op, size_t n,
		      struct answer *w_r, struct err *e)
{
	int r = mailbox_receive(m, op, w_r, NULL, e);

	if (r == 0 && w_r->a.count != n)
		return err_set(e, ERR_TEMP, "the deliverer of %s answers "
			       "nonsense", m->path);
	return r;
}

int
mailbox_names(struct mailbox *m, enum delivery_op op,
	      const char *const *names, size_t n, struct answer *w_r,
	      struct err *e)
{
	w_r->a.count = 0;
	if (mailbox_send_names(m, op, names, n, e) < 0)
		return -1;
	return mailbox_receive_names(m, op, n, w_r, e);
}

int
mailbox_start(struct mailbox *m, struct spawner *sp, uint32_t flags,
	      struct answer *w_r, struct err *e)
{
	struct delivery_request q = {
		.op = DELIVERY_HELLO, .flags = flags, .name = PACKAGE_VERSION,
	};

	if (spawner_start(sp, m->source, &m->target, &m->sock, e) < 0)
		return -1;
	if (mailbox_send(m, &q, NULL, 0, -1, e) == 0 &&
	    mailbox_receive(m, DELIVERY_HELLO, w_r, NULL, e) == 0)
		return 0;
	mailbox_close(m);
	return -1;
}

/* The id in "NAME", "n/NAME" or "c/NAME"; NULL for what is none of ours. */
static const char *
id_of(const char *name)
{
	const char *slash = strchr(name, '/');

	return delivery_name_id(slash ? slash + 1 : name);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(id_of(*(const char *const *)a),
		      id_of(*(const char *const *)b), DELIVERY_ID_LEN);
}

/* What a list must hold; another name in the stage is not ours. */
static bool
belongs(const char *name, bool staged)
{
	if (staged)
		return delivery_name_id(name) != NULL &&
		       delivery_name_valid(name, DELIVERY_NAME_MAX);
	return (name[0] == 'n' || name[0] == 'c') && name[1] == '/' &&
	       strchr(name + 2, '/') == NULL &&
	       delivery_name_id(name + 2) != NULL;
}

static void
split(struct names *s, size_t size, bool staged)
{
	size_t room = 0;

	for (char *at = s->data; at < s->data + size; at += strlen(at) + 1) {
		if (!belongs(at, staged))
			continue;
		if (s->n == room) {
			room = room ? 2 * room : 64;
			s->list = mem_grow(s->list, room, sizeof(*s->list));
		}
		s->list[s->n++] = at;
	}
	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list), by_id);
}

/* A sealed memfd, and no file that could change or keep us waiting. */
static bool
is_memory(int fd)
{
	const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & all) == all;
}

int
mailbox_list(struct mailbox *m, bool staged, struct names *r_r, struct err *e)
{
	struct answer w;
	struct stat s;
	int fd = -1;

	*r_r = (struct names){ .n = 0 };
	if (mailbox_ask(m, DELIVERY_LIST, staged ? DELIVERY_STAGED : 0, &w,
			&fd, e) < 0) {
		fsio_close(&fd);
		return -1;
	}
	if (!is_memory(fd) || fstat(fd, &s) < 0 || s.st_size > LIST_MAX) {
		fsio_close(&fd);
		return err_set(e, ERR_TEMP, "the deliverer of %s gives no "
			       "list", m->path);
	}
	r_r->data = mem_alloc((size_t)s.st_size + 1);
	if (fsio_pread(fd, r_r->data, (size_t)s.st_size, 0) != s.st_size) {
		fsio_close(&fd);
		names_free(r_r);
		return err_errno(e, "cannot read the list of %s", m->path);
	}
	fsio_close(&fd);
	split(r_r, (size_t)s.st_size, staged);
	return 0;
}

const char *
names_find(const struct names *s, const char *id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = memcmp(id_of(s->list[mid]), id, DELIVERY_ID_LEN);

		if (c == 0)
			return s->list[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void
names_free(struct names *s)
{
	free(s->data);
	free(s->list);
	*s = (struct names){ .n = 0 };
}

static int
hash_file(int fd, uint64_t from, uint8_t digest[HASH_SIZE])
{
	char data[65536];
	struct hash h = { .ctx = NULL };
	ssize_t n;

	hash_begin(&h);
	do {
		n = fsio_pread(fd, data, sizeof(data), (off_t)from);
		if (n > 0) {
			hash_add(&h, data, (size_t)n);
			from += (uint64_t)n;
		}
	} while (n == (ssize_t)sizeof(data));
	hash_end(&h, digest);
	hash_free(&h);
	return n < 0 ? -1 : 0;
}

int
mailbox_holds(struct mailbox *m, const char *where, uint64_t added,
	      uint64_t content_size, const uint8_t content[HASH_SIZE],
	      bool *same_r, struct err *e)
{
	struct delivery_request q = {
		.op = DELIVERY_OPEN,
		.flags = where[0] == 'c' ? DELIVERY_CUR : 0,
	};
	uint8_t digest[HASH_SIZE];
	size_t len = strlen(where + 2);
	struct answer w;
	struct stat s;
	int fd = -1;

	*same_r = false;
	if (len >= sizeof(q.name))
		return 0;
	memcpy(q.name, where + 2, len);
	if (mailbox_send(m, &q, NULL, 0, -1, e) < 0 ||
	    mailbox_receive(m, DELIVERY_OPEN, &w, &fd, e) < 0) {
		fsio_close(&fd);
		return -1;
	}
	if (fd < 0)
		return 0;
	if (is_memory(fd) && fstat(fd, &s) == 0 &&
	    (uint64_t)s.st_size == added + content_size &&
	    hash_file(fd, added, digest) == 0)
		*same_r = memcmp(digest, content, HASH_SIZE) == 0;
	fsio_close(&fd);
	return 0;
}

void
mailbox_close(struct mailbox *m)
{
	fsio_close(&m->sock);
	m->marked = false;
	if (m->state == MAILBOX_OPEN)
		m->state = MAILBOX_CLOSED;
}

void
mailbox_free(struct mailbox *m)
{
	mailbox_close(m);
	names_free(&m->delivered);
	free(m->path);
	free(m);
}
