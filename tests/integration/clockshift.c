/*
 * clockshift - gives a program that it is preloaded into a wall clock that is
 * off by CLOCK_SHIFT seconds; with CLOCK_STILL, a monotonic clock that stands
 * still: nothing that the program does depends on how long it takes.
 */
#include <config.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long shift;
static bool stands;
static struct timespec still;
static int (*real)(clockid_t, struct timespec *);

/* Before main(), which drops the environment. */
__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("CLOCK_SHIFT");
	void *found = dlsym(RTLD_NEXT, "clock_gettime");

	memcpy(&real, &found, sizeof(real));
	shift = text ? strtoll(text, NULL, 10) : 0;
	real(CLOCK_MONOTONIC, &still);
	stands = getenv("CLOCK_STILL") != NULL;
}

int
clock_gettime(clockid_t id, struct timespec *t_r)
{
	if (!stands || id != CLOCK_MONOTONIC)
		return real(id, t_r);
	*t_r = still;
	return 0;
}

time_t
time(time_t *now_r)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += shift;
	if (now_r != NULL)
		*now_r = t.tv_sec;
	return t.tv_sec;
}
