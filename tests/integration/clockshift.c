/*
 * clockshift - gives a program that it is preloaded into a wall clock that is
 * off by CLOCK_SHIFT seconds.
 */
#include <config.h>

#include <stdlib.h>
#include <time.h>

static long long shift;

/* Before main(), which drops the environment. */
__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("CLOCK_SHIFT");

	shift = text ? strtoll(text, NULL, 10) : 0;
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
