#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"

/*
 * sendmail/libmilter, mfdef.h: four bytes of length, a letter, data; numbers
 * in network order. Postfix offers (milter8.c) version 6, all actions and all
 * steps.
 */
#define SPOKEN 6
#define ACTIONS 0x1ffu
#define STEPS 0x1fffffu
#define ANSWER_MAX 65536u
enum { LENGTH = 4, NUMBERS = 12 };

static const unsigned char goodbye[] = { 0, 0, 0, 1, 'Q' };

static void
put(unsigned char *at, uint32_t n)
{
	n = htonl(n);
	memcpy(at, &n, sizeof(n));
}

static uint32_t
get(const unsigned char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return ntohl(n);
}

/* Until the descriptor is ready, or the time is over. */
static int
wait_for(int fd, short events, double end, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	for (;;) {
		const double left = end - clock_monotonic();

		if (left <= 0)
			return err_set(e, ERR_TEMP, "it does not answer");
		n = poll(&p, 1, (int)(left * 1000) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_errno(e, "cannot wait");
	}
}

static int
connect_to(const struct sockaddr *to, socklen_t n, double end,
	   struct ask_answer *a, struct err *e)
{
	int fd = socket(to->sa_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(int);
	int why = 0;

	if (fd < 0)
		return err_errno(e, "cannot make a socket");
	if (connect(fd, to, n) < 0)
		why = errno;
	if (why == EINPROGRESS) {
		if (wait_for(fd, POLLOUT, end, e) < 0)
			goto fail;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0)
			why = errno;
	}
	if (why == 0)
		return fd;
	a->error = errno = why;
	err_errno(e, "cannot connect");
fail:
	fsio_close(&fd);
	return -1;
}

static int
connect_unix(const char *path, double end, struct ask_answer *a,
	     struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(to.sun_path))
		return err_set(e, ERR_TEMP, "its path is longer than %zu bytes",
			       sizeof(to.sun_path) - 1);
	memcpy(to.sun_path, path, strlen(path));
	return connect_to((struct sockaddr *)&to, sizeof(to), end, a, e);
}

static int
connect_inet(const char *host_and_port, double end, struct ask_answer *a,
	     struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	const char *colon = strrchr(host_and_port, ':');
	const char *host = host_and_port;
	char name[256];
	size_t n = colon ? (size_t)(colon - host) : 0;
	int fd = -1, ret;

	if (n >= 2 && *host == '[') {
		host++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(name))
		return err_set(e, ERR_TEMP, "it is no HOST:PORT");
	memcpy(name, host, n);
	name[n] = '\0';
	ret = getaddrinfo(name, colon + 1, &hints, &all);
	if (ret != 0)
		return err_set(e, ERR_TEMP, "cannot find it: %s",
			       gai_strerror(ret));
	for (struct addrinfo *one = all; one != NULL && fd < 0;
	     one = one->ai_next)
		fd = connect_to(one->ai_addr, one->ai_addrlen, end, a, e);
	freeaddrinfo(all);
	return fd;
}

static int
send_all(int fd, const unsigned char *data, size_t n, double end,
	 struct err *e)
{
	while (n > 0) {
		const ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

		if (sent > 0) {
			data += sent;
			n -= (size_t)sent;
		} else if (errno != EAGAIN && errno != EINTR) {
			return err_errno(e, "cannot speak to it");
		} else if (wait_for(fd, POLLOUT, end, e) < 0) {
			return -1;
		}
	}
	return 0;
}

static int
receive(int fd, unsigned char *data, size_t n, double end, struct err *e)
{
	while (n > 0) {
		const ssize_t got = recv(fd, data, n, 0);

		if (got > 0) {
			data += got;
			n -= (size_t)got;
		} else if (got == 0) {
			return err_set(e, ERR_TEMP, "it hangs up");
		} else if (errno != EAGAIN && errno != EINTR) {
			return err_errno(e, "cannot hear it");
		} else if (wait_for(fd, POLLIN, end, e) < 0) {
			return -1;
		}
	}
	return 0;
}

static int
negotiate(int fd, double end, struct ask_answer *a, struct err *e)
{
	unsigned char packet[LENGTH + 1 + NUMBERS];

	put(packet, 1 + NUMBERS);
	packet[LENGTH] = 'O';
	put(packet + LENGTH + 1, SPOKEN);
	put(packet + LENGTH + 5, ACTIONS);
	put(packet + LENGTH + 9, STEPS);
	if (send_all(fd, packet, sizeof(packet), end, e) < 0 ||
	    receive(fd, packet, LENGTH + 1, end, e) < 0)
		return -1;
	if (packet[LENGTH] != 'O')
		return err_set(e, ERR_TEMP, "it refuses: its first word is "
			       "0x%02x", packet[LENGTH]);
	if (get(packet) < 1 + NUMBERS || get(packet) > ANSWER_MAX)
		return err_set(e, ERR_TEMP, "it speaks something else");
	if (receive(fd, packet, NUMBERS, end, e) < 0)
		return -1;
	a->version = get(packet);
	a->actions = get(packet + 4);
	a->steps = get(packet + 8);
	if (a->version < 2 || a->version > SPOKEN)
		return err_set(e, ERR_TEMP, "it speaks version %lu",
			       (unsigned long)a->version);
	return 0;
}

int
ask_milter(const char *endpoint, int ms, struct ask_answer *a, struct err *e)
{
	const double end = clock_monotonic() + ms / 1000.0;
	struct err ignored;
	int fd, ret;

	*a = (struct ask_answer) { .error = 0 };
	if (strncasecmp(endpoint, "unix:", 5) == 0)
		fd = connect_unix(endpoint + 5, end, a, e);
	else if (strncasecmp(endpoint, "inet:", 5) == 0)
		fd = connect_inet(endpoint + 5, end, a, e);
	else
		return err_set(e, ERR_TEMP, "it is neither unix: nor inet:");
	if (fd < 0)
		return -1;
	ret = negotiate(fd, end, a, e);
	if (ret == 0)
		send_all(fd, goodbye, sizeof(goodbye), end, &ignored);
	fsio_close(&fd);
	return ret;
}
