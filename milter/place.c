#include <config.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "notify.h"
#include "place.h"

/* Postfix writes inet:HOST:PORT, libmilter reads inet:PORT@HOST. */
static int
find_inet(struct place *p, const char *text)
{
	const char *port = strrchr(text, ':'), *host = text;
	size_t n;

	if (port == NULL || port == text || port[1] == '\0')
		return -1;
	n = (size_t)(port++ - text);
	if (*host == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n == 0 || n > 255 || strlen(port) > 31)
		return -1;
	snprintf(p->connection, sizeof(p->connection), "%s:%s@%.*s",
		 memchr(host, ':', n) != NULL ? "inet6" : "inet", port, (int)n,
		 host);
	return 0;
}

int
place_find(struct place *p, const char *socket, int sockets, struct err *e)
{
	int ret = -1;

	*p = (struct place){ .path = NULL };
	if (sockets > 1)
		return err_stop(e, EX_CONFIG,
				"cannot use %d sockets of the "
				"service manager: expected one",
				sockets);
	if (sockets == 1) {
		snprintf(p->connection, sizeof(p->connection), "fd:%d",
			 NOTIFY_FIRST_SOCKET);
		return 0;
	}
	if (strcmp(socket, "fd") == 0)
		return err_stop(e, EX_CONFIG,
				"cannot use the socket \"fd\": "
				"the service manager passed none (is the "
				".socket unit started?)");
	if (strncmp(socket, "inet:", 5) == 0)
		ret = find_inet(p, socket + 5);
	else if (strncmp(socket, "unix:/", 6) == 0 &&
		 strlen(socket) < sizeof(p->connection)) {
		memcpy(p->connection, socket, strlen(socket) + 1);
		p->path = p->connection + 5;
		ret = 0;
	}
	if (ret == 0)
		return 0;
	return err_stop(e, EX_CONFIG,
			"cannot use the socket %s: expected "
			"unix:/PATH, inet:HOST:PORT or fd",
			text_show(socket));
}

static int
check_directory(const char *path, uid_t user, struct err *e)
{
	char directory[PLACE_MAX];
	struct stat st;

	snprintf(directory, sizeof(directory), "%s", path);
	*strrchr(directory, '/') = '\0';
	if (*directory == '\0')
		directory[0] = '/';
	if (stat(directory, &st) < 0)
		return err_stop(e, EX_CANTCREAT,
				"cannot make the socket %s: "
				"%s: %s",
				text_show(path), text_show(directory),
				strerror(errno));
	if (!S_ISDIR(st.st_mode) || (st.st_mode & S_IWOTH) != 0 ||
	    (st.st_uid != 0 && st.st_uid != user))
		return err_stop(e, EX_CONFIG,
				"cannot make the socket %s: "
				"expected a directory of this user or root "
				"that others may not write (found owner %u, "
				"mode %04o)",
				text_show(path), st.st_uid, st.st_mode & 07777);
	return 0;
}

/* 1: somebody answers, 0: nobody does. */
static int
is_answered(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(to.sun_path))
		return 0;
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 1;
	ret = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ||
		errno != ECONNREFUSED;
	close(fd);
	return ret;
}

static int
check_passed(struct err *e)
{
	socklen_t n = sizeof(int);
	int listening = 0;

	if (getsockopt(NOTIFY_FIRST_SOCKET, SOL_SOCKET, SO_ACCEPTCONN,
		       &listening, &n) == 0 && listening)
		return 0;
	return err_stop(e, EX_CONFIG, "cannot use descriptor %d of the "
			"service manager: expected a socket that listens",
			NOTIFY_FIRST_SOCKET);
}

int
place_prepare(const struct place *p, uid_t user, struct err *e)
{
	struct stat st;

	if (strncmp(p->connection, "fd:", 3) == 0)
		return check_passed(e);
	if (p->path == NULL)
		return 0;
	if (strlen(p->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_stop(e, EX_CONFIG,
				"cannot make the socket %s: its "
				"path is too long for the system",
				text_show(p->path));
	if (check_directory(p->path, user, e) < 0)
		return -1;
	if (lstat(p->path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_stop(e, EX_CANTCREAT,
				"cannot make the socket %s: "
				"something else has that name",
				text_show(p->path));
	if (is_answered(p->path))
		return err_stop(e, EX_UNAVAILABLE,
				"cannot make the socket %s: "
				"another milter listens there",
				text_show(p->path));
	if (unlink(p->path) < 0)
		return err_stop(e, EX_CANTCREAT,
				"cannot remove the socket %s "
				"of an earlier run: %s",
				text_show(p->path), strerror(errno));
	return 0;
}

int
place_open(struct place *p, uid_t user, const char *group, struct err *e)
{
	const struct group *g = getgrnam(group);
	struct stat st;

	if (p->path == NULL)
		return 0;
	if (g == NULL)
		return err_stop(e, EX_CONFIG,
				"cannot open the socket %s for "
				"group %s: there is no such group",
				text_show(p->path), text_show(group));
	if (lchown(p->path, user, g->gr_gid) < 0)
		return err_stop(e, EX_NOPERM,
				"cannot open the socket %s for "
				"group %s: %s; this user must be a member, or "
				"the service manager pass the socket",
				text_show(p->path), text_show(group),
				strerror(errno));
	if (lstat(p->path, &st) < 0)
		return err_stop(e, EX_CANTCREAT,
				"cannot open the socket %s: "
				"%s",
				text_show(p->path), strerror(errno));
	p->device = st.st_dev;
	p->inode = st.st_ino;
	return 0;
}

void
place_close(const struct place *p)
{
	struct stat st;

	if (p->path != NULL && lstat(p->path, &st) == 0 &&
	    st.st_dev == p->device && st.st_ino == p->inode)
		unlink(p->path);
}
