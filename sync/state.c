#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "state.h"

#define STALE 3600	/* seconds that a run may hold the lock in silence */

static int
stop_errno(struct err *e, const char *verb, const char *dir)
{
	int code = errno == EACCES || errno == EPERM || errno == EROFS
		 ? EX_NOPERM : EX_TEMPFAIL;

	err_errno(e, "cannot %s the state directory %s", verb, dir);
	e->kind = ERR_STOP;
	e->code = code;
	return -1;
}

static int
make_parents(const char *dir)
{
	char path[PATH_MAX];
	size_t n = strlen(dir);

	if (n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, dir, n + 1);
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -1;
		*at = '/';
	}
	return 0;
}

static bool
is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	bool found = d == NULL;

	for (const struct dirent *at; !found && (at = readdir(d)) != NULL;)
		found = strcmp(at->d_name, ".") != 0 &&
			strcmp(at->d_name, "..") != 0;
	if (d)
		closedir(d);
	return !found;
}

/*
 * One that is ours still is from this run, from another that is just making
 * it, or from one that was killed then: whoever comes first gives it away.
 */
static int
give_away(const char *dir, uid_t uid, gid_t gid)
{
	struct stat s;

	if (lstat(dir, &s) < 0)
		return -1;
	if (s.st_uid == uid || s.st_uid != geteuid() ||
	    (s.st_mode & (S_IFMT | 077)) != S_IFDIR || !is_empty(dir))
		return 0;
	return lchown(dir, uid, gid);
}

int
state_prepare(const char *dir, uid_t uid, gid_t gid, struct err *e)
{
	struct stat s;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST &&
	    (errno != ENOENT || make_parents(dir) < 0 ||
	     (mkdir(dir, 0700) < 0 && errno != EEXIST)))
		return stop_errno(e, "create", dir);
	if (give_away(dir, uid, gid) < 0)
		return stop_errno(e, "give away", dir);
	if (lstat(dir, &s) < 0)
		return stop_errno(e, "examine", dir);
	if (!S_ISDIR(s.st_mode))
		return err_stop(e, EX_CONFIG, "the state directory %s is no "
				"directory", dir);
	if (s.st_uid != uid)
		return err_stop(e, EX_NOPERM, "the state directory %s belongs "
				"to uid %lu, the engine runs as uid %lu: chown "
				"it or name another with --state-dir", dir,
				(unsigned long)s.st_uid, (unsigned long)uid);
	if ((s.st_mode & 077) != 0)
		return err_stop(e, EX_NOPERM, "the state directory %s is open "
				"to others (mode %03o): chmod 700 it", dir,
				(unsigned)(s.st_mode & 0777));
	return 0;
}

enum state_lock
state_lock(const char *dir, const uint8_t sid[HASH_SIZE], int *fd_r,
	   struct err *e)
{
	char path[PATH_MAX], id[17];
	struct stat s;
	int64_t age;

	text_hex(id, sid, 8);
	snprintf(path, sizeof(path), "%s/lock.%s", dir, id);
	*fd_r = fsio_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW,
			    0600);
	if (*fd_r < 0) {
		stop_errno(e, "make a lock in", dir);
		return STATE_FAILED;
	}
	if (flock(*fd_r, LOCK_EX | LOCK_NB) == 0 &&
	    futimens(*fd_r, NULL) == 0)
		return STATE_LOCKED;
	if (errno != EWOULDBLOCK || fstat(*fd_r, &s) < 0) {
		stop_errno(e, "lock", dir);
		fsio_close(fd_r);
		return STATE_FAILED;
	}
	fsio_close(fd_r);
	age = clock_wall() - s.st_mtim.tv_sec;
	if (age < STALE)
		return STATE_BUSY;
	err_set(e, ERR_TEMP, "another run has been working for %lld minutes: "
		"see who holds %s", (long long)age / 60, path);
	return STATE_STALE;
}
