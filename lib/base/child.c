#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "fsio.h"

static int
change_ids(const struct identity *who)
{
	if (who->name[0] != '\0') {
		if (initgroups(who->name, who->gid) < 0)
			return -1;
	} else if (setgroups(1, &who->gid) < 0) {
		return -1;
	}
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		return -1;
	return setresuid(who->uid, who->uid, who->uid);
}

int
child_become(const struct identity *who, struct err *e)
{
	if (who->uid == 0)
		return err_set(e, ERR_TEMP, "refusing to work as root");
	if (geteuid() != who->uid || getuid() != who->uid) {
		if (change_ids(who) < 0)
			return err_errno(e, "cannot become uid %lu",
					 (unsigned long)who->uid);
	}
	if (setuid(0) == 0 || getuid() != who->uid || geteuid() != who->uid)
		return err_stop(e, 0, "uid %lu could become root again",
				(unsigned long)who->uid);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, "cannot give up new privileges");
	return 0;
}

/* 0, 1, 2 and the status pipe at 3; all else is closed. */
static int
arrange(int socket, int status)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(socket, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0)
		return -1;
	if (dup3(status, 3, O_CLOEXEC) < 0)
		return -1;
	return close_range(4, UINT_MAX, 0);
}

static void
run(const char *path, const char *argument, int socket, int status,
    const struct identity *who)
{
	const char *slash = strrchr(path, '/');
	char *argv[] = {
		(char *)(size_t)(slash ? slash + 1 : path),
		(char *)(size_t)argument, NULL,
	};
	char *envp[] = { NULL };
	struct err e = { .text = "" };
	int high[2], told = status;

	/* High numbers first: arrange() writes over the low ones. */
	high[0] = fcntl(socket, F_DUPFD, 10);
	high[1] = fcntl(status, F_DUPFD, 10);
	if (high[0] < 0 || high[1] < 0 || arrange(high[0], high[1]) < 0) {
		err_errno(&e, "cannot arrange descriptors");
	} else {
		told = 3;
		if (child_become(who, &e) == 0) {
			execve(path, argv, envp);
			err_errno(&e, "cannot execute %s", path);
		}
	}
	fsio_write(told, e.text, strlen(e.text));
	_exit(126);
}

int
child_start(const char *path, const char *argument, int socket,
	    const struct identity *who, pid_t *pid_r, struct err *e)
{
	char why[sizeof(e->text)] = "";
	int status[2];
	ssize_t n;

	if (pipe2(status, O_CLOEXEC) < 0)
		return err_errno(e, "cannot make a pipe");
	*pid_r = fork();
	if (*pid_r == 0)
		run(path, argument, socket, status[1], who);
	fsio_close(&status[1]);
	if (*pid_r < 0) {
		fsio_close(&status[0]);
		return err_errno(e, "cannot fork");
	}
	/* The end of the file is the exec; text is a failure before it. */
	n = fsio_read(status[0], why, sizeof(why) - 1);
	fsio_close(&status[0]);
	if (n == 0)
		return 0;
	/* One that did start would wait for us as we for it. */
	kill(*pid_r, SIGKILL);
	waitpid(*pid_r, NULL, 0);
	return err_set(e, ERR_TEMP, "%s", n > 0 ? why : "cannot read a pipe");
}

void
child_reap(int ms)
{
	const struct timespec nap = { .tv_nsec = 2 * 1000 * 1000 };

	for (; ms > 0; ms -= 2) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno != EINTR)
			return;
		if (pid <= 0)
			nanosleep(&nap, NULL);
	}
}
