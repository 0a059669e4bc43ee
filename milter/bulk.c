#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "bulk.h"

#define FIRST_ROOM ((size_t)16384)

void
bulk_begin(struct bulk *s, const char *dir)
{
	*s = (struct bulk){ .dir = dir };
}

static void
add_memory(struct bulk *s, const void *data, size_t n)
{
	if (n > s->room - s->n) {
		while (n > s->room - s->n)
			s->room = s->room == 0 ? FIRST_ROOM : 2 * s->room;
		s->memory = mem_grow(s->memory, s->room, 1);
	}
	memcpy(s->memory + s->n, data, n);
	s->n += n;
}

/* Where the file system has no files without a name, one that loses it. */
static int
open_nameless(const char *dir)
{
	static _Atomic unsigned count;
	struct arena a = { NULL };
	const char *name;
	int fd = fsio_openat(AT_FDCWD, dir, O_TMPFILE | O_RDWR, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	name = arena_printf(&a, "%s/.message-%ld-%u", dir, (long)getpid(),
			    count++);
	fd = fsio_openat(AT_FDCWD, name, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (fd >= 0 && fsio_unlink(AT_FDCWD, name) < 0)
		fsio_close(&fd);
	arena_free(&a);
	return fd;
}

static void
drop(struct bulk *s)
{
	if (s->is_file)
		fsio_close(&s->fd);
	free(s->memory);
	s->memory = NULL;
	s->is_file = false;
	s->n = s->room = 0;
}

/* What is in memory goes first. */
static void
move_to_file(struct bulk *s)
{
	s->fd = open_nameless(s->dir);
	if (s->fd < 0) {
		s->error = errno;
		return;
	}
	s->is_file = true;
	if (fsio_write(s->fd, s->memory, s->n) < 0)
		s->error = errno;
	free(s->memory);
	s->memory = NULL;
	s->n = s->room = 0;
}

static void
add(struct bulk *s, const void *data, size_t n)
{
	if (!s->is_file && n > BULK_MEMORY - s->n)
		move_to_file(s);
	if (s->error != 0)
		return;
	if (!s->is_file)
		add_memory(s, data, n);
	else if (fsio_write(s->fd, data, n) < 0)
		s->error = errno;
}

void
bulk_add(struct bulk *s, const void *data, size_t n)
{
	if (n == 0 || s->error != 0)
		return;
	s->size += n;
	if (s->size > FORMAT_RAW_MAX)
		s->error = EFBIG;
	else
		add(s, data, n);
	/* Nobody will ask for it; others need the room. */
	if (s->error != 0)
		drop(s);
}

int
bulk_source(const struct bulk *s, struct payload_source *s_r,
	    struct payload_piece *memory_r, bool *full_r, struct err *e)
{
	*full_r = s->error == ENOSPC || s->error == EDQUOT;
	*memory_r = (struct payload_piece){ s->memory, s->n };
	*s_r = (struct payload_source){
		.pieces = memory_r, .pieces_n = s->n > 0,
		.file = s->is_file ? s->fd : -1,
		.file_n = s->is_file ? s->size : 0,
	};
	if (s->error == EFBIG)
		return err_set(e, ERR_PERM, "it has more than %" PRIu64 " MiB",
			       FORMAT_RAW_MAX >> 20);
	if (s->error == 0)
		return 0;
	errno = s->error;
	return err_errno(e, "cannot keep the message on disk");
}

void
bulk_end(struct bulk *s)
{
	drop(s);
	*s = (struct bulk){ .dir = NULL };
}
