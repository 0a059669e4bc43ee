#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "control.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

#define BACKLOG 16
#define PAUSE 1.0	/* seconds without accept(2) after it failed */

struct client {
	int fd;			/* -1: this place is free */
	double deadline;	/* of clock_monotonic() */
	char request[CONTROL_REQUEST_MAX];
	size_t have;
	struct buf answer;	/* empty: the request is not whole */
	size_t sent;
};

struct control {
	int fd;
	char *path;
	ino_t inode;		/* of path: it may be another's one day */
	const struct control_request *requests;
	void *arg;
	double paused;		/* until then nobody is accepted */
	struct client clients[CONTROL_CLIENTS];
};

static int
make_address(const char *path, struct sockaddr_un *a, struct err *e)
{
	char shown[320];

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(a->sun_path)) {
		memcpy(a->sun_path, path, strlen(path));
		return 0;
	}
	return err_stop(e, EX_CONFIG, "cannot use the control socket %s: "
			"expected at most %zu bytes",
			text_quote(shown, sizeof(shown), path, strlen(path)),
			sizeof(a->sun_path) - 1);
}

void
control_prepare(const char *path, uid_t user, gid_t group)
{
	char *directory = mem_strdup(path), *slash = strrchr(directory, '/');

	if (slash != NULL && slash != directory) {
		*slash = '\0';
		if (mkdir(directory, 0700) == 0 &&
		    lchown(directory, user, group) < 0)
			rmdir(directory);
	}
	free(directory);
}

/* Removes what a milter that is gone has left at path. */
static int
make_room(const struct sockaddr_un *a, struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0), error;
	struct stat st;

	if (fd < 0)
		return err_stop(e, EX_OSERR, "cannot make a socket: %s",
				strerror(errno));
	error = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ? 0 :
		errno;
	fsio_close(&fd);
	if (error == 0 || error == EAGAIN)
		return err_stop(e, EX_UNAVAILABLE, "cannot use the control "
				"socket %s: another milter answers there",
				a->sun_path);
	if (error == ECONNREFUSED && lstat(a->sun_path, &st) == 0 &&
	    S_ISSOCK(st.st_mode))
		unlink(a->sun_path);
	return 0;
}

/* Nobody can connect before listen(2), so the mode needs no umask. */
static int
open_socket(struct control *c, const struct sockaddr_un *a, struct err *e)
{
	struct stat st;

	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 ||
	    bind(c->fd, (const struct sockaddr *)a, sizeof(*a)) < 0 ||
	    chmod(a->sun_path, 0600) < 0 || lstat(a->sun_path, &st) < 0 ||
	    listen(c->fd, BACKLOG) < 0)
		return err_stop(e, EX_CANTCREAT, "cannot make the control "
				"socket %s: %s", a->sun_path, strerror(errno));
	c->inode = st.st_ino;
	return 0;
}

struct control *
control_open(const char *path, const struct control_request *requests,
	     void *arg, struct err *e)
{
	struct sockaddr_un a;
	struct control *c;

	if (make_address(path, &a, e) < 0 || make_room(&a, e) < 0)
		return NULL;
	c = mem_alloc(sizeof(*c));
	*c = (struct control){ .fd = -1, .path = mem_strdup(path),
			       .requests = requests, .arg = arg };
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].fd = -1;
	if (open_socket(c, &a, e) < 0) {
		control_close(c);
		return NULL;
	}
	return c;
}

static void
drop_client(struct client *x)
{
	fsio_close(&x->fd);
	buf_free(&x->answer);
}

void
control_close(struct control *c)
{
	struct stat st;

	if (c == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		drop_client(&c->clients[i]);
	fsio_close(&c->fd);
	if (c->inode != 0 && lstat(c->path, &st) == 0 &&
	    st.st_ino == c->inode)
		unlink(c->path);
	free(c->path);
	free(c);
}

static struct client *
free_place(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].fd < 0)
			return &c->clients[i];
	return NULL;
}

