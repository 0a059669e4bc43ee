#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "source.h"

/*
 * A directory as a bucket: keys are paths below it. Files with a writer or
 * fresh ones wait. A removal moves the file into ASIDE beside it, looks again
 * at what it has moved, and only then unlinks: between a comparison and an
 * unlink by name, a new mail could take the name.
 */

#define ASIDE ".fallbackmx-removing"
#define KEY_MAX 1024		/* bytes, as in S3 */
#define DEPTH_MAX 64

struct walk {
	struct source *source;
	struct arena *arena;
	struct object *list;
	size_t n, room;
	bool complete;
	char key[KEY_MAX + 256 + 2];
};

/* Below root only, through no symbolic link. */
static int
open_beneath(int root, const char *key, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, root, key, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

static void
add_object(struct walk *w, const struct stat *s)
{
	if (w->n == w->room) {
		w->room = w->room ? 2 * w->room : 256;
		w->list = mem_grow(w->list, w->room, sizeof(*w->list));
	}
	w->list[w->n++] = (struct object){
		.key = arena_strdup(w->arena, w->key),
		.size = (uint64_t)s->st_size,
		.mtime = s->st_mtim.tv_sec,
		.mtime_ns = s->st_mtim.tv_nsec,
	};
}

/* A run was killed while it removed: the file gets its name back, and the
 * ledger will say what it is. A taken name: next time. */
static void
put_back(int dir)
{
	int aside = fsio_opendir(dir, ASIDE);
	DIR *d = aside < 0 ? NULL : fdopendir(aside);
	struct dirent *f;

	if (d == NULL) {
		fsio_close(&aside);
		return;
	}
	while ((f = readdir(d)) != NULL)
		if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0)
			fsio_rename(aside, f->d_name, dir, f->d_name);
	closedir(d);
	unlinkat(dir, ASIDE, AT_REMOVEDIR);
}

static void walk_dir(struct walk *w, int dir, size_t length, int depth);

