#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

/* Nothing that a caller exports reaches libraries and children (sudo, cron).
 */
static void
reset_environment(void)
{
	const char *zone = getenv("TZ");
	char kept[64] = "";

	/* A zone by its name only: as a path it would open any file. */
	if (zone != NULL && strlen(zone) < sizeof(kept) && *zone != '/' &&
	    *zone != ':' && strstr(zone, "..") == NULL)
		memcpy(kept, zone, strlen(zone));
	if (clearenv() != 0 ||
	    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) < 0 ||
	    (*kept != '\0' && setenv("TZ", kept, 1) < 0))
		abort();
}

/*
 * Descriptors 0 to 2 are open afterwards. One that was missing is opened the
 * wrong way round, so that using it still fails: whoever closed stdout learns
 * that the output is lost.
 */
static void
reset_descriptors(int keep)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			abort();
	close_range((unsigned)(STDERR_FILENO + 1 + keep), ~0U, 0);
}

void
process_reset(int keep)
{
	const struct rlimit none = { 0, 0 };
	sigset_t no_signals;

	reset_descriptors(keep);
	reset_environment();
	umask(077);
	/* Whatever the caller had ignored or blocked. */
	sigemptyset(&no_signals);
	sigprocmask(SIG_SETMASK, &no_signals, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* EFBIG says it too */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
