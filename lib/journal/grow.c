#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "journal-private.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lock.h"

#define MODE 0640	/* the archive's group may read */

int
grow_open(struct journal *j, struct err *e)
{
	int dir = fsio_openat(AT_FDCWD, j->path, O_RDONLY | O_DIRECTORY, 0);
	int lock = dir < 0 ? err_errno(e, "cannot open its directory")
		   : lock_file(dir, JOURNAL_LOCK, e);
	const int error = errno;

	if (lock < 0) {
		fsio_close(&dir);
		errno = error;
		return -1;
	}
	fsio_close(&j->fd);
	fsio_close(&j->lock_fd);
	fsio_close(&j->dir);
	j->dir = dir;
	j->lock_fd = lock;
	j->own = false;
	return 0;
}

/* A backup that was restored, a disk that was mounted or went away, a hand that
 * removed the lock: others would look elsewhere, or not wait for us. */
bool
grow_is_in_place(const struct journal *j)
{
	struct arena a = { NULL };
	struct stat ours, theirs;
	const bool is = fstat(j->lock_fd, &ours) == 0 &&
			stat(arena_printf(&a, "%s/%s", j->path, JOURNAL_LOCK),
			     &theirs) == 0 &&
			ours.st_dev == theirs.st_dev &&
			ours.st_ino == theirs.st_ino;

	arena_free(&a);
	return is;
}

