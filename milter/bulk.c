#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* What is in memory goes first. */
static void
move_to_file(struct bulk *s)
{
	s->fd = fsio_openat(AT_FDCWD, s->dir, O_TMPFILE | O_RDWR, 0600);
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

void
bulk_add(struct bulk *s, const void *data, size_t n)
{
	if (n == 0 || s->error != 0)
		return;
	s->size += n;
	if (!s->is_file && n > BULK_MEMORY - s->n)
		move_to_file(s);
	if (s->error != 0)
		return;
	if (!s->is_file)
		add_memory(s, data, n);
	else if (fsio_write(s->fd, data, n) < 0)
		s->error = errno;
}

int
bulk_read(struct bulk *s, const void **data_r, size_t *n_r, bool *full_r,
	   struct err *e)
{
	*full_r = false;
	*n_r = (size_t)s->size;
	*data_r = s->memory != NULL ? (const void *)s->memory : "";
	if (s->error == 0 && s->is_file && s->map == NULL) {
		s->map = mmap(NULL, *n_r, PROT_READ, MAP_PRIVATE, s->fd, 0);
		if (s->map == MAP_FAILED) {
			s->error = errno;
			s->map = NULL;
		}
	}
	if (s->error != 0) {
		*full_r = s->error == ENOSPC || s->error == EDQUOT;
		errno = s->error;
		return err_errno(e, "cannot keep the message on disk");
	}
	if (s->is_file)
		*data_r = s->map;
	return 0;
}

void
bulk_end(struct bulk *s)
{
	if (s->map != NULL)
		munmap(s->map, (size_t)s->size);
	if (s->is_file)
		fsio_close(&s->fd);
	free(s->memory);
	*s = (struct bulk){ .dir = NULL };
}
