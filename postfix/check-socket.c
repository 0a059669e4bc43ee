#include <config.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check-private.h"
#include "lib/base/text.h"
#include "reach.h"

/* Is the milter there, and may Postfix connect to it? */

#define SOCKET "socket"
#define ANSWER_MS 5000
#define START "systemctl enable --now fallbackmx-milter.socket " \
	"fallbackmx-milter.service; what it says: fallbackmx-milter(8)"

static const char *
group_of(const struct postfix *p)
{
	/* That of the user by convention; Postfix has no parameter for it. */
	return postconf_value(&p->conf, NULL, "mail_owner");
}

static void
tell_blocked(struct postfix *p, const struct obstacle *o)
{
	const char *owner = postconf_value(&p->conf, NULL, "mail_owner");
	const bool dir = S_ISDIR(o->st.st_mode);
	char path[PATH_MAX];

	text_quote(path, sizeof(path), o->path, strlen(o->path));
	postfix_fail(p, SOCKET, EX_NOPERM,
		     arena_printf(&p->arena, "chgrp %s %s && chmod %s %s",
				  group_of(p), path, dir ? "g+x" : "0660",
				  path),
		     "the user %s may not %s %s (mode %04o, uid %lu, gid %lu)",
		     text_show(owner), dir ? "enter" : "connect to", path,
		     (unsigned)(o->st.st_mode & 07777),
		     (unsigned long)o->st.st_uid,
		     (unsigned long)o->st.st_gid);
}

/* What stands in the way of the path. True: it was told. */
static bool
check_path(struct postfix *p)
{
	const char *owner = postconf_value(&p->conf, NULL, "mail_owner");
	struct obstacle o;

	if (!reach_blocked(owner, p->path, &o)) {
		if (S_ISSOCK(o.st.st_mode))
			return false;
		postfix_fail(p, SOCKET, EX_CONFIG, "move it away",
			     "%s is no socket", text_show(p->path));
		return true;
	}
	if (o.error == EACCES && !o.ours)
		tell_blocked(p, &o);
	else if (o.error == EACCES)
		postfix_warn(p, SOCKET, "run it as root", "cannot look at %s "
			     "as uid %lu", text_show(o.path),
			     (unsigned long)geteuid());
	else if (o.error == ENOENT)
		postfix_fail(p, SOCKET, EX_TEMPFAIL, START,
			     "there is no %s: the milter does not run",
			     text_show(o.path));
	else
		postfix_fail(p, SOCKET, EX_CONFIG, "look at its name",
			     "cannot look at %s: %s", text_show(o.path),
			     o.error == ESRCH ? "mail_owner is no user" :
			     strerror(o.error));
	return true;
}

/* A symbolic link on the way may lead where a chroot ends. */
static bool
leaves_chroot(struct postfix *p)
{
	const char *queue = postconf_value(&p->conf, NULL, "queue_directory");
	char *to = realpath(p->path, NULL), *top = realpath(queue, NULL);
	const size_t n = top ? strlen(top) : 0;
	const bool leaves = p->chroot && to != NULL && top != NULL &&
			    !(strncmp(to, top, n) == 0 && to[n] == '/');

	if (leaves)
		postfix_fail(p, SOCKET, EX_CONFIG,
			     arena_printf(&p->arena, "in fallbackmx.json: "
					  "\"socket\": \"unix:%s/fallbackmx/"
					  "milter.sock\"", queue),
			     "%s lies outside of %s, and smtpd has a chroot",
			     text_show(to), text_show(queue));
	free(to);
	free(top);
	return leaves;
}

static void
tell_trouble(struct postfix *p, const char *endpoint,
	     const struct ask_answer *a, const struct err *e)
{
	const char *where = text_show(endpoint);

	if (a->error == ECONNREFUSED)
		postfix_fail(p, SOCKET, EX_TEMPFAIL, START,
			     "nobody listens at %s: the milter has ended",
			     where);
	else if (a->error == EACCES && geteuid() != 0)
		postfix_ok(p, SOCKET, "by its rights the user %s may connect "
			   "to %s; not tried: uid %lu may not",
			   text_show(postconf_value(&p->conf, NULL,
						    "mail_owner")), where,
			   (unsigned long)geteuid());
	else
		postfix_fail(p, SOCKET, EX_TEMPFAIL, START,
			     "no milter answers at %s: %s", where, e->text);
}

void
check_socket(struct postfix *p)
{
	const char *owner = postconf_value(&p->conf, NULL, "mail_owner");
	const char *endpoint = p->inet;
	struct ask_answer a;
	struct err e;
	int ret;

	if (p->path != NULL) {
		if (check_path(p) || leaves_chroot(p))
			return;
		endpoint = arena_printf(&p->arena, "unix:%s", p->path);
	}
	if (geteuid() == 0)
		ret = reach_as(owner, endpoint, ANSWER_MS, &a, &e);
	else
		ret = ask_milter(endpoint, ANSWER_MS, &a, &e);
	if (ret < 0)
		tell_trouble(p, endpoint, &a, &e);
	else
		postfix_ok(p, SOCKET, "%s%s connects to %s; milter protocol "
			   "%lu", geteuid() == 0 ? "the user " : "uid ",
			   geteuid() == 0 ? text_show(owner) :
			   arena_printf(&p->arena, "%lu",
					(unsigned long)geteuid()),
			   text_show(endpoint), (unsigned long)a.version);
}
