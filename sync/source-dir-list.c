#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "source-dir.h"

#define DEPTH_MAX 64

struct walk {
	struct source *source;
	struct source_dir *dir;
	size_t room;
	char key[KEY_MAX + 256 + 2];
};

static void
add_object(struct walk *w, const struct stat *s, bool aside)
{
	struct source_dir *d = w->dir;

	if (d->n == w->room) {
		w->room = w->room ? 2 * w->room : 256;
		d->list = mem_grow(d->list, w->room, sizeof(*d->list));
	}
	d->list[d->n++] = (struct object){
		.key = arena_strdup(&d->arena, w->key),
		.size = (uint64_t)s->st_size,
		.mtime = s->st_mtim.tv_sec,
		.mtime_ns = s->st_mtim.tv_nsec,
		.aside = aside,
	};
}

static void walk_dir(struct walk *w, int dir, size_t length, int depth);

static void
cannot_list(struct walk *w)
{
	log_problem("cannot list %s/%s: %s", w->source->settings->path,
		    text_show(w->key), strerror(errno));
	w->source->complete = false;
}

static void
walk_entry(struct walk *w, int dir, const char *name, size_t length, int depth)
{
	size_t n = strlen(name);
	struct stat s;

	if (length + n + 1 > sizeof(w->key) - 1 || depth > DEPTH_MAX) {
		errno = ENAMETOOLONG;
		cannot_list(w);
		return;
	}
	memcpy(w->key + length, name, n + 1);
	if (fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			cannot_list(w);
	} else if (S_ISREG(s.st_mode)) {
		add_object(w, &s, false);
	} else if (S_ISDIR(s.st_mode)) {
		int sub = fsio_opendir(dir, name);

		memcpy(w->key + length + n, "/", 2);
		if (sub < 0)
			cannot_list(w);
		else
			walk_dir(w, sub, length + n + 1, depth + 1);
	}
	w->key[length] = '\0';
}

/* What is in ASIDE, and the directory itself when it is empty. */
static void
walk_aside(struct walk *w, int dir, size_t length)
{
	int aside = fsio_opendir(dir, ASIDE);
	DIR *d = aside < 0 ? NULL : fdopendir(aside);
	struct dirent *f;
	struct stat s;

	if (d == NULL) {
		if (errno != ENOENT)
			cannot_list(w);
		fsio_close(&aside);
		return;
	}
	while (errno = 0, (f = readdir(d)) != NULL) {
		size_t n = strlen(f->d_name);

		if (length + n + 1 > sizeof(w->key) ||
		    fstatat(aside, f->d_name, &s, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(s.st_mode))
			continue;
		memcpy(w->key + length, f->d_name, n + 1);
		add_object(w, &s, true);
	}
	w->key[length] = '\0';
	if (errno != 0)
		cannot_list(w);
	closedir(d);
	if (w->source->spool_dir != NULL)
		unlinkat(dir, ASIDE, AT_REMOVEDIR);
}

/* Takes dir over. */
static void
walk_dir(struct walk *w, int dir, size_t length, int depth)
{
	struct dirent *f;
	DIR *d;

	d = fdopendir(dir);
	if (d == NULL) {
		cannot_list(w);
		fsio_close(&dir);
		return;
	}
	while (errno = 0, (f = readdir(d)) != NULL)
		if (f->d_name[0] != '.')
			walk_entry(w, dir, f->d_name, length, depth);
		else if (strcmp(f->d_name, ASIDE) == 0)
			walk_aside(w, dir, length);
	if (errno != 0)
		cannot_list(w);
	closedir(d);
}

static int
oldest_first(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	if (x->aside != y->aside)	/* its name is to be free again */
		return x->aside ? -1 : 1;
	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return strcmp(x->key, y->key);
}

int
source_dir_list(struct source *s, struct err *e)
{
	struct source_dir *d = s->own;
	struct walk w = { .source = s, .dir = d };
	int dir = fsio_opendir(d->root, ".");

	if (dir < 0) {
		err_errno(e, "cannot list %s", s->settings->path);
		e->kind = ERR_STOP;
		e->code = EX_IOERR;
		return -1;
	}
	walk_dir(&w, dir, 0, 0);
	if (d->n > 0)
		qsort(d->list, d->n, sizeof(*d->list), oldest_first);
	return 0;
}