static void
cannot_list(struct walk *w)
{
	log_problem("cannot list %s%s: %s", w->source->settings->path,
		    text_show(w->key), strerror(errno));
	w->complete = false;
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
		add_object(w, &s);
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

/* Takes dir over. */
static void
walk_dir(struct walk *w, int dir, size_t length, int depth)
{
	struct dirent *f;
	DIR *d;

	if (!w->source->read_only)
		put_back(dir);
	d = fdopendir(dir);
	if (d == NULL) {
		cannot_list(w);
		fsio_close(&dir);
		return;
	}
	while (errno = 0, (f = readdir(d)) != NULL)
		if (f->d_name[0] != '.')
			walk_entry(w, dir, f->d_name, length, depth);
	if (errno != 0)
		cannot_list(w);
	closedir(d);
}

static int
oldest_first(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int
dir_list(struct source *s, struct arena *a, struct object **list_r,
	 size_t *n_r, bool *complete_r, struct err *e)
{
	struct walk w = { .source = s, .arena = a, .complete = true };
	int dir = fsio_opendir(s->root, ".");

	if (dir < 0) {
		err_errno(e, "cannot list %s", s->settings->path);
		e->kind = ERR_STOP;
		e->code = EX_IOERR;
		return -1;
	}
	walk_dir(&w, dir, 0, 0);
	if (w.n > 0)
		qsort(w.list, w.n, sizeof(*w.list), oldest_first);
	*list_r = w.list;
	*n_r = w.n;
	*complete_r = w.complete;
	return 0;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same_version(const struct version *v, const struct stat *s, bool with_ctime)
{
	return s->st_dev == v->dev && s->st_ino == v->ino &&
	       s->st_size == v->size && same_time(&s->st_mtim, &v->mtime) &&
	       (!with_ctime || same_time(&s->st_ctim, &v->ctime));
}

enum lease {
	LEASE_HELD,		/* nobody writes; who wants to waits for us */
	LEASE_NONE,		/* not to be had: settling must do */
	LEASE_WRITER,		/* somebody has the file open for writing */
};

/* Leases need the file's owner and a file system that has them. */
static enum lease
lease_take(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return LEASE_HELD;
	return errno == EAGAIN ? LEASE_WRITER : LEASE_NONE;
}

static bool
is_settled(const struct source *s, const struct stat *st)
{
	int64_t last = st->st_mtim.tv_sec > st->st_ctim.tv_sec
		     ? st->st_mtim.tv_sec : st->st_ctim.tv_sec;

	int64_t age = clock_wall() - last;

	/* Far in the future: a clock was wrong, and would not tell. */
	return age >= s->settings->settle || age < -s->settings->settle;
}

static enum fetch
read_all(int fd, const struct object *o, const struct stat *before,
	 struct spooler *sp, struct err *e)
{
	struct stat after;
	ssize_t n;
	uint64_t size = 0;

	if (spool_begin(sp, (uint64_t)before->st_size, e) < 0)
		return FETCH_FAILED;
	do {
		n = fsio_read(fd, sp->in, SPOOL_CHUNK);
		if (n < 0) {
			err_errno(e, "cannot read %s", text_show(o->key));
			return FETCH_FAILED;
		}
		size += (uint64_t)n;
		/* A file that grows without end is being written. */
		if (size > (uint64_t)before->st_size)
			return FETCH_BUSY;
		if (spool_add(sp, sp->in, (size_t)n, e) < 0)
			return FETCH_FAILED;
	} while ((size_t)n == SPOOL_CHUNK);
	if (fstat(fd, &after) < 0) {
		err_errno(e, "cannot examine %s", text_show(o->key));
		return FETCH_FAILED;
	}
	if (size != (uint64_t)after.st_size ||
	    before->st_size != after.st_size ||
	    !same_time(&before->st_mtim, &after.st_mtim) ||
	    !same_time(&before->st_ctim, &after.st_ctim))
		return FETCH_BUSY;
	return FETCH_OK;
}

static enum fetch
fetch_open(struct source *s, int fd, const struct object *o,
	   struct spooler *sp, struct spool *r_r, struct version *v_r,
	   struct err *e)
{
	struct stat st;
	enum fetch r;

	if (fstat(fd, &st) < 0) {
		err_errno(e, "cannot examine %s", text_show(o->key));
		return FETCH_FAILED;
	}
	if (!S_ISREG(st.st_mode))
		return FETCH_GONE;
	if (!is_settled(s, &st) || lease_take(fd) == LEASE_WRITER)
		return FETCH_BUSY;
	r = read_all(fd, o, &st, sp, e);
	if (r == FETCH_OK && spool_end(sp, r_r, e) < 0)
		r = FETCH_FAILED;
	if (r != FETCH_OK) {
		spool_cancel(sp);
		return r;
	}
	*v_r = (struct version){
		.dev = st.st_dev, .ino = st.st_ino, .size = st.st_size,
		.mtime = st.st_mtim, .ctime = st.st_ctim,
	};
	text_hex(v_r->etag, r_r->object, HASH_SIZE);
	return FETCH_OK;
}

static enum fetch
dir_fetch(struct source *s, const struct object *o, struct spooler *sp,
	  struct spool *r_r, struct version *v_r, struct err *e)
{
	enum fetch r;
	int fd;

	if (strlen(o->key) > KEY_MAX) {
		err_set(e, ERR_PERM, "the key %s is longer than %d bytes",
			text_show(o->key), KEY_MAX);
		return FETCH_FAILED;
	}
	fd = open_beneath(s->root, o->key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return FETCH_GONE;
	if (fd < 0) {
		err_errno(e, "cannot open %s", text_show(o->key));
		return FETCH_FAILED;
	}
	r = fetch_open(s, fd, o, sp, r_r, v_r, e);
	fsio_close(&fd);
	return r;
}

static void
leave_parent(struct source *s)
{
	fsio_close(&s->aside);
	if (s->parent >= 0)
		unlinkat(s->parent, ASIDE, AT_REMOVEDIR);
	fsio_close(&s->parent);
	free(s->parent_key);
	s->parent_key = NULL;
}

/* Opens the directory of key and ASIDE in it, unless it was the last one's. */
static int
enter_parent(struct source *s, const char *key, const char **name_r)
{
	const char *slash = strrchr(key, '/');
	size_t n = slash ? (size_t)(slash - key) : 0;

	*name_r = slash ? slash + 1 : key;
	if (s->aside >= 0 && strlen(s->parent_key) == n &&
	    memcmp(s->parent_key, key, n) == 0)
		return 0;
	leave_parent(s);
	s->parent_key = mem_alloc(n + 1);
	memcpy(s->parent_key, key, n);
	s->parent = open_beneath(s->root, n ? s->parent_key : ".",
				 O_RDONLY | O_DIRECTORY);
	if (s->parent < 0)
		return -1;
	if (mkdirat(s->parent, ASIDE, 0700) < 0 && errno != EEXIST)
		return -1;
	s->aside = fsio_opendir(s->parent, ASIDE);
	return s->aside < 0 ? -1 : 0;
}

/* The file is ours to look at again, under a name that nobody else uses. */
static enum removal
remove_aside(struct source *s, const char *name, const struct version *v,
	     bool broken, struct err *e)
{
	struct stat st;

	if (fstatat(s->aside, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		err_errno(e, "cannot examine %s", text_show(name));
		return REMOVAL_FAILED;
	}
	/* The rename has changed ctime, nothing else may have changed. */
	if (broken || !same_version(v, &st, false)) {
		if (fsio_rename(s->aside, name, s->parent, name) < 0)
			log_info("%s stays in " ASIDE " until its name is free",
				 text_show(name));
		return REMOVAL_CHANGED;
	}
	if (fsio_unlink(s->aside, name) < 0) {
		err_errno(e, "cannot remove %s", text_show(name));
		return REMOVAL_FAILED;
	}
	return REMOVAL_OK;
}

static enum removal
remove_open(struct source *s, int fd, const char *name,
	    const struct version *v, struct err *e)
{
	enum lease lease = lease_take(fd);
	struct stat st;
	bool broken;

	if (fstat(fd, &st) < 0) {
		err_errno(e, "cannot examine %s", text_show(name));
		return REMOVAL_FAILED;
	}
	if (lease == LEASE_WRITER || !same_version(v, &st, true))
		return REMOVAL_CHANGED;
	if (fsio_rename(s->parent, name, s->aside, name) < 0) {
		if (errno == ENOENT)
			return REMOVAL_OK;
		err_errno(e, "cannot remove %s", text_show(name));
		return REMOVAL_FAILED;
	}
	/* Out of everybody's reach now; who came before is told by this. */
	broken = lease == LEASE_HELD && fcntl(fd, F_GETLEASE) != F_RDLCK;
	return remove_aside(s, name, v, broken, e);
}

static enum removal
dir_remove(struct source *s, const char *key, const struct version *v,
	   struct err *e)
{
	enum removal r;
	const char *name;
	int fd;

	if (enter_parent(s, key, &name) < 0) {
		if (errno == ENOENT)
			return REMOVAL_OK;
		err_errno(e, "cannot remove %s from its directory",
			  text_show(key));
		return REMOVAL_FAILED;
	}
	fd = fsio_openat(s->parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
			 0);
	if (fd < 0 && errno == ENOENT)
		return REMOVAL_OK;
	if (fd < 0 && errno == ELOOP)
		return REMOVAL_CHANGED;
	if (fd < 0) {
		err_errno(e, "cannot open %s", text_show(key));
		return REMOVAL_FAILED;
	}
	r = remove_open(s, fd, name, v, e);
	fsio_close(&fd);
	return r;
}

static void
dir_close(struct source *s)
{
	leave_parent(s);
	fsio_close(&s->root);
}

static const struct source_kind directory = {
	dir_list, dir_fetch, dir_remove, dir_close,
};

int
source_cannot_open(const struct source_settings *s, struct err *e)
{
	int code = errno == EACCES ? EX_NOPERM : EX_CONFIG;

	err_errno(e, "cannot open the source %s as uid %lu", s->path,
		  (unsigned long)geteuid());
	e->kind = ERR_STOP;
	e->code = code;
	return -1;
}

int
source_open(struct source *s, const struct source_settings *settings,
	    bool read_only, struct err *e)
{
	*s = (struct source){
		.kind = &directory, .settings = settings,
		.read_only = read_only, .parent = -1, .aside = -1,
	};
	s->root = fsio_openat(AT_FDCWD, settings->path,
			      O_RDONLY | O_DIRECTORY, 0);
	if (s->root >= 0)
		return 0;
	return source_cannot_open(settings, e);
}

void
source_close(struct source *s)
{
	s->kind->close(s);
}
