#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fsio.h"

double
clock_monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int64_t
clock_wall(void)
{
	return (int64_t)time(NULL);
}

const char *
clock_boot_id(void)
{
	static char id[64];
	int fd;

	if (id[0] != '\0')
		return id;
	fd = fsio_openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id",
			 O_RDONLY, 0);
	if (fd < 0)
		return id;
	if (fsio_read(fd, id, sizeof(id) - 1) < 0)
		id[0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	fsio_close(&fd);
	return id;
}
