#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/eol.h"
#include "lib/base/fsio.h"
#include "maildir.h"

#define MARK ".mark"
#define MARK_NEW ".mark.new"
#define CHUNK ((size_t)131072)
#define SYNCFS_FROM 4		/* files from which one syncfs is cheaper */

/* Only what maildir_mark_write() writes, to the byte. */
static void
parse_mark(const char *text, size_t n, char uuid_r[DELIVERY_UUID_LEN + 1],
	   uint64_t *generation_r)
{
	static const char head[] = "fallbackmx-mark 1 ";
	const size_t start = sizeof(head) - 1;
	const char *uuid = text + start, *number = uuid + DELIVERY_UUID_LEN + 1;
	unsigned long long value;
	size_t digits;

	if (strlen(text) != n || n < start + DELIVERY_UUID_LEN + 3 ||
	    memcmp(text, head, start) != 0 ||
	    strspn(uuid, "0123456789abcdef-") != DELIVERY_UUID_LEN ||
	    number[-1] != ' ')
		return;
	digits = strspn(number, "0123456789");
	errno = 0;
	value = strtoull(number, NULL, 10);
	if (digits == 0 || errno != 0 || strcmp(number + digits, "\n") != 0)
		return;
	memcpy(uuid_r, uuid, DELIVERY_UUID_LEN);
	uuid_r[DELIVERY_UUID_LEN] = '\0';
	*generation_r = value;
}

int
maildir_mark_read(struct maildir *m, char uuid_r[DELIVERY_UUID_LEN + 1],
		  uint64_t *generation_r, struct err *e)
{
	char text[128] = "";
	int fd;
	ssize_t n;

	uuid_r[0] = '\0';
	*generation_r = 0;
	if (m->stage < 0)
		return 0;
	fd = fsio_openat(m->stage, MARK, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(e, "cannot open %s/" DELIVERY_STAGE "/" MARK,
				 m->path);
	n = fsio_read(fd, text, sizeof(text) - 1);
	fsio_close(&fd);
	if (n < 0)
		return err_errno(e, "cannot read %s/" DELIVERY_STAGE "/" MARK,
				 m->path);
	parse_mark(text, (size_t)n, uuid_r, generation_r);
	return 0;
}

int
maildir_mark_write(struct maildir *m, const char *uuid, uint64_t generation,
		   struct err *e)
{
	int fd = fsio_openat(m->stage, MARK_NEW, O_WRONLY | O_CREAT | O_TRUNC |
			     O_NOFOLLOW | O_NONBLOCK, 0600);
	int r = -1;

	if (fd >= 0) {
		r = dprintf(fd, "fallbackmx-mark 1 %s %" PRIu64 "\n", uuid,
			    generation) < 0 ? -1 : fsio_sync(fd);
		if (fsio_close(&fd) < 0)
			r = -1;
	}
	if (r < 0 || renameat(m->stage, MARK_NEW, m->stage, MARK) < 0)
		return err_errno(e, "cannot write %s/" DELIVERY_STAGE "/" MARK,
				 m->path);
	return 0;
}

static struct staged *
find(struct maildir *m, const char *name)
{
	for (size_t i = 0; i < m->files_n; i++)
		if (strcmp(m->files[i].name, name) == 0)
			return &m->files[i];
	return NULL;
}

static void
forget(struct maildir *m, struct staged *f)
{
	fsio_close(&f->fd);
	*f = m->files[--m->files_n];
}

/* Keeps fd (its own from now on) for the syncs to come. */
static int
remember(struct maildir *m, const char *name, int fd, struct err *e)
{
	struct staged *f = &m->files[m->files_n];
	struct stat s;

	if (m->files_n == DELIVERY_BATCH_MAX) {
		fsio_close(&fd);
		return err_set(e, ERR_TEMP, "too many mails in one batch");
	}
	if (fstat(fd, &s) < 0) {
		err_errno(e, "cannot examine %s/" DELIVERY_STAGE "/%s",
			  m->path, name);
		fsio_close(&fd);
		return -1;
	}
	*f = (struct staged){ .fd = fd, .dev = s.st_dev, .ino = s.st_ino };
	memcpy(f->name, name, strlen(name) + 1);
	m->files_n++;
	return 0;
}

/* The stored form of the mail, piece by piece; one write for a small one. */
static int
copy(const struct delivery_request *q, const char *added, int from, int to,
     uint64_t *size_r, struct err *e)
{
	static char in[CHUNK], out[DELIVERY_ADDED_MAX + CHUNK + 2];
	struct eol eol = { .cr = false };
	uint64_t at = 0;
	size_t have = q->added;

	memcpy(out, added, q->added);
	*size_r = 0;
	for (;;) {
		ssize_t n = fsio_pread(from, in, sizeof(in), (off_t)at);

		if (n < 0)
			return err_errno(e, "cannot read the object");
		at += (uint64_t)n;
		if (q->flags & DELIVERY_VERBATIM) {
			memcpy(out + have, in, (size_t)n);
			have += (size_t)n;
		} else {
			have += eol_convert(&eol, in, (size_t)n, out + have);
		}
		if ((size_t)n < sizeof(in))
			have += eol_end(&eol, out + have);
		if (fsio_write(to, out, have) < 0)
			return err_errno(e, "cannot write");
		*size_r += have;
		have = 0;
		if ((size_t)n < sizeof(in))
			break;
	}
	if (at != q->size)
		return err_set(e, ERR_TEMP, "the object has %" PRIu64
			       " bytes in place of %" PRIu64, at, q->size);
	return 0;
}

static int
create(struct maildir *m, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	int fd = fsio_openat(m->stage, name, flags, 0600);

	/* A leftover: nothing in the ledger speaks for it, or the engine would
	 * not stage that name again. */
	if (fd < 0 && errno == EEXIST && fsio_unlink(m->stage, name) == 0)
		fd = fsio_openat(m->stage, name, flags, 0600);
	return fd;
}

int
maildir_put(struct maildir *m, const struct delivery_request *q,
	    const char *added, int fd, uint64_t *size_r, struct err *e)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_sec = (time_t)q->mtime },
	};
	struct staged *old = find(m, q->name);
	int to;

	if (old != NULL)
		forget(m, old);
	to = create(m, q->name);
	if (to < 0)
		return err_errno(e, "cannot create %s/" DELIVERY_STAGE "/%s",
				 m->path, q->name);
	if (copy(q, added, fd, to, size_r, e) < 0)
		goto failed;
	if (futimens(to, times) < 0) {
		err_errno(e, "cannot set the time");
		goto failed;
	}
	if (remember(m, q->name, to, e) == 0)
		return 0;
	to = -1;
