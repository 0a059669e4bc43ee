/*
 * failcall - lets one call of a program that it is preloaded into fail:
 *
 *	FAILCALL="NAME NUMBER ERRNO"	the NUMBERth call of NAME, from 1 on;
 *					ERRNO 0: it is killed there
 *
 * A flush that fails loses what was written since the one before, as a kernel
 * does that has dropped the pages: zeros stand there from then on.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned int flags);

static char which[32];
static int number, error_wanted;
static atomic_int seen;
static atomic_long flushed;	/* bytes of the file that was flushed last */

/* The milter drops its environment. */
__attribute__((constructor)) static void
read_plan(void)
{
	const char *plan = getenv("FAILCALL");

	if (plan == NULL ||
	    sscanf(plan, "%31s %d %d", which, &number, &error_wanted) != 3)
		number = 0;
}

static int
fails(const char *name)
{
	if (strcmp(which, name) != 0 ||
	    atomic_fetch_add(&seen, 1) + 1 != number)
		return 0;
	if (error_wanted == 0)
		raise(SIGKILL);
	errno = error_wanted;
	return error_wanted;
}

static int
flush(int fd, const char *name, long call)
{
	static const char zeros[65536];
	const int error = fails(name);
	struct stat st;

	if (error == 0) {
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			atomic_store(&flushed, st.st_size);
		return (int)syscall(call, fd);
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		for (long at = atomic_load(&flushed); at < st.st_size;) {
			const long left = st.st_size - at;
			const size_t n = left < (long)sizeof(zeros)
				? (size_t)left : sizeof(zeros);

			if (pwrite(fd, zeros, n, at) < 0)
				break;
			at += (long)n;
		}
	errno = error;
	return -1;
}

int
fdatasync(int fd)
{
	return flush(fd, "fdatasync", SYS_fdatasync);
}

int
fsync(int fd)
{
	return flush(fd, "fsync", SYS_fsync);
}

/* Half of the first part may have been written. */
ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	const int error = fails("pwritev");

	if (error == 0)
		return syscall(SYS_pwritev, fd, v, n, (long)at, 0);
	if (n > 0 && pwrite(fd, v->iov_base, v->iov_len / 2, at) < 0)
		abort();
	errno = error;
	return -1;
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
	  unsigned int flags)
{
	return fails("renameat2") ? -1
	       : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails("renameat") ? -1
	       : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int
unlinkat(int dir, const char *name, int flags)
{
	return fails("unlinkat") ? -1
	       : (int)syscall(SYS_unlinkat, dir, name, flags);
}

int
openat(int dir, const char *name, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fails("openat") ? -1
	       : (int)syscall(SYS_openat, dir, name, flags, mode);
}
