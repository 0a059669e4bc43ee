#include <config.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fsio.h"
#include "packet.h"

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

int
packet_pair(int pair_r[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair_r);
}

int
packet_send(int sock, const void *data, size_t n, int fd)
{
	return packet_send2(sock, data, n, NULL, 0, fd);
}

int
packet_send2(int sock, const void *data, size_t n, const void *tail,
	     size_t tail_n, int fd)
{
	struct iovec part[2] = {
		{ .iov_base = (void *)(size_t)data, .iov_len = n },
		{ .iov_base = (void *)(size_t)tail, .iov_len = tail_n },
	};
	struct msghdr msg = { .msg_iov = part, .msg_iovlen = 2 };
	union control control;
	ssize_t r;

	if (fd >= 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		r = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -1 : 0;
}

static int
wait_readable(int sock, int timeout_ms)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	return r < 0 ? -1 : 0;
}

static int
descriptor_of(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

static ssize_t
receive(int sock, struct msghdr *msg, int flags)
{
	ssize_t n;

	do
		n = recvmsg(sock, msg, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t
packet_receive(int sock, void *data, size_t size, int *fd_r, int timeout_ms)
{
	struct iovec part = { .iov_base = data, .iov_len = size };
	union control control;
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control.room,
		/* CMSG_SPACE would let a second descriptor in. */
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t n;
	int fd;

	if (fd_r != NULL)
		*fd_r = -1;
	n = receive(sock, &msg, timeout_ms >= 0 ? MSG_DONTWAIT : 0);
	if (n < 0 && errno == EAGAIN && timeout_ms >= 0) {
		if (wait_readable(sock, timeout_ms) < 0)
			return -1;
		n = receive(sock, &msg, 0);
	}
	if (n < 0)
		return -1;
	fd = descriptor_of(&msg);
	if (fd_r != NULL)
		*fd_r = fd;
	else
		fsio_close(&fd);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		if (fd_r != NULL)
			fsio_close(fd_r);
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}
