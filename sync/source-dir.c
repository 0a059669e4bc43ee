#include <config.h>

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
#include "source-dir.h"

/*
 * A directory as a bucket: keys are paths below it. Files with a writer or
 * fresh ones wait. A removal moves the file into ASIDE beside it, looks again
 * at what it has moved, and only then unlinks: between a comparison and an
 * unlink by name, a new mail could take the name. What a killed run has left
 * in ASIDE is listed like all else, under the key that it had.
 */

#define EAGAIN_TRIES 8
#define SETTLE_WITHOUT_LEASE 60	/* seconds */

/* Below root only, through no symbolic link. */
static int
open_beneath(int root, const char *key, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd;
	int tries = 0;

	/* EAGAIN: a rename came between; or somebody holds a write lease. */
	do
		fd = syscall(SYS_openat2, root, key, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR ||
			  (errno == EAGAIN && ++tries < EAGAIN_TRIES)));
	return (int)fd;
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

/* Without a lease only rest tells that a file is complete. */
static bool
is_settled(const struct source *s, enum lease lease, const struct stat *st)
{
	int64_t last = st->st_mtim.tv_sec > st->st_ctim.tv_sec
		     ? st->st_mtim.tv_sec : st->st_ctim.tv_sec;

	int64_t age = clock_wall() - last;
	int64_t settle = s->settings->settle;

	if (lease == LEASE_NONE && settle < SETTLE_WITHOUT_LEASE)
		settle = SETTLE_WITHOUT_LEASE;
	/* Far in the future: a clock was wrong, and would not tell. */
	return age >= settle || age < -settle;
}

static enum fetch
read_all(int fd, const struct object *o, const struct stat *before,
	 struct spooler *sp, struct err *e)
{
	struct stat after;
	ssize_t n;
	uint64_t size = 0;

	sp->identify = true;
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
	enum lease lease = lease_take(fd);
	enum fetch r;

