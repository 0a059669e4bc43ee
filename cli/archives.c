#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "archives.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "lib/journal/segment.h"

static int
cannot(struct err *e, const char *dir)
{
	return err_stop(e, errno == ENOENT || errno == ENOTDIR ? EX_NOINPUT
			: errno == EACCES ? EX_NOPERM : EX_IOERR,
			"cannot open the archive %s: %s", text_show(dir),
			strerror(errno));
}

static bool
has_segments(int dir)
{
	uint32_t *numbers = NULL;
	struct err e;
	size_t n = 0;

	if (segment_list(dir, &numbers, &n, &e) < 0)
		return false;
	free(numbers);
	return n > 0;
}

static void
add(struct archives *s, const char *dir, const char *name)
{
	struct archives_one *x;

	s->all = mem_grow(s->all, s->n + 1, sizeof(*s->all));
	x = &s->all[s->n++];
	x->name = arena_strdup(&s->arena, name);
	x->path = *name == '\0' ? arena_strdup(&s->arena, dir)
		  : arena_printf(&s->arena, "%s/%s", dir, name);
}

static int
add_inner(struct archives *s, int fd, const char *dir, struct err *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *f;

	if (d == NULL)
		return cannot(e, dir);
	while ((f = readdir(d)) != NULL) {
		int inner = -1;

		if (f->d_name[0] != '.')
			inner = fsio_opendir(fd, f->d_name);
		if (inner >= 0 && has_segments(inner))
			add(s, dir, f->d_name);
		fsio_close(&inner);
	}
	closedir(d);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct archives_one *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int
archives_open(struct archives *s_r, const char *dir, struct err *e)
{
	int fd, ret = 0;

	*s_r = (struct archives){ .n = 0 };
	dir = dir ? dir : ARCHIVES_DEFAULT;
	fd = fsio_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return cannot(e, dir);
	if (has_segments(fd)) {
		add(s_r, dir, "");
		fsio_close(&fd);
	} else
		ret = add_inner(s_r, fd, dir, e);
	if (ret == 0 && s_r->n == 0)
		ret = err_stop(e, EX_NOINPUT, "cannot open the archive %s: "
			       "nothing was archived there", text_show(dir));
	if (ret < 0)
		archives_free(s_r);
	else
		qsort(s_r->all, s_r->n, sizeof(*s_r->all), by_name);
	return ret;
}

void
archives_free(struct archives *s)
{
	free(s->all);
	arena_free(&s->arena);
	*s = (struct archives){ .n = 0 };
}

const struct archives_one *
archives_of(const struct archives *s, const char *id, const char **id_r,
	    struct err *e)
{
	const char *slash = strrchr(id, '/');
	const size_t n = slash ? (size_t)(slash - id) : 0;

	*id_r = slash ? slash + 1 : id;
	if (slash == NULL && s->n == 1)
		return &s->all[0];
	for (size_t i = 0; i < s->n && slash != NULL; i++)
		if (strlen(s->all[i].name) == n &&
		    memcmp(s->all[i].name, id, n) == 0)
			return &s->all[i];
	if (slash == NULL)
		err_stop(e, EX_USAGE, "cannot find %s: expected NAME/ID, there "
			 "are %zu archives", text_show(id), s->n);
	else
		err_stop(e, EX_NOINPUT, "cannot find %s: there is no such "
			 "archive", text_show(id));
	return NULL;
}
