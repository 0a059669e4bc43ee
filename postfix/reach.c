#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "reach.h"

#define GROUPS_MAX 256

struct somebody {
	uid_t uid;
	gid_t groups[GROUPS_MAX];
	int groups_n;
};

static bool
find_user(const char *name, struct somebody *who)
{
	const struct passwd *pw = getpwnam(name);

	who->groups_n = GROUPS_MAX;
	if (pw == NULL)
		return false;
	who->uid = pw->pw_uid;
	if (getgrouplist(name, pw->pw_gid, who->groups, &who->groups_n) < 0)
		who->groups_n = GROUPS_MAX;
	return true;
}

/* bit: S_IXOTH or S_IWOTH. Lists of rights (acl(5)) are not looked at; then the
 * group's bits are their mask, and this says yes rather than no. */
static bool
may(const struct somebody *who, const struct stat *st, mode_t bit)
{
	if (who->uid == 0)
		return true;
	if (st->st_uid == who->uid)
		return (st->st_mode & (bit << 6)) != 0;
	for (int i = 0; i < who->groups_n; i++)
		if (st->st_gid == who->groups[i])
			return (st->st_mode & (bit << 3)) != 0;
	return (st->st_mode & bit) != 0;
}

/* One file on the way; false when it cannot be passed. */
static bool
passes(const struct somebody *who, struct obstacle *o, mode_t bit)
{
	if (stat(o->path, &o->st) < 0) {
		o->error = errno;
		o->ours = errno == EACCES;
		return false;
	}
	o->error = EACCES;
	return may(who, &o->st, bit);
}

bool
reach_blocked(const char *user, const char *path, struct obstacle *o)
{
	struct somebody who;
	const size_t n = strlen(path);

	*o = (struct obstacle) { .error = 0 };
	if (n >= sizeof(o->path) || !find_user(user, &who)) {
		o->error = n >= sizeof(o->path) ? ENAMETOOLONG : ESRCH;
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (path[i] != '/')
			continue;
		memcpy(o->path, path, i ? i : 1);
		o->path[i ? i : 1] = '\0';
		if (!passes(&who, o, S_IXOTH))
			return true;
	}
	memcpy(o->path, path, n + 1);
	return !passes(&who, o, S_IWOTH);
}

struct report {
	int ret;
	struct ask_answer answer;
	struct err e;
};

static void
ask_and_tell(const struct identity *who, const char *endpoint, int ms,
	     int told)
{
	struct report r = { .ret = -1 };

	if (child_become(who, &r.e) == 0)
		r.ret = ask_milter(endpoint, ms, &r.answer, &r.e);
	fsio_write(told, &r, sizeof(r));
	_exit(0);
}

int
reach_as(const char *user, const char *endpoint, int ms, struct ask_answer *a,
	 struct err *e)
{
	const struct passwd *pw = getpwnam(user);
	struct identity who = { .name = user };
	struct report r;
	int tube[2], status;
	ssize_t n;
	pid_t pid;

	*a = (struct ask_answer) { .error = 0 };
	if (pw == NULL)
		return err_set(e, ERR_TEMP, "there is no user %s",
			       text_show(user));
	who.uid = pw->pw_uid;
	who.gid = pw->pw_gid;
	if (pipe2(tube, O_CLOEXEC) < 0)
		return err_errno(e, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		ask_and_tell(&who, endpoint, ms, tube[1]);
	fsio_close(&tube[1]);
	n = pid > 0 ? fsio_read(tube[0], &r, sizeof(r)) : -1;
	fsio_close(&tube[0]);
	if (pid < 0)
		return err_errno(e, "cannot fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (n != (ssize_t)sizeof(r))
		return err_set(e, ERR_TEMP, "the process of user %s ended",
			       text_show(user));
	*a = r.answer;
	if (r.ret < 0)
		*e = r.e;
	return r.ret;
}
