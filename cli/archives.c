#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "archives.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "lib/journal/journal.h"
#include "lib/journal/segment.h"

#define NAME_MAX_ 128

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
add(struct archives *s, struct archives_one **all, size_t *n, const char *dir,
    const char *name)
{
	struct archives_one *x;

	*all = mem_grow(*all, *n + 1, sizeof(**all));
	x = &(*all)[(*n)++];
	x->name = arena_strdup(&s->arena, name);
	x->path = *name == '\0' ? arena_strdup(&s->arena, dir)
		  : arena_printf(&s->arena, "%s/%s", dir, name);
}

/* As the milter makes them; others would have to be quoted in each id. */
static bool
is_name(const char *s)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789._-";

	return *s != '.' && strlen(s) < NAME_MAX_ &&
	       s[strspn(s, all)] == '\0';
}

/* Links are followed, as the milter follows them: an archive may have been
 * moved to another disk. One that may not be read is no reason to say that all
 * is well. */
static int
add_one(struct archives *s, int fd, const char *dir, const char *name,
	struct err *e)
{
	int inner = fsio_openat(fd, name, O_RDONLY | O_DIRECTORY, 0), ret = 0;
	struct arena a = { NULL };

	if (inner >= 0 && has_segments(inner))
		add(s, &s->all, &s->n, dir, name);
	else if (inner >= 0 && faccessat(inner, JOURNAL_LOCK, F_OK, 0) == 0)
		add(s, &s->empty, &s->empty_n, dir, name);
	else if (inner < 0 && errno != ENOTDIR && errno != ELOOP &&
		 errno != ENOENT)
		ret = cannot(e, arena_printf(&a, "%s/%s", dir, name));
	fsio_close(&inner);
	arena_free(&a);
	return ret;
}

static int
add_inner(struct archives *s, int fd, const char *dir, struct err *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *f;
	int ret = 0;

	if (d == NULL)
		return cannot(e, dir);
	while (ret == 0 && (f = readdir(d)) != NULL)
		if (is_name(f->d_name) && strcmp(f->d_name, "lost+found") != 0)
			ret = add_one(s, fd, dir, f->d_name, e);
	closedir(d);
	return ret;
}

/* As ids with the name and a slash in front of them are sorted. */
static int
by_name(const void *a, const void *b)
{
	const char *x = ((const struct archives_one *)a)->name;
	const char *y = ((const struct archives_one *)b)->name;

	while (*x != '\0' && *x == *y)
		x++, y++;
	return (*x ? *x : '/') - (*y ? *y : '/');
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
		add(s_r, &s_r->all, &s_r->n, dir, "");
		fsio_close(&fd);
	} else
		ret = add_inner(s_r, fd, dir, e);
	if (ret == 0 && s_r->n == 0)
		ret = err_stop(e, EX_NOINPUT, "cannot open the archive %s: "
			       "nothing was archived there", text_show(dir));
	if (ret < 0) {
		archives_free(s_r);
		return ret;
	}
	qsort(s_r->all, s_r->n, sizeof(*s_r->all), by_name);
	if (s_r->empty_n > 0)
		qsort(s_r->empty, s_r->empty_n, sizeof(*s_r->empty), by_name);
	return 0;
}

void
archives_free(struct archives *s)
{
	free(s->all);
	free(s->empty);
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
