#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "lib/mail/head.h"
#include "spool.h"

/* An unnamed file; where a file system has none, one that loses its name. */
static int
unnamed_file(const char *dir)
{
	char path[4096];
	int fd = fsio_openat(AT_FDCWD, dir, O_TMPFILE | O_RDWR, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	snprintf(path, sizeof(path), "%s/spool.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

int
spool_begin(struct spooler *s, uint64_t size, struct err *e)
{
	s->begun = true;
	s->fd = -1;
	s->file = size > SPOOL_MEMORY_MAX;
	if (s->dir != NULL && s->file)
		s->fd = unnamed_file(s->dir);
	else if (s->dir != NULL)
		s->fd = memfd_create("object",
				     MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->dir != NULL && s->fd < 0)
		return err_errno(e, "cannot make a spool file in %s", s->dir);
	s->in_body = s->only_cr = false;
	s->column = s->head_len = 0;
	s->size = s->content_size = 0;
	s->eol = (struct eol){ .cr = false };
	s->whole = s->identify || s->verbatim;
	if (s->whole)
		hash_begin(&s->object);
	hash_begin(&s->body);
	if (!s->verbatim)
		hash_begin(&s->content);
	return 0;
}

/* Bytes of data that still belong to the header. */
static size_t
header_part(struct spooler *s, const char *data, size_t n)
{
	size_t at = 0;

	while (at < n) {
		const char *lf = memchr(data + at, '\n', n - at);
		size_t line = lf ? (size_t)(lf - data) - at : n - at;

		if (line > 0)
			s->only_cr = s->column == 0 && line == 1 &&
				     data[at] == '\r';
		s->column += line;
		at += line;
		if (lf == NULL)
			break;
		at++;
		if (s->column == 0 || s->only_cr) {
			s->in_body = true;
			break;
		}
		s->column = 0;
		s->only_cr = false;
	}
	return at;
}

static void
measure(struct spooler *s, const char *data, size_t n)
{
	size_t head = s->in_body ? 0 : header_part(s, data, n);
	size_t room = sizeof(s->head) - s->head_len;

	if (room > 0) {
		memcpy(s->head + s->head_len, data, n < room ? n : room);
		s->head_len += n < room ? n : room;
	}
	if (s->whole)
		hash_add(&s->object, data, n);
	hash_add(&s->body, data + head, n - head);
	if (!s->verbatim) {
		size_t m = eol_convert(&s->eol, data, n, s->out);

		hash_add(&s->content, s->out, m);
		s->content_size += m;
	}
	s->size += n;
}

int
spool_add(struct spooler *s, const void *data, size_t n, struct err *e)
{
	const char *at = data;

	if (s->fd >= 0 && fsio_write(s->fd, data, n) < 0)
		return err_errno(e, "cannot write a spool file in %s", s->dir);
	while (n > 0) {
		size_t part = n < SPOOL_CHUNK ? n : SPOOL_CHUNK;

		measure(s, at, part);
		at += part;
		n -= part;
	}
	return 0;
}

/* From here on nobody can write to it. */
static int
make_read_only(struct spooler *s, struct err *e)
{
	char self[64];
	int fd;

	if (s->fd < 0)
		return 0;
	if (!s->file) {
		if (fcntl(s->fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
			  F_SEAL_GROW | F_SEAL_WRITE) < 0)
			return err_errno(e, "cannot seal a memory file");
		return 0;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", s->fd);
	fd = fsio_openat(AT_FDCWD, self, O_RDONLY, 0);
	if (fd < 0)
		return err_errno(e, "cannot re-open a spool file");
	fsio_close(&s->fd);
	s->fd = fd;
	return 0;
}

static void
read_message_id(const struct spooler *s, struct spool *r)
{
	const char *at = s->head;
	struct head_field f;

	r->message_id[0] = '\0';
	while (head_cut(&at, s->head + s->head_len, &f))
		if (head_is(&f, "Message-ID")) {
			head_unfold(&f, r->message_id, sizeof(r->message_id));
			return;
		}
}

int
spool_end(struct spooler *s, struct spool *r_r, struct err *e)
{
	char cr;

	if (make_read_only(s, e) < 0)
		return -1;
	if (!s->verbatim && eol_end(&s->eol, &cr) > 0) {
		hash_add(&s->content, &cr, 1);
		s->content_size++;
	}
	memset(r_r->object, 0, HASH_SIZE);
	if (s->whole)
		hash_end(&s->object, r_r->object);
	hash_end(&s->body, r_r->body);
	if (s->verbatim) {
		memcpy(r_r->content, r_r->object, HASH_SIZE);
		s->content_size = s->size;
	} else {
		hash_end(&s->content, r_r->content);
	}
	r_r->size = s->size;
	r_r->content_size = s->content_size;
	received_read(s->head, s->head_len, &r_r->received);
	read_message_id(s, r_r);
	r_r->fd = s->fd;
	s->begun = false;
	return 0;
}

void
spool_cancel(struct spooler *s)
{
	if (s->begun)
		fsio_close(&s->fd);
	s->begun = false;
}

void
spooler_free(struct spooler *s)
{
	hash_free(&s->object);
	hash_free(&s->body);
	hash_free(&s->content);
}
