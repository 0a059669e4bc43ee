#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "lock.h"

/* The directory's owner may have linked another's file there, which must not
 * become his. */
static int
give_to_owner(int fd, const struct stat *file, const struct stat *dir)
{
	if (geteuid() != 0 || file->st_uid == dir->st_uid)
		return 0;
	errno = EMLINK;
	return file->st_nlink > 1 ? -1
	       : fchown(fd, dir->st_uid, dir->st_gid);
}

int
lock_file(int dir, const char *name, struct err *e)
{
	int fd = fsio_openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW |
			     O_NONBLOCK, 0600);
	struct stat file, owner;
	int error;

	if (fd < 0 || fstat(fd, &file) < 0 || fstat(dir, &owner) < 0) {
		err_errno(e, "cannot open its lock, %s", name);
	} else if (!S_ISREG(file.st_mode)) {
		errno = EINVAL;
		err_set(e, ERR_TEMP, "cannot lock it: %s is no file", name);
	} else if (give_to_owner(fd, &file, &owner) < 0) {
		err_errno(e, "cannot give its lock, %s, to its owner", name);
	} else {
		return fd;
	}
	error = errno;
	fsio_close(&fd);
	errno = error;
	return -1;
}