size_t
control_poll(struct control *c, struct pollfd *fds, int *timeout_ms)
{
	const double now = clock_monotonic();
	double next = now + 1e9;
	size_t n = 0;

	if (c == NULL)
		return 0;
	if (c->paused > now)
		next = c->paused;
	else if (free_place(c) != NULL)
		fds[n++] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		const struct client *x = &c->clients[i];

		if (x->fd < 0)
			continue;
		fds[n++] = (struct pollfd){ .fd = x->fd,
			.events = x->answer.len > 0 ? POLLOUT : POLLIN };
		if (x->deadline < next)
			next = x->deadline;
	}
	if (next < now + 1e6) {
		int ms = next <= now ? 0 : (int)((next - now) * 1000) + 1;

		if (*timeout_ms < 0 || ms < *timeout_ms)
			*timeout_ms = ms;
	}
	return n;
}

static bool
may_ask(int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
		(who.uid == 0 || who.uid == geteuid());
}

/* Who may not ask takes no place and no time. */
static void
accept_client(struct control *c)
{
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	static const char no[] = "77\nonly root and the milter's own user may "
		"ask\n";
	struct client *x = free_place(c);

	if (fd < 0) {
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			c->paused = clock_monotonic() + PAUSE;
		return;
	}
	if (x == NULL || !may_ask(fd)) {
		send(fd, no, sizeof(no) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		fsio_close(&fd);
		return;
	}
	*x = (struct client){ .fd = fd,
		.deadline = clock_monotonic() + CONTROL_SECONDS };
	buf_init(&x->answer, CONTROL_ANSWER_MAX);
}

static void
answer(struct control *c, struct client *x)
{
	const struct control_request *r = c->requests;
	struct buf text;
	int code = EX_USAGE;

	buf_init(&text, CONTROL_ANSWER_MAX - 16);
	while (r->word != NULL && strcmp(r->word, x->request) != 0)
		r++;
	if (r->word != NULL)
		code = r->answer(c->arg, &text);
	else
		buf_printf(&text, "no such request\n");
	buf_printf(&x->answer, "%d\n", code);
	if (text.len > 0)
		buf_add(&x->answer, text.data, text.len);
	buf_free(&text);
	/* The work was ours; to fetch the answer is the client's. */
	x->deadline = clock_monotonic() + CONTROL_SECONDS;
}

static void
hear(struct control *c, struct client *x)
{
	char *end;
	ssize_t n = recv(x->fd, x->request + x->have,
			 sizeof(x->request) - x->have, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		x->have += (size_t)n;
	end = memchr(x->request, '\n', x->have);
	if (end != NULL) {
		*end = '\0';
		answer(c, x);
	} else if (n <= 0 || x->have == sizeof(x->request)) {
		drop_client(x);
	}
}

static void
speak(struct client *x)
{
	ssize_t n = send(x->fd, x->answer.data + x->sent,
			 x->answer.len - x->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		x->sent += (size_t)n;
	if (n < 0 || x->sent == x->answer.len)
		drop_client(x);
}

static void
serve_client(struct control *c, struct client *x, short events)
{
	if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 &&
	    x->answer.len == 0)
		hear(c, x);
	if (x->fd >= 0 && x->answer.len > 0)
		speak(x);
}

static short
events_of(int fd, const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd == fd)
			return fds[i].revents;
	return 0;
}

/* New ones last: their descriptors may be those of who just left. */
void
control_serve(struct control *c, const struct pollfd *fds, size_t n)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *x = &c->clients[i];
		short events = x->fd < 0 ? 0 : events_of(x->fd, fds, n);

		if (events != 0)
			serve_client(c, x, events);
		if (x->fd >= 0 && x->deadline <= clock_monotonic())
			drop_client(x);
	}
	if (events_of(c->fd, fds, n) != 0)
		accept_client(c);
}