static int
wait_for_lock(struct journal *j, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	const double until = clock_monotonic() +
			     j->options.lock_wait_ms / 1000.0;

	while (flock(j->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(e, "cannot lock it");
		if (clock_monotonic() > until)
			return err_set(e, ERR_TEMP, "another process has "
				       "locked it");
		nanosleep(&pause, NULL);
	}
	return 0;
}

int
grow_lock(struct journal *j, struct err *e)
{
	for (int tries = 0; tries < 3; tries++) {
		if (wait_for_lock(j, e) < 0)
			return -1;
		if (grow_is_in_place(j))
			return 0;
		grow_unlock(j);
		if (grow_open(j, e) < 0)
			return -1;
	}
	return err_set(e, ERR_TEMP, "somebody removes its lock");
}

void
grow_unlock(struct journal *j)
{
	flock(j->lock_fd, LOCK_UN);
}

/* A restored backup, say, has put another file in its place. */
static bool
was_removed(const struct journal *j)
{
	struct stat st;

	return j->fd >= 0 && (fstat(j->fd, &st) < 0 || st.st_nlink == 0);
}

bool
grow_was_overtaken(const struct journal *j)
{
	char name[FORMAT_NAME_SIZE];

	if (was_removed(j))
		return true;
	format_name(j->number + 1, name);
	return faccessat(j->dir, name, F_OK, 0) == 0;
}

bool
grow_must_look(const struct journal *j)
{
	return !j->own || grow_was_overtaken(j);
}

/* What is to be erased stands there until it is: nobody may rely on it. */
static void
forget_erased(struct journal *j, const struct format_record *r,
	      const char *metadata)
{
	struct arena a = { NULL };
	struct format_place place;
	struct control c;
	struct err e;

	if (control_read(metadata, (size_t)r->metadata_n, &c, &a, &e) == 0 &&
	    c.word == CONTROL_ERASE && c.id != NULL &&
	    format_place(c.id, &place))
		recent_forget(&j->recent, place);
	arena_free(&a);
}

/* Keys of a segment's records up to its end. Damage is no reason to stop. */
static void
remember(struct journal *j, struct segment *s, uint64_t end)
{
	struct format_record r;
	const char *metadata;
	struct err e;

	for (uint64_t at = FORMAT_SEGMENT_HEADER; at < end;) {
		enum segment_found found = segment_record(s, at, &r, &metadata,
							  &e);

		if (found == SEGMENT_FAILED || found == SEGMENT_END)
			return;
		if (found == SEGMENT_DAMAGED) {
			at = segment_pass(s, at);
			continue;
		}
		if (r.type == FORMAT_MESSAGE && r.state == FORMAT_WHOLE)
			recent_add(&j->recent, &r);
		if (r.type == FORMAT_CONTROL)
			forget_erased(j, &r, metadata);
		at += format_record_size(&r);
	}
}

/* The segment before the last one; it may have been removed. */
static void
remember_before(struct journal *j, const struct segment *last)
{
	struct segment *s;
	struct err e;

	if (last->header.number < 2)
		return;
	s = mem_alloc(sizeof(*s));
	if (segment_open(s, j->dir, last->header.number - 1, &e) == 0) {
		remember(j, s, last->header.previous_end);
		segment_close(s);
	}
	free(s);
}

static void
note_found(struct journal *j, const struct segment_tail *t)
{
	if (t->damage != 0)
		snprintf(j->found, sizeof(j->found), "segment %" PRIu32 " is "
			 "damaged at %" PRIu64 ": run fallbackmx archive "
			 "verify", j->number, t->damage);
	else if (t->torn != 0)
		snprintf(j->found, sizeof(j->found), "segment %" PRIu32 " had "
			 "%" PRIu64 " bytes behind its end, of an append that "
			 "was not finished", j->number, t->torn);
}

/* Who wrote it may have died before its flush: what stands there whole counts
 * from now on, so it has to be on the disk. */
static int
flush_last(const struct segment *s, struct err *e)
{
	int ret = fsio_datasync(s->fd);		/* STEP tail-sync */

	if (ret < 0)
		return err_errno(e, "cannot flush segment %" PRIu32,
				 s->header.number);
	/* If a flush failed before this one, the kernel may show pages that the
	 * disk does not have. */
	posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

/* Nothing can be added behind a segment whose header says nothing. */
static int
open_last(const struct journal *j, uint32_t number, struct segment *s_r,
	  struct err *e)
{
	char name[FORMAT_NAME_SIZE];
	struct err why;

	if (segment_open(s_r, j->dir, number, e) == 0)
		return 0;
	if (e->kind != ERR_PERM)
		return -1;
	why = *e;
	format_name(number, name);
	return err_set(e, ERR_PERM, "%s; it is the last one, and nothing can "
		       "be added behind it: keep %s in another directory, and "
		       "start again", why.text, name);
}

static int
follow(struct journal *j, uint32_t number, struct err *e)
{
	struct segment *s = mem_alloc(sizeof(*s));
	struct segment_tail t;
	int ret = open_last(j, number, s, e);

	if (ret < 0) {
		free(s);
		return -1;
	}
	ret = flush_last(s, e);
	if (ret == 0)
		ret = segment_find_tail(s, &t, e);
	if (ret == 0) {
		memcpy(j->uuid, s->header.uuid, FORMAT_UUID);
		j->has_uuid = true;
		j->number = number;
		j->end = t.end;
		memcpy(j->chain, t.chain, HASH_SIZE);
		note_found(j, &t);
		remember_before(j, s);
		remember(j, s, t.end);
	}
	segment_close(s);
	free(s);
	return ret;
}

void
grow_leave(struct journal *j)
{
	/* Where it stays it is harmless. */
	if (j->fd >= 0 && j->room > j->end)
		(void)!ftruncate(j->fd, (off_t)j->end);
	fsio_close(&j->fd);
}

int
grow_find_end(struct journal *j, struct err *e)
{
	uint32_t *all = NULL;
	size_t n = 0;
	int ret = segment_list(j->dir, &all, &n, e);

	grow_leave(j);
	j->own = false;
	recent_free(&j->recent);
	if (ret == 0 && n > 0)
		ret = follow(j, all[n - 1], e);
	else if (ret == 0 && j->number > 0)
		ret = err_set(e, ERR_TEMP, "its segments are gone: is "
			      "its disk mounted? It begins anew at a start "
			      "only");
	else if (ret == 0 && j->options.existing)
		ret = err_stop(e, EX_NOINPUT, "there is no archive");
	free(all);
	return ret;
}

/* Root must not leave files that the archive's owner cannot read. */
static int
give_to_owner(struct journal *j, int fd)
{
	struct stat dir;

	if (fchmod(fd, MODE) < 0)
		return -1;
	if (geteuid() != 0)
		return 0;
	return fstat(j->dir, &dir) < 0 ? -1
	       : fchown(fd, dir.st_uid, dir.st_gid);
}

/* The new file under a name that no reader looks at. */
static int
write_header(struct journal *j, const char *name,
	     const uint8_t header[FORMAT_SEGMENT_HEADER], struct err *e)
{
	int ret;

	if (fsio_unlink(j->dir, name) < 0 && errno != ENOENT)
		return err_errno(e, "cannot remove %s", name);
	j->fd = fsio_openat(j->dir, name, O_WRONLY | O_CREAT | O_EXCL, MODE);
	if (j->fd < 0)
		return err_errno(e, "cannot create %s", name);
	ret = give_to_owner(j, j->fd);
	if (ret == 0)
		ret = fsio_write(j->fd, header, FORMAT_SEGMENT_HEADER);
	if (ret < 0)
		return err_errno(e, "cannot write %s", name);
	ret = fsio_sync(j->fd);		/* STEP segment-sync */
	return ret < 0 ? err_errno(e, "cannot flush %s", name) : 0;
}

/* errno stays what it was. */
static void
remove_new(struct journal *j, const char *name)
{
	const int error = errno;

	fsio_unlink(j->dir, name);
	errno = error;
}

static int
begin(struct journal *j, const struct format_segment *s, struct err *e)
{
	uint8_t header[FORMAT_SEGMENT_HEADER];
	char name[FORMAT_NAME_SIZE], new[FORMAT_NAME_SIZE];
	int ret;

	format_put_segment(s, header);
	format_name(s->number, name);
	snprintf(new, sizeof(new), "%010" PRIu32 ".new", s->number);
	if (write_header(j, new, header, e) < 0) {
		remove_new(j, new);
		return -1;
	}
	/* What it says of the segment before is true under the lock alone. */
	if (!grow_is_in_place(j)) {
		remove_new(j, new);
		return err_set(e, ERR_TEMP, "somebody removed its lock");
	}
	ret = fsio_rename(j->dir, new, j->dir, name);	/* STEP segment-name */
	if (ret < 0) {
		err_errno(e, "cannot rename %s to %s", new, name);
		remove_new(j, new);
		return -1;
	}
	ret = fsio_sync(j->dir);	/* STEP segment-name-sync */
	if (ret < 0)
		return err_errno(e, "cannot flush the directory");
	format_chain_start(header, j->chain);
	return 0;
}

int
grow_segment(struct journal *j, int64_t now_us, struct err *e)
{
	struct format_segment s = {
		.number = j->number + 1, .created_us = now_us,
		.previous_end = j->number ? j->end : 0,
	};

	grow_leave(j);
	if (s.number == 0)
		return err_set(e, ERR_TEMP, "it has no numbers left");
	while (!j->has_uuid)
		j->has_uuid = getrandom(j->uuid, FORMAT_UUID, 0) ==
			      FORMAT_UUID;
	memcpy(s.uuid, j->uuid, FORMAT_UUID);
	if (j->number > 0)
		memcpy(s.previous_chain, j->chain, HASH_SIZE);
	if (begin(j, &s, e) < 0)
		return -1;
	j->own = true;
	j->number = s.number;
	j->created_us = now_us;
	j->end = j->room = FORMAT_SEGMENT_HEADER;
	j->segments++;
	return 0;
}