	if (fstat(fd, &st) < 0) {
		err_errno(e, "cannot examine %s", text_show(o->key));
		return FETCH_FAILED;
	}
	if (!S_ISREG(st.st_mode))
		return FETCH_GONE;
	if (lease == LEASE_WRITER || !is_settled(s, lease, &st))
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

static int
open_object(const struct source_dir *s, const struct object *o)
{
	const uint64_t flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
	char path[KEY_MAX + sizeof(ASIDE) + 2];
	const char *slash = strrchr(o->key, '/');
	int dir = slash ? (int)(slash + 1 - o->key) : 0;

	if (!o->aside)
		return open_beneath(s->root, o->key, flags);
	snprintf(path, sizeof(path), "%.*s" ASIDE "/%s", dir, o->key,
		 o->key + dir);
	return open_beneath(s->root, path, flags);
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
	fd = open_object(s->own, o);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return FETCH_GONE;
	if (fd < 0 && errno == EAGAIN)
		return FETCH_BUSY;
	if (fd < 0) {
		err_errno(e, "cannot open %s", text_show(o->key));
		return FETCH_FAILED;
	}
	r = fetch_open(s, fd, o, sp, r_r, v_r, e);
	fsio_close(&fd);
	return r;
}

static void
leave_parent(struct source_dir *s)
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
enter_parent(struct source_dir *s, const char *key, const char **name_r)
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

/* In ASIDE the file is ours to look at, under a name that nobody else uses. */
static enum removal
remove_aside(struct source_dir *s, const char *name, const struct version *v,
	     bool broken, struct err *e)
{
	struct stat st;

	if (fstatat(s->aside, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		err_errno(e, "cannot examine %s", text_show(name));
		return REMOVAL_FAILED;
	}
	/* The rename has changed ctime, nothing else may have changed. */
	if (broken || !same_version(v, &st, false)) {
		/* Where that fails, the next listing finds it in ASIDE. */
		fsio_rename(s->aside, name, s->parent, name);
		return REMOVAL_CHANGED;
	}
	if (fsio_unlink(s->aside, name) < 0) {
		err_errno(e, "cannot remove %s", text_show(name));
		return REMOVAL_FAILED;
	}
	return REMOVAL_OK;
}

/* The name is not there; or ASIDE is not, taken away by another run. */
static enum removal
gone_or_moved(struct source_dir *s, const char *name)
{
	struct stat st;

	if (fstatat(s->parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		return REMOVAL_OK;
	leave_parent(s);
	return REMOVAL_CHANGED;
}

static enum removal
remove_open(struct source_dir *s, int fd, const char *name, bool aside,
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
	if (!aside && fsio_rename(s->parent, name, s->aside, name) < 0) {
		if (errno == ENOENT)
			return gone_or_moved(s, name);
		if (errno == EEXIST)	/* after the one that is in ASIDE */
			return REMOVAL_CHANGED;
		err_errno(e, "cannot remove %s", text_show(name));
		return REMOVAL_FAILED;
	}
	/* Out of everybody's reach now; who came before is told by this. */
	broken = lease == LEASE_HELD && fcntl(fd, F_GETLEASE) != F_RDLCK;
	return remove_aside(s, name, v, broken, e);
}

static enum removal
remove_object(struct source_dir *s, const struct object *o,
	      const struct version *v, struct err *e)
{
	enum removal r;
	const char *name;
	int fd;

	if (enter_parent(s, o->key, &name) < 0) {
		if (errno == ENOENT)
			return REMOVAL_OK;
		err_errno(e, "cannot remove %s from its directory",
			  text_show(o->key));
		return REMOVAL_FAILED;
	}
	fd = fsio_openat(o->aside ? s->aside : s->parent, name,
			 O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0 && errno == ENOENT)
		return REMOVAL_OK;
	if (fd < 0 && (errno == ELOOP || errno == EAGAIN))
		return REMOVAL_CHANGED;
	if (fd < 0) {
		err_errno(e, "cannot open %s", text_show(o->key));
		return REMOVAL_FAILED;
	}
	r = remove_open(s, fd, name, o->aside, v, e);
	fsio_close(&fd);
	return r;
}

static void
dir_remove(struct source *s, const struct object *o, const struct version *v,
	   void *ticket)
{
	struct err e = { .text = "" };
	enum removal r = remove_object(s->own, o, v, &e);

	s->listener->removed(s->listener->owner, ticket, r, &e);
}

static int
dir_next(struct source *s, struct object *o_r, struct err *e)
{
	struct source_dir *d = s->own;

	if (!d->listed && source_dir_list(s, e) < 0)
		return -1;
	d->listed = true;
	if (d->at == d->n)
		return 0;
	*o_r = d->list[d->at++];
	return 1;
}

static size_t
dir_left(const struct source *s)
{
	const struct source_dir *d = s->own;

	return d->n - d->at;
}

static void
dir_finish(struct source *s)
{
	(void)s;	/* each removal was told at once */
}

static int
dir_wait(struct source *s, struct pollfd *fds, nfds_t n, int ms)
{
	(void)s;
	return poll(fds, n, ms);
}

static void
dir_close(struct source *s)
{
	struct source_dir *d = s->own;

	leave_parent(d);
	fsio_close(&d->root);
	free(d->list);
	arena_free(&d->arena);
	free(d);
}

static const struct source_kind directory = {
	dir_next, dir_left, dir_fetch, dir_remove, dir_finish, dir_wait,
	dir_close,
};

int
source_dir_open(struct source *s)
{
	struct source_dir *d;
	int root = fsio_openat(AT_FDCWD, s->settings->path,
			       O_RDONLY | O_DIRECTORY, 0);

	if (root < 0)
		return -1;
	d = mem_alloc(sizeof(*d));
	d->root = root;
	d->parent = d->aside = -1;
	s->kind = &directory;
	s->own = d;
	return 0;
}
