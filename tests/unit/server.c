#include <config.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "server.h"

#define PEERS_MAX 128
#define REQUEST_MAX 65536

struct peer {
	int fd;			/* -1: free */
	char in[REQUEST_MAX];
	size_t in_n;
	const struct server_answer *answer;	/* due, or NULL */
	double due;
	size_t dripped;		/* bytes of its pad */
};

struct server {
	pthread_t thread;
	pthread_mutex_t lock;
	const struct server_answer *answers;
	size_t n, requests, connections;
	char *seen[SERVER_REQUESTS_MAX];
	int fd, port, stop[2];
	struct peer peers[PEERS_MAX];
};

static void
hang_up(struct peer *p, bool reset)
{
	const struct linger now = { .l_onoff = 1 };

	if (reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(p->fd);
	p->fd = -1;
}

static void
send_all(struct peer *p, const char *data, size_t n)
{
	while (n > 0) {
		const ssize_t sent = send(p->fd, data, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		data += sent;
		n -= (size_t)sent;
	}
}

static void
send_pad(struct peer *p, size_t left)
{
	static char pad[4096];

	memset(pad, 'x', sizeof(pad));
	while (left > 0) {
		const size_t n = left < sizeof(pad) ? left : sizeof(pad);

		send_all(p, pad, n);
		left -= n;
	}
}

static void
answer(struct peer *p)
{
	const struct server_answer *a = p->answer;

	if (a->bytes != NULL && p->dripped == 0)
		send_all(p, a->bytes, strlen(a->bytes));
	if (a->drip_ms > 0 && p->dripped < a->pad) {
		send_pad(p, 1);
		p->dripped++;
		p->due = clock_monotonic() + a->drip_ms / 1e3;
		return;
	}
	send_pad(p, a->pad - p->dripped);
	p->answer = NULL;
	p->dripped = 0;
	if (a->then == SERVER_CLOSE || a->then == SERVER_RESET)
		hang_up(p, a->then == SERVER_RESET);
}

/* Bytes of the first request in the buffer, 0 if it is not whole. */
static size_t
whole(const struct peer *p)
{
	const char *end = memmem(p->in, p->in_n, "\r\n\r\n", 4);
	size_t head;

	if (end == NULL)
		return 0;
	head = (size_t)(end - p->in) + 4;
	for (const char *s = p->in; s < end; s = strchr(s, '\n') + 1)
		if (strncasecmp(s, "Content-Length:", 15) == 0)
			head += strtoul(s + 15, NULL, 10);
	return head <= p->in_n ? head : 0;
}

static void
take(struct server *s, struct peer *p)
{
	const ssize_t got = recv(p->fd, p->in + p->in_n,
				 sizeof(p->in) - 1 - p->in_n, 0);
	size_t n;

	if (got <= 0) {
		hang_up(p, false);
		return;
	}
	p->in_n += (size_t)got;
	p->in[p->in_n] = '\0';
	n = whole(p);
	if (n == 0)
		return;
	pthread_mutex_lock(&s->lock);
	p->answer = &s->answers[s->requests < s->n ? s->requests : s->n - 1];
	if (s->requests < SERVER_REQUESTS_MAX)
		s->seen[s->requests] = strndup(p->in, n);
	s->requests++;
	pthread_mutex_unlock(&s->lock);
	memmove(p->in, p->in + n, p->in_n - n);
	p->in_n -= n;
	p->due = clock_monotonic() + p->answer->delay_ms / 1e3;
	if (p->answer->delay_ms == 0)
		answer(p);
}

static void
welcome(struct server *s)
{
	const int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < PEERS_MAX; i++)
		if (s->peers[i].fd < 0) {
			s->peers[i].fd = fd;
			s->peers[i].in_n = 0;
			s->peers[i].answer = NULL;
			s->peers[i].dripped = 0;
			pthread_mutex_lock(&s->lock);
			s->connections++;
			pthread_mutex_unlock(&s->lock);
			return;
		}
	if (fd >= 0)
		close(fd);
}

static int
answer_due(struct server *s)
{
	int left = -1;

	for (int i = 0; i < PEERS_MAX; i++) {
		struct peer *p = &s->peers[i];
		int ms;

		if (p->fd < 0 || p->answer == NULL)
			continue;
		if (p->due <= clock_monotonic())
			answer(p);
		if (p->answer == NULL)
			continue;
		ms = (int)((p->due - clock_monotonic()) * 1e3);
		if (ms < 0)
			ms = 0;
		if (left < 0 || ms < left)
			left = ms;
	}
	return left;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	struct pollfd fds[PEERS_MAX + 2];

	for (;;) {
		const int left = answer_due(s);

		for (int i = 0; i < PEERS_MAX; i++)
			fds[i] = (struct pollfd){ s->peers[i].fd, POLLIN, 0 };
		fds[PEERS_MAX] = (struct pollfd){ s->fd, POLLIN, 0 };
		fds[PEERS_MAX + 1] = (struct pollfd){ s->stop[0], POLLIN, 0 };
		if (poll(fds, PEERS_MAX + 2, left) < 0)
			continue;
		if (fds[PEERS_MAX + 1].revents != 0)
			return NULL;
		for (int i = 0; i < PEERS_MAX; i++)
			if (fds[i].revents != 0)
				take(s, &s->peers[i]);
		if (fds[PEERS_MAX].revents != 0)
			welcome(s);
	}
}

struct server *
server_new(const struct server_answer *answers, size_t n)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	assert_non_null(s);
	s->answers = answers;
	s->n = n;
	for (int i = 0; i < PEERS_MAX; i++)
		s->peers[i].fd = -1;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 128), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pipe2(s->stop, O_CLOEXEC), 0);
	pthread_mutex_init(&s->lock, NULL);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return s;
}

void
server_free(struct server *s)
{
	assert_int_equal(write(s->stop[1], "", 1), 1);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < PEERS_MAX; i++)
		if (s->peers[i].fd >= 0)
			close(s->peers[i].fd);
	for (size_t i = 0; i < SERVER_REQUESTS_MAX; i++)
		free(s->seen[i]);
	close(s->fd);
	close(s->stop[0]);
	close(s->stop[1]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int
server_port(const struct server *s)
{
	return s->port;
}

static size_t
locked(struct server *s, const size_t *value)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = *value;
	pthread_mutex_unlock(&s->lock);
	return n;
}

size_t
server_requests(struct server *s)
{
	return locked(s, &s->requests);
}

size_t
server_connections(struct server *s)
{
	return locked(s, &s->connections);
}

const char *
server_request(struct server *s, size_t n)
{
	return n < server_requests(s) && n < SERVER_REQUESTS_MAX ? s->seen[n] :
								   "";
}
