/*
 * fsio - file descriptors without surprises: short reads and writes and EINTR
 * are dealt with here, so that no caller has to think of them.
 * All return -1 with errno set; the caller says what it was doing.
 */
#ifndef FALLBACKMX_FSIO_H
#define FALLBACKMX_FSIO_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Up to n bytes; less only at the end of the file. Bytes read, or -1. */
ssize_t fsio_read(int fd, void *data, size_t n);

/* All n bytes, or -1 (some may have been written). */
int fsio_write(int fd, const void *data, size_t n);

/* Reads and writes n bytes at an offset of a regular file. */
ssize_t fsio_pread(int fd, void *data, size_t n, off_t at);

/* All bytes of n parts (at most IOV_MAX) at an offset, or -1 (some may have
 * been written). The parts are changed. */
int fsio_pwritev(int fd, struct iovec *parts, int n, off_t at);

/* openat(2), again on EINTR, always O_CLOEXEC. */
int fsio_openat(int dir, const char *name, int flags, mode_t mode);

/* A directory that is itself no symbolic link: O_DIRECTORY | O_NOFOLLOW. */
int fsio_opendir(int dir, const char *name);

/* fsync(2), fdatasync(2), syncfs(2), again on EINTR only: after any other error
 * the kernel may have dropped the pages, a second try would lie (PostgreSQL's
 * "fsync gate"; reliability rule: never re-sync and believe). */
int fsio_sync(int fd);
int fsio_datasync(int fd);
int fsio_syncfs(int fd);

/* renameat2(2) with RENAME_NOREPLACE, again on EINTR. */
int fsio_rename(int from_dir, const char *from, int to_dir, const char *to);

/* unlinkat(2), again on EINTR. */
int fsio_unlink(int dir, const char *name);

/* Closes *fd if it is open and sets it to -1. 0, or -1 with errno: EDQUOT and
 * EIO of a network file system may come only here. */
int fsio_close(int *fd);

#endif
