#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "maildir.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342	/* statfs(2); in newer headers */
#endif
#define LOCK_TRIES 50		/* of 100 ms */

void
maildir_init(struct maildir *m, const char *path)
{
	*m = (struct maildir){
		.path = path, .dir = -1, .new = -1, .cur = -1, .stage = -1,
	};
}

/* Before Linux 5.8 syncfs(2) did not report write errors. */
static bool
kernel_reports_syncfs(void)
{
	struct utsname u;
	char *dot;
	long major, minor;

	if (uname(&u) < 0)
		return false;
	major = strtol(u.release, &dot, 10);
	minor = *dot == '.' ? strtol(dot + 1, NULL, 10) : 0;
	return major > 5 || (major == 5 && minor >= 8);
}

/* The file systems on which make check-powercut has shown it. */
static bool
syncfs_is_sound(int fd)
{
	struct statfs s;

	if (fstatfs(fd, &s) < 0 || !kernel_reports_syncfs())
		return false;
	return s.f_type == EXT4_SUPER_MAGIC || s.f_type == XFS_SUPER_MAGIC;
}

static int
own(struct maildir *m, int fd, const char *what, struct err *e)
{
	struct stat s;

	if (fstat(fd, &s) < 0)
		return err_errno(e, "cannot examine %s/%s", m->path, what);
	if (s.st_uid != geteuid())
		return err_set(e, ERR_TEMP, "%s/%s belongs to uid %lu, not to "
			       "the mailbox's owner (uid %lu)", m->path, what,
			       (unsigned long)s.st_uid,
			       (unsigned long)geteuid());
	return 0;
}

static int
open_part(struct maildir *m, const char *name, int *fd_r, struct err *e)
{
	*fd_r = fsio_opendir(m->dir, name);
	if (*fd_r < 0)
		return err_errno(e, "cannot open %s/%s as a directory",
				 m->path, name);
	return own(m, *fd_r, name, e);
}

/* True if nothing but parts of a Maildir is in it: a new one, or one that a
 * killed run had begun to make. */
static bool
is_unused(int dir)
{
	int fd = fsio_opendir(dir, ".");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool unused = d != NULL;
	struct dirent *f;

	while (d != NULL && (f = readdir(d)) != NULL) {
		const char *n = f->d_name;

		if (strcmp(n, ".") && strcmp(n, "..") && strcmp(n, "tmp") &&
		    strcmp(n, "cur") && strcmp(n, "new"))
			unused = false;
	}
	if (d != NULL)
		closedir(d);
	return unused;
}

/* The parts of a Maildir that are missing, when it is a new one. new/ comes
 * last: where it is, the others are. */
