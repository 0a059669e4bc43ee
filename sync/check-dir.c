#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "check-private.h"
#include "lib/base/text.h"
#include "source.h"

/* A directory: what a run would read and remove, and whether it may. */

#define CHOWN "give it to that user, or set engine_user"

/* How many of something are refused, and the first of them. */
struct refused {
	size_t n;
	char first[PATH_MAX];
	int error;
};

struct dir_check {
	size_t objects;
	struct refused read, remove;
};

static void
refuse(struct refused *r, const char *path)
{
	if (r->n++ > 0)
		return;
	r->error = errno;
	snprintf(r->first, sizeof(r->first), "%s", path);
}

/* -1 with errno. A sticky directory gives up what belongs to us. */
static int
may_remove(const char *dir, const char *path)
{
	struct stat d, o;

	if (access(dir, W_OK | X_OK) < 0 || stat(dir, &d) < 0)
		return -1;
	if ((d.st_mode & S_ISVTX) == 0 || d.st_uid == geteuid())
		return 0;
	if (path != NULL && lstat(path, &o) == 0 && o.st_uid == geteuid())
		return 0;
	errno = EPERM;
	return -1;
}

static void
try_object(struct dir_check *d, const char *top, const struct object *o)
{
	char path[PATH_MAX], dir[PATH_MAX];

	/* Its name would be too long for a run, too. */
	if (snprintf(path, sizeof(path), "%s/%s", top, o->key) >= PATH_MAX)
		return;
	d->objects++;
	memcpy(dir, path, sizeof(dir));
	*strrchr(dir, '/') = '\0';
	/* Killed runs leave it in a directory beside its place. */
	if (o->aside)
		return;
	if (access(path, R_OK) < 0 && errno != ENOENT)
		refuse(&d->read, path);
	if (may_remove(*dir ? dir : "/", path) < 0 && errno != ENOENT)
		refuse(&d->remove, path);
}

static void
tell_refused(struct check *k, const char *name, const char *verb,
	     const struct refused *r)
{
	char others[40] = "";

	if (r->n > 1)
		snprintf(others, sizeof(others), " and %zu others", r->n - 1);
	check_fail(k, name, EX_NOPERM, CHOWN, "cannot %s %s%s as uid %lu: %s",
		   verb, text_show(r->first), others, (unsigned long)geteuid(),
		   strerror(r->error));
}

static void
tell_rights(struct check *k, const struct dir_check *d)
{
	const char *path = k->source->path;
	struct refused top = { .n = 0 };

	if (d->read.n > 0)
		tell_refused(k, "read", "read", &d->read);
	else if (d->objects > 0)
		check_ok(k, "read", "objects can be read as uid %lu",
			 (unsigned long)geteuid());
	else
		check_warn(k, "read", "run it again when there are objects",
			   "could not be tried: there is no object in %s",
			   text_show(path));
	if (k->source->keep) {
		check_ok(k, "delete", "nothing is deleted (keep)");
		return;
	}
	if (d->objects == 0 && may_remove(path, NULL) < 0)
		refuse(&top, path);
	if (d->remove.n > 0)
		tell_refused(k, "delete", "delete", &d->remove);
	else if (top.n > 0)
		tell_refused(k, "delete", "delete from", &top);
	else
		check_ok(k, "delete", "objects can be deleted as uid %lu",
			 (unsigned long)geteuid());
}

static void
try_list(struct check *k, struct source *s)
{
	struct dir_check d = { .objects = 0 };
	struct object o;
	struct err e;
	int r;

	while ((r = s->kind->next(s, &o, &e)) > 0)
		try_object(&d, k->source->path, &o);
	if (r < 0) {
		check_fail(k, "list", e.code, CHOWN, "%s", e.text);
		return;
	}
	if (s->complete)
		check_ok(k, "list", "%zu object%s", d.objects,
			 text_s(d.objects));
	else
		check_fail(k, "list", EX_NOPERM, CHOWN, "cannot list all of "
			   "%s as uid %lu", text_show(k->source->path),
			   (unsigned long)geteuid());
	tell_rights(k, &d);
}

void
check_dir(struct check *k)
{
	struct source s;
	struct err e;

	if (source_open(&s, k->source, NULL, NULL, &e) < 0) {
		check_fail(k, "source", e.code, e.code == EX_NOPERM ? CHOWN :
			   "look at its name", "%s", e.text);
		return;
	}
	check_ok(k, "source", "the directory %s", text_show(k->source->path));
	try_list(k, &s);
	source_close(&s);
}
