/* What a maildir holds, told to the engine in memory files. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/base/fsio.h"
#include "maildir.h"

/* Adds the names of dir that are ours, each with prefix and its NUL. */
static int
add_names(FILE *out, int dir, const char *prefix)
{
	int fd = fsio_opendir(dir, ".");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *f;
	int why;

	if (d == NULL) {
		fsio_close(&fd);
		return -1;
	}
	while (errno = 0, (f = readdir(d)) != NULL)
		if (delivery_name_id(f->d_name) != NULL &&
		    fprintf(out, "%s%s%c", prefix, f->d_name, '\0') < 0)
			break;
	why = errno;
	closedir(d);
	errno = why;
	return f != NULL || why != 0 ? -1 : 0;
}

/* Nobody can change it any more, and nobody can make its reader wait. */
static int
seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
		     F_SEAL_GROW | F_SEAL_WRITE);
}

int
maildir_list(struct maildir *m, bool staged, int *fd_r, struct err *e)
{
	int fd = memfd_create("names", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int r;

	*fd_r = -1;
	if (out == NULL) {
		fsio_close(&fd);
		return err_errno(e, "cannot list %s", m->path);
	}
	if (!staged)
		r = add_names(out, m->new, "n/") < 0 ||
		    add_names(out, m->cur, "c/") < 0 ? -1 : 0;
	else
		r = m->stage < 0 ? 0 : add_names(out, m->stage, "");
	if (r == 0 && fflush(out) == 0 && seal(fd) == 0)
		*fd_r = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (*fd_r < 0)
		r = err_errno(e, "cannot list %s", m->path);
	fclose(out);
	return r;
}

static int
copy_to_memory(int from, int *fd_r)
{
	static char data[65536];
	ssize_t n;

	*fd_r = memfd_create("mail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd_r < 0)
		return -1;
	do {
		n = fsio_read(from, data, sizeof(data));
		if (n < 0 || fsio_write(*fd_r, data, (size_t)n) < 0)
			return -1;
	} while (n == (ssize_t)sizeof(data));
	return seal(*fd_r);
}

int
maildir_read(struct maildir *m, const char *name, bool cur, int *fd_r,
	     struct err *e)
{
	const char *where = cur ? "cur" : "new";
	int fd = fsio_openat(cur ? m->cur : m->new, name,
			     O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat s;
	int r = 0;

	*fd_r = -1;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &s) < 0)
		r = err_errno(e, "cannot open %s/%s/%s", m->path, where, name);
	else if (!S_ISREG(s.st_mode))
		r = err_set(e, ERR_TEMP, "%s/%s/%s is no regular file",
			    m->path, where, name);
	else if (copy_to_memory(fd, fd_r) < 0)
		r = err_errno(e, "cannot read %s/%s/%s", m->path, where, name);
	fsio_close(&fd);
	if (r < 0)
		fsio_close(fd_r);
	return r;
}