static int
make_parts(struct maildir *m, struct err *e)
{
	static const char *const parts[] = { "tmp", "cur", "new" };
	struct stat s;

	if (fstatat(m->dir, "new", &s, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (!is_unused(m->dir))
		return err_set(e, ERR_TEMP, "%s is not a Maildir: it holds "
			       "other files but no new/", m->path);
	for (size_t i = 0; i < 3; i++)
		if (mkdirat(m->dir, parts[i], 0700) < 0 && errno != EEXIST)
			return err_errno(e, "cannot create %s/%s", m->path,
					 parts[i]);
	if (fsio_sync(m->dir) < 0)
		return err_errno(e, "cannot sync %s", m->path);
	return 0;
}

/* Nothing of ours goes there, but a link in its place is no Maildir. */
static int
check_tmp(struct maildir *m, struct err *e)
{
	int fd = -1;
	int r = open_part(m, "tmp", &fd, e);

	fsio_close(&fd);
	return r;
}

static int
sync_parent(struct maildir *m, struct err *e)
{
	int fd = fsio_opendir(m->dir, "..");
	int r;

	/* A home that we may not read: its own syncs will have to do. */
	if (fd < 0)
		return 0;
	r = fsio_sync(fd);
	fsio_close(&fd);
	return r < 0 ? err_errno(e, "cannot sync the parent of %s", m->path)
		     : 0;
}

static int
open_dir(struct maildir *m, unsigned flags, struct err *e)
{
	const bool make = !(flags & (DELIVERY_READ_ONLY | DELIVERY_KNOWN));
	bool made = false;

	if (make && mkdir(m->path, 0700) == 0)
		made = true;
	else if (make && errno != EEXIST)
		return err_errno(e, "cannot create %s", m->path);
	/* The Maildir may be its owner's link to another disk. */
	m->dir = fsio_openat(AT_FDCWD, m->path, O_RDONLY | O_DIRECTORY, 0);
	if (m->dir < 0 && errno == ENOENT && (flags & DELIVERY_KNOWN))
		return err_set(e, ERR_TEMP, "%s is gone, and mail was "
			       "delivered there: is its disk mounted? If it "
			       "is to be made anew, run once with --take-over",
			       m->path);
	if (m->dir < 0)
		return err_errno(e, "cannot open %s", m->path);
	if (own(m, m->dir, "", e) < 0)
		return -1;
	if (made && sync_parent(m, e) < 0)
		return -1;
	return make ? make_parts(m, e) : 0;
}

static int
lock_stage(struct maildir *m, bool wait, bool *busy_r, struct err *e)
{
	const struct timespec nap = { .tv_nsec = 100 * 1000 * 1000 };

	for (int i = 0; flock(m->stage, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(e, "cannot lock %s/" DELIVERY_STAGE,
					 m->path);
		if (!wait) {
			*busy_r = true;
			return 0;
		}
		if (i == LOCK_TRIES)
			return err_set(e, ERR_TEMP, "%s/" DELIVERY_STAGE " is "
				       "locked by another delivery", m->path);
		nanosleep(&nap, NULL);
	}
	return 0;
}

static int
open_stage(struct maildir *m, unsigned flags, bool *busy_r, struct err *e)
{
	const bool read_only = flags & DELIVERY_READ_ONLY;
	struct stat stage, new;
	bool made = false;

	if (!read_only && mkdirat(m->dir, DELIVERY_STAGE, 0700) == 0)
		made = true;
	else if (!read_only && errno != EEXIST)
		return err_errno(e, "cannot create %s/" DELIVERY_STAGE,
				 m->path);
	m->stage = fsio_opendir(m->dir, DELIVERY_STAGE);
	if (m->stage < 0 && read_only && errno == ENOENT)
		return 0;
	if (m->stage < 0)
		return err_errno(e, "cannot open %s/" DELIVERY_STAGE
				 " as a directory", m->path);
	if (own(m, m->stage, DELIVERY_STAGE, e) < 0)
		return -1;
	if (made && fsio_sync(m->dir) < 0)
		return err_errno(e, "cannot sync %s", m->path);
	if (fstat(m->stage, &stage) < 0 || fstat(m->new, &new) < 0)
		return err_errno(e, "cannot examine %s", m->path);
	if (stage.st_dev != new.st_dev)
		return err_set(e, ERR_TEMP, "%s/" DELIVERY_STAGE " and "
			       "%s/new are on different file systems",
			       m->path, m->path);
	return read_only ? 0 : lock_stage(m, !(flags & DELIVERY_NO_WAIT),
					  busy_r, e);
}

int
maildir_open(struct maildir *m, unsigned flags, bool *busy_r, struct err *e)
{
	*busy_r = false;
	m->read_only = flags & DELIVERY_READ_ONLY;
	if (open_dir(m, flags, e) < 0 ||
	    check_tmp(m, e) < 0 ||
	    open_part(m, "new", &m->new, e) < 0 ||
	    open_part(m, "cur", &m->cur, e) < 0 ||
	    open_stage(m, flags, busy_r, e) < 0) {
		maildir_close(m);
		return -1;
	}
	if (*busy_r) {
		maildir_close(m);
		return 0;
	}
	m->syncfs = syncfs_is_sound(m->new);
	return 0;
}

void
maildir_close(struct maildir *m)
{
	for (size_t i = 0; i < m->files_n; i++)
		fsio_close(&m->files[i].fd);
	m->files_n = 0;
	fsio_close(&m->stage);
	fsio_close(&m->cur);
	fsio_close(&m->new);
	fsio_close(&m->dir);
}
