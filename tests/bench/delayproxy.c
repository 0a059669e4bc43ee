/*
 * delayproxy - a TCP proxy that hands on whatever clients send 20 ms late.
 *
 *	delayproxy PORT TARGET-PORT [MILLISECONDS]	(both on 127.0.0.1)
 *
 * A request on a kept connection so costs that much more; answers are handed
 * on at once. It stands for the way to a real S3, on machines whose kernel has
 * no netem. One thread, so that it takes little from those who are measured.
 */
#include <config.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PIECE 65536

/* Half of a connection; peer is the other half. */
struct side {
	int fd;
	bool client;
	struct side *peer;
	char *held;		/* what fd could not take yet */
	size_t held_n;
	bool full;		/* the peer is not read until it has */
	bool ended;		/* it has said all */
	struct side *dead_next;
};

/* What a client has said, until its time comes; n 0: it has said all. */
struct late {
	struct late *next;
	struct side *to;	/* NULL: closed meanwhile */
	int64_t due;		/* ns, monotonic */
	size_t n;
	char bytes[];
};

static struct late *first, **last = &first;
static struct side *dead;
static int poller, timer;
static int64_t delay;
static uint16_t target;

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void
set_timer(int64_t due)
{
	const struct itimerspec at = {
		.it_value = { due / 1000000000, due % 1000000000 } };

	timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void
watch(struct side *s, int how)
{
	struct epoll_event e = { .data.ptr = s };

	if (!s->ended && !s->peer->full)
		e.events |= EPOLLIN;
	if (s->held_n > 0)
		e.events |= EPOLLOUT;
	if (epoll_ctl(poller, how, s->fd, &e) < 0)
		err(1, "epoll_ctl");
}

/* Events of this round may still name them: freed at its end. */
static void
drop(struct side *s)
{
	struct side *both[] = { s, s->peer };

	for (struct late *l = first; l != NULL; l = l->next)
		if (l->to == both[0] || l->to == both[1])
			l->to = NULL;
	for (size_t i = 0; i < 2; i++) {
		if (both[i]->fd < 0)
			return;
		close(both[i]->fd);
		both[i]->fd = -1;
		both[i]->dead_next = dead;
		dead = both[i];
	}
}

static void
bury(void)
{
	while (dead != NULL) {
		struct side *s = dead;

		dead = s->dead_next;
		free(s->held);
		free(s);
	}
}

/* Hands over n bytes; what does not fit is held, and more not read. */
static void
give(struct side *s, const char *p, size_t n)
{
	ssize_t sent = 0;

	if (s->held_n == 0 && n > 0)
		sent = send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN) {
		drop(s);
		return;
	}
	sent = sent < 0 ? 0 : sent;
	if ((size_t)sent == n)
		return;
	s->held = realloc(s->held, s->held_n + n - (size_t)sent);
	if (s->held == NULL)
		err(1, "realloc");
	memcpy(s->held + s->held_n, p + sent, n - (size_t)sent);
	s->held_n += n - (size_t)sent;
	s->full = true;
	watch(s, EPOLL_CTL_MOD);
	watch(s->peer, EPOLL_CTL_MOD);
}

static void
give_rest(struct side *s)
{
	const ssize_t n = send(s->fd, s->held, s->held_n,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN) {
		drop(s);
		return;
	}
	if (n > 0) {
		memmove(s->held, s->held + n, s->held_n - (size_t)n);
		s->held_n -= (size_t)n;
	}
	if (s->held_n > 0)
		return;
	if (!s->peer->client && s->peer->ended) {
		drop(s);
		return;
	}
	s->full = false;
	watch(s, EPOLL_CTL_MOD);
	watch(s->peer, EPOLL_CTL_MOD);
}

static void
postpone(struct side *to, const char *p, size_t n)
{
	struct late *l = malloc(sizeof(*l) + n);

	if (l == NULL)
		err(1, "malloc");
	*l = (struct late){ .to = to, .due = now() + delay, .n = n };
	memcpy(l->bytes, p, n);
	if (first == NULL)
		set_timer(l->due);
	*last = l;
	last = &l->next;
}

/* The first is the earliest: all wait equally long. */
static void
release(void)
{
	const int64_t t = now();

	while (first != NULL && first->due <= t) {
		struct late *l = first;

		if (l->to != NULL && l->n > 0)
			give(l->to, l->bytes, l->n);
		else if (l->to != NULL)
			drop(l->to);
		first = l->next;
		if (first == NULL)
			last = &first;
		free(l);
	}
	/* 0: not again; it would stay readable otherwise. */
	set_timer(first != NULL ? first->due : 0);
}

static void
take(struct side *s)
{
	char buf[PIECE];
	const ssize_t n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || (n == 0 && !s->client && s->peer->held_n == 0)) {
		drop(s);
		return;
	}
	s->ended = n == 0;
	if (s->ended)
		watch(s, EPOLL_CTL_MOD);
	if (s->client)
		postpone(s->peer, buf, (size_t)n);
	else
		give(s->peer, buf, (size_t)n);
}

static int
make_socket(uint16_t port, bool listening)
{
	const int one = 1;
	const struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (listening) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (const void *)&at, sizeof(at)) < 0 ||
		    listen(fd, 256) < 0)
			err(1, "cannot listen on port %d", port);
	} else if (connect(fd, (const void *)&at, sizeof(at)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
welcome(int listener)
{
	const int one = 1, fd = accept(listener, NULL, NULL);
	const int there = fd < 0 ? -1 : make_socket(target, false);
	struct side *near, *far;

	if (there < 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	near = calloc(1, sizeof(*near));
	far = calloc(1, sizeof(*far));
	if (near == NULL || far == NULL)
		err(1, "calloc");
	*near = (struct side){ .fd = fd, .client = true, .peer = far };
	*far = (struct side){ .fd = there, .peer = near };
	watch(near, EPOLL_CTL_ADD);
	watch(far, EPOLL_CTL_ADD);
}

int
main(int argc, char **argv)
{
	struct epoll_event e[256];
	int listener, n;

	if (argc < 3)
		errx(64, "delayproxy PORT TARGET-PORT [MILLISECONDS]");
	target = (uint16_t)atoi(argv[2]);
	delay = (argc > 3 ? atoi(argv[3]) : 20) * INT64_C(1000000);
	listener = make_socket((uint16_t)atoi(argv[1]), true);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	poller = epoll_create1(0);
	e[0] = (struct epoll_event){ .events = EPOLLIN, .data.ptr = &listener };
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e[0]);
	e[0].data.ptr = &timer;
	epoll_ctl(poller, EPOLL_CTL_ADD, timer, &e[0]);
	while ((n = epoll_wait(poller, e, 256, -1)) >= 0 || errno == EINTR) {
		for (int i = 0; i < n; i++) {
			struct side *s = e[i].data.ptr;

			if (e[i].data.ptr == &listener) {
				welcome(listener);
				continue;
			}
			if (e[i].data.ptr == &timer) {
				release();
				continue;
			}
			if (s->fd >= 0 && e[i].events & EPOLLOUT)
				give_rest(s);
			if (s->fd >= 0 && e[i].events & ~(uint32_t)EPOLLOUT)
				take(s);
		}
		bury();
	}
	err(1, "epoll_wait");
}
