#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fsio.h"

/* Evaluates CALL until it is not interrupted. */
#define RETRY(result, CALL)						\
	do								\
		(result) = (CALL);					\
	while ((result) < 0 && errno == EINTR)

ssize_t
fsio_read(int fd, void *data, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got;

		RETRY(got, read(fd, (char *)data + have, n - have));
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

ssize_t
fsio_pread(int fd, void *data, size_t n, off_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got;

		RETRY(got, pread(fd, (char *)data + have, n - have,
				 at + (off_t)have));
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int
fsio_write(int fd, const void *data, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t put;

		RETRY(put, write(fd, (const char *)data + done, n - done));
		if (put < 0)
			return -1;
		if (put == 0) {
			errno = ENOSPC;
			return -1;
		}
		done += (size_t)put;
	}
	return 0;
}

/* Leaves what is behind the first `done` bytes. Parts left. */
static int
advance(struct iovec **parts, int n, size_t done)
{
	while (n > 0 && done >= (*parts)->iov_len) {
		done -= (*parts)->iov_len;
		++*parts;
		n--;
	}
	if (n > 0) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + done;
		(*parts)->iov_len -= done;
	}
	return n;
}

int
fsio_pwritev(int fd, struct iovec *parts, int n, off_t at)
{
	n = advance(&parts, n, 0);
	while (n > 0) {
		ssize_t put;

		RETRY(put, pwritev(fd, parts, n, at));
		if (put < 0)
			return -1;
		if (put == 0) {
			errno = ENOSPC;
			return -1;
		}
		at += put;
		n = advance(&parts, n, (size_t)put);
	}
	return 0;
}

int
fsio_openat(int dir, const char *name, int flags, mode_t mode)
{
	int fd;

	RETRY(fd, openat(dir, name, flags | O_CLOEXEC, mode));
	return fd;
}

int
fsio_opendir(int dir, const char *name)
{
	return fsio_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

int
fsio_sync(int fd)
{
	int r;

	RETRY(r, fsync(fd));
	return r;
}

int
fsio_datasync(int fd)
{
	int r;

	RETRY(r, fdatasync(fd));
	return r;
}

int
fsio_syncfs(int fd)
{
	int r;

	RETRY(r, syncfs(fd));
	return r;
}

int
fsio_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	int r;

	RETRY(r, renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE));
	return r;
}

int
fsio_unlink(int dir, const char *name)
{
	int r;

	RETRY(r, unlinkat(dir, name, 0));
	return r;
}

int
fsio_close(int *fd)
{
	int r = 0;

	if (*fd >= 0)
		r = close(*fd);
	*fd = -1;
	/* Linux has closed it even when it says EINTR (close(2)). */
	return r < 0 && errno == EINTR ? 0 : r;
}
