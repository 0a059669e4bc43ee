/*
 * slowdeliver - stands in for fallbackmx-deliver in the bench.
 *
 * The deliverer is started with an empty environment, as it must be. This
 * program lies beside a copy of fallbackmx under the deliverer's name and
 * starts the real one, fallbackmx-deliver.real, with slowflush.so preloaded;
 * both lie beside it too.
 */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char self[PATH_MAX / 2], real[PATH_MAX], preload[PATH_MAX];
	char *env[] = { preload, NULL };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0 || argc < 1)
		return 71;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(real, sizeof(real), "%s/fallbackmx-deliver.real", self);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/slowflush.so", self);
	execve(real, argv, env);
	return 71;
}
