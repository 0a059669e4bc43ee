/*
 * flushes - counts the flushes of a program that it is preloaded into, makes
 * them slow and lets them fail, as a file says at that moment:
 *
 *	FLUSHES=DIR	DIR/count gets a byte for each: d fdatasync, s fsync
 *			DIR/plan, if it is there: "MILLISECONDS ERRNO BYTES"
 *
 * The time is slept before the call: until it is over nothing is on the disk.
 * It is over when the plan is taken away. Flushes overlap, as on a disk with a
 * queue. One that fails is not made. BYTES, if given: files that are smaller
 * are flushed as ever.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAP_MS 10

static char dir[3072];

struct plan {
	long ms;
	int error;
	long bytes;
};

/* The milter drops its environment. */
__attribute__((constructor)) static void
remember(void)
{
	const char *given = getenv("FLUSHES");

	snprintf(dir, sizeof(dir), "%s", given != NULL ? given : "/nowhere");
}

static int
open_in(const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags | O_CLOEXEC, 0666);
}

static struct plan
read_plan(void)
{
	struct plan p = { .ms = 0 };
	char text[64];
	const int fd = open_in("plan", O_RDONLY);
	const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%ld %d %ld", &p.ms, &p.error, &p.bytes) < 2)
		p = (struct plan){ .ms = 0 };
	return p;
}

static void
count(char letter)
{
	const int fd = open_in("count", O_WRONLY | O_CREAT | O_APPEND);

	if (fd < 0)
		return;
	if (write(fd, &letter, 1) != 1)
		abort();
	close(fd);
}

static bool
is_planned(void)
{
	const int fd = open_in("plan", O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
pause_for(long ms)
{
	while (ms > 0 && is_planned()) {
		const long nap = ms < NAP_MS ? ms : NAP_MS;
		const struct timespec t = { .tv_nsec = nap * 1000000 };

		nanosleep(&t, NULL);
		ms -= nap;
	}
}

static int
flush(int fd, char letter, long call)
{
	struct plan p = read_plan();
	struct stat s;

	if (p.bytes > 0 && (fstat(fd, &s) < 0 || s.st_size < p.bytes))
		p = (struct plan){ .ms = 0 };
	count(letter);
	pause_for(p.ms);
	if (p.error == 0)
		return (int)syscall(call, fd);
	errno = p.error;
	return -1;
}

int
fdatasync(int fd)
{
	return flush(fd, 'd', SYS_fdatasync);
}

int
fsync(int fd)
{
	return flush(fd, 's', SYS_fsync);
}
