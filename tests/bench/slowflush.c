/*
 * slowflush - adds 5 ms to each flush of a program it is preloaded into.
 *
 * A virtual disk flushes in 0.2 ms and hides what a real one would cost. The
 * time is slept after the call, so flushes of several threads or processes
 * overlap, as they do on a disk with a queue.
 */
#include <config.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long
slowly(long r)
{
	const struct timespec flush = { .tv_nsec = 5000000 };

	nanosleep(&flush, NULL);
	return r;
}

int
fsync(int fd)
{
	return (int)slowly(syscall(SYS_fsync, fd));
}

int
fdatasync(int fd)
{
	return (int)slowly(syscall(SYS_fdatasync, fd));
}

int
syncfs(int fd)
{
	return (int)slowly(syscall(SYS_syncfs, fd));
}

void
sync(void)
{
	slowly(syscall(SYS_sync));
}

int
sync_file_range(int fd, off_t from, off_t count, unsigned int flags)
{
	return (int)slowly(syscall(SYS_sync_file_range, fd, from, count,
	    flags));
}

int
msync(void *at, size_t size, int flags)
{
	return (int)slowly(syscall(SYS_msync, at, size, flags));
}
