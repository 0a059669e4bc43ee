#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "pulse.h"

#define DESCRIPTORS 256		/* the first ones, where it must be */

/* SMFIC_OPTNEG of version 6 with all that an MTA may offer; SMFIC_QUIT. */
static const unsigned char hello[] = {
	0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff,
};
static const unsigned char bye[] = { 0, 0, 0, 1, 'Q' };

void
pulse_find(struct pulse *p)
{
	*p = (struct pulse){ .fd = -1 };
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		int listening = 0;
		socklen_t n = sizeof(listening);

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
			       &n) < 0 || !listening)
			continue;
		p->to_n = sizeof(p->to);
		if (getsockname(fd, (struct sockaddr *)&p->to, &p->to_n) < 0)
			p->to_n = 0;
		return;
	}
}

bool
pulse_tells(const struct pulse *p)
{
	return p->to_n > 0 &&
		(p->to.ss_family == AF_UNIX || p->answered > 0);
}

static void
stop(struct pulse *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->asked = false;
}

/* A socket with a full queue is one that connections come to anyway. */
static void
start(struct pulse *p, double now)
{
	p->due = now + PULSE_SECONDS;
	p->fd = socket(p->to.ss_family,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd >= 0 &&
	    connect(p->fd, (const struct sockaddr *)&p->to, p->to_n) < 0 &&
	    errno != EINPROGRESS)
		stop(p);
}

/* This beat is one that nobody looks at: the next one may be luckier. */
static void
give_up(struct pulse *p)
{
	stop(p);
	if (++p->missed == PULSE_PATIENCE)
		log_problem("libmilter has not answered connections of ours "
			    "for %d seconds", PULSE_PATIENCE);
}

static void
lower(int *timeout_ms, double seconds)
{
	const int ms = seconds > 0 ? (int)(1e3 * seconds) + 1 : 0;

	if (*timeout_ms < 0 || ms < *timeout_ms)
		*timeout_ms = ms;
}

size_t
pulse_poll(struct pulse *p, enum pulse_want want, struct pollfd *fds,
	   int *timeout_ms)
{
	const double now = clock_monotonic();

	if (p->to_n == 0)
		return 0;
	if (p->fd >= 0 && now >= p->due)
		give_up(p);
	/* Nobody tells this thread when the first session comes. */
	if (p->fd < 0 && want == PULSE_REST)
		p->due = now + PULSE_SECONDS;
	if (p->fd < 0 && want == PULSE_BUSY &&
	    p->due > now + PULSE_BUSY_SECONDS)
		p->due = now + PULSE_BUSY_SECONDS;
	if (p->fd < 0 && now >= p->due)
		start(p, now);
	lower(timeout_ms, p->due - now);
	if (p->fd < 0)
		return 0;
	*fds = (struct pollfd){ .fd = p->fd,
				.events = p->asked ? POLLIN : POLLOUT };
	return 1;
}

static void
go_on(struct pulse *p)
{
	char answer[4096];

	if (!p->asked) {
		p->asked = send(p->fd, hello, sizeof(hello), MSG_NOSIGNAL) ==
			   (ssize_t)sizeof(hello);
		if (!p->asked)
			stop(p);
		return;
	}
	/* Whatever it says: it lives. */
	if (recv(p->fd, answer, sizeof(answer), 0) > 0) {
		(void)!send(p->fd, bye, sizeof(bye), MSG_NOSIGNAL);
		p->missed = 0;
		p->answered++;
	}
	stop(p);
}

void
pulse_serve(struct pulse *p, const struct pollfd *fds, size_t n)
{
	if (n > 0 && fds->revents != 0)
		go_on(p);
}
