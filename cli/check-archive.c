#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "check-archive.h"
#include "lib/base/child.h"
#include "lib/base/text.h"

#define USER "fallbackmx-milter"

/* Why a directory cannot be written; 0: it can. */
static int
try(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) < 0 ? errno
	       : 0;
}

/* A process of its own, as there is no way back from another user. */
static int
try_as(const struct passwd *pw, const char *path)
{
	const struct identity who = { pw->pw_name, pw->pw_uid, pw->pw_gid };
	struct err e;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(child_become(&who, &e) < 0 ? 0 : try(path));
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return 0;
	return WEXITSTATUS(status);
}

static int
look(const char *path)
{
	const struct passwd *pw = getpwnam(USER);
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == EACCES && geteuid() != 0 ? 0 : errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	if (pw == NULL || pw->pw_uid == 0)
		return 0;
	return geteuid() == 0 ? try_as(pw, path)
	       : geteuid() == pw->pw_uid ? try(path) : 0;
}

static int
cannot(const char *path, int why, struct err *e)
{
	return err_stop(e, why == ENOENT || why == ENOTDIR ? EX_CONFIG
			: why == EACCES || why == EROFS ? EX_NOPERM : EX_IOERR,
			"cannot archive in %s: %s%s", text_show(path),
			why == EACCES ? USER " may not write there: " : "",
			strerror(why));
}

int
check_archive(struct snapshot *s, const char **remedy_r, struct err *e)
{
	struct arena *a = &s->settings.arena;
	const char *directory = s->settings.archive->directory;
	int why = s->archives_n > 0 ? look(directory) : 0;

	*remedy_r = arena_printf(a, "the milter makes its archives, but not "
		"this: mount the disk, or install -d -m 2750 -o " USER
		" -g fallbackmx-archive %s", text_show(directory));
	if (why != 0)
		return cannot(directory, why, e);
	for (size_t i = 0; i < s->archives_n; i++) {
		const char *path = arena_printf(a, "%s/%s", directory,
						s->archives[i].name);

		why = look(path);
		if (why == 0 || why == ENOENT)
			continue;
		*remedy_r = arena_printf(a, "chown " USER " %s, and what is in "
					 "it", text_show(path));
		return cannot(path, why, e);
	}
	return 0;
}