failed:
	fsio_close(&to);
	fsio_unlink(m->stage, q->name);
	return err_prefix(e, "%s/" DELIVERY_STAGE "/%s", m->path, q->name);
}

/* Files, then the directories that name them. */
static int
sync_all(struct maildir *m, int new)
{
	if (m->syncfs && (m->files_n >= SYNCFS_FROM || m->files_n == 0))
		return fsio_syncfs(m->stage);
	for (size_t i = 0; i < m->files_n; i++)
		if (fsio_sync(m->files[i].fd) < 0)
			return -1;
	if (fsio_sync(m->stage) < 0)
		return -1;
	return new < 0 ? 0 : fsio_sync(new);
}

int
maildir_sync_stage(struct maildir *m, struct err *e)
{
	if (sync_all(m, -1) < 0) /* STEP stage-sync */
		return err_errno(e, "cannot sync %s/" DELIVERY_STAGE, m->path);
	return 0;
}

int
maildir_sync_new(struct maildir *m, struct err *e)
{
	int r = 0;

	if (sync_all(m, m->new) < 0) /* STEP new-sync */
		r = err_errno(e, "cannot sync %s/new", m->path);
	while (m->files_n > 0) {
		struct staged *f = &m->files[m->files_n - 1];

		if (fsio_close(&f->fd) < 0)
			r = err_errno(e, "cannot close %s/new/%s", m->path,
				      f->name);
		m->files_n--;
	}
	return r;
}

static bool
same_file(int dir, const char *name, const struct staged *f)
{
	struct stat s;

	return fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	       s.st_dev == f->dev && s.st_ino == f->ino;
}

/* NFS and others know no RENAME_NOREPLACE. The lock on the stage and names
 * that are ours alone make the test before the rename safe enough. */
static int
rename_plainly(struct maildir *m, const char *name)
{
	struct stat s;

	if (fstatat(m->new, name, &s, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(m->stage, name, m->new, name);
}

/* A file of an earlier run: still in the stage, or renamed and perhaps not
 * synced. */
static enum delivery_status
adopt(struct maildir *m, const char *name, struct err *e)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
	struct stat s;
	int fd = fsio_openat(m->stage, name, flags, 0);

	if (fd < 0 && errno == ENOENT)
		fd = fsio_openat(m->new, name, flags, 0);
	if (fd < 0 && errno == ENOENT)
		return DELIVERY_MISSING;
	if (fd < 0 || fstat(fd, &s) < 0) {
		err_errno(e, "cannot open %s of %s", name, m->path);
		fsio_close(&fd);
		return DELIVERY_FAILED;
	}
	if (!S_ISREG(s.st_mode) || s.st_uid != geteuid()) {
		fsio_close(&fd);
		err_set(e, ERR_TEMP, "%s in %s is no file of the owner's",
			name, m->path);
		return DELIVERY_FAILED;
	}
	return remember(m, name, fd, e) < 0 ? DELIVERY_FAILED : DELIVERY_OK;
}

enum delivery_status
maildir_commit(struct maildir *m, const char *name, struct err *e)
{
	struct staged *f = find(m, name);

	if (f == NULL) {
		enum delivery_status r = adopt(m, name, e);

		if (r != DELIVERY_OK)
			return r;
		f = find(m, name);
	}
	if (fsio_rename(m->stage, name, m->new, name) == 0) /* STEP rename */
		return DELIVERY_OK;
	if ((errno == EINVAL || errno == ENOSYS) &&
	    rename_plainly(m, name) == 0)
		return DELIVERY_OK;
	if (errno == ENOENT)	/* NFS repeats a rename whose answer it lost */
		return same_file(m->new, name, f) ? DELIVERY_OK
						  : DELIVERY_MISSING;
	if (errno == EEXIST && !same_file(m->new, name, f))
		return DELIVERY_EXISTS;
	/* A file system that was cut in the middle may have left both names. */
	if (errno == EEXIST && fsio_unlink(m->stage, name) == 0)
		return DELIVERY_OK;
	err_errno(e, "cannot rename %s/" DELIVERY_STAGE "/%s to %s/new/",
		  m->path, name, m->path);
	return DELIVERY_FAILED;
}

int
maildir_drop(struct maildir *m, const char *name, struct err *e)
{
	struct staged *f = find(m, name);

	if (f != NULL)
		forget(m, f);
	if (fsio_unlink(m->stage, name) < 0 && errno != ENOENT)
		return err_errno(e, "cannot remove %s/" DELIVERY_STAGE "/%s",
				 m->path, name);
	return 0;
}
