#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/packet.h"
#include "scratch.h"

static int pair[2];

static int
open_pair(void **state)
{
	(void)state;
	return packet_pair(pair);
}

static int
close_pair(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	return 0;
}

static int
null_device(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
is_null_device(int fd)
{
	char name[64], target[64] = "";

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	assert_true(readlink(name, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/dev/null");
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void
both_ends_close_on_exec(void **state)
{
	(void)state;
	assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
}

static void
messages_keep_borders_and_order(void **state)
{
	static const char *const said[] = { "one", "", "three", "x" };
	char got[16];

	(void)state;
	for (size_t i = 0; i < COUNT(said); i++)
		assert_int_equal(packet_send2(pair[0], "<", 1, said[i],
					      strlen(said[i]), -1), 0);
	for (size_t i = 0; i < COUNT(said); i++) {
		const size_t n = strlen(said[i]);
		int fd = 7;

		assert_int_equal(packet_receive(pair[1], got, sizeof(got), &fd,
						-1), n + 1);
		assert_int_equal(got[0], '<');
		assert_memory_equal(got + 1, said[i], n);
		assert_int_equal(fd, -1);
	}
}

static void
the_largest_message_passes(void **state)
{
	char *sent = malloc(PACKET_MAX), *got = malloc(PACKET_MAX);

	(void)state;
	assert_non_null(sent);
	assert_non_null(got);
	for (size_t i = 0; i < PACKET_MAX; i++)
		sent[i] = (char)(i * 7);
	assert_int_equal(packet_send(pair[0], sent, PACKET_MAX, -1), 0);
	assert_int_equal(packet_receive(pair[1], got, PACKET_MAX, NULL, -1),
			 PACKET_MAX);
	assert_memory_equal(got, sent, PACKET_MAX);
	free(sent);
	free(got);
}

static void
a_descriptor_comes_along(void **state)
{
	int sent = null_device(), got = -1;
	char c;

	(void)state;
	assert_int_equal(packet_send(pair[0], "x", 1, sent), 0);
	assert_true(fcntl(sent, F_GETFD) >= 0);
	close(sent);
	assert_int_equal(packet_receive(pair[1], &c, 1, &got, -1), 1);
	is_null_device(got);
	close(got);
}

static void
an_unwanted_descriptor_is_closed(void **state)
{
	int sent = null_device(), before = scratch_descriptors();
	char c;

	(void)state;
	assert_int_equal(packet_send(pair[0], "x", 1, sent), 0);
	assert_int_equal(packet_receive(pair[1], &c, 1, NULL, -1), 1);
	assert_int_equal(scratch_descriptors(), before);
	close(sent);
}

/* A peer that we do not trust sends more of them than it may. */
static void
send_many(int sock, int fd, int n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control = { .room = "" };
	struct iovec part = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	const size_t size = (size_t)n * sizeof(int);
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = CMSG_SPACE(size),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(size);
	for (int i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &fd,
		       sizeof(int));
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static void
more_than_one_descriptor_leaves_none_behind(void **state)
{
	int sent = null_device(), before = scratch_descriptors();

	(void)state;
	for (int n = 2; n <= 8; n++) {
		int got = -1;
		char c;

		printf("# %d descriptors\n", n);
		send_many(pair[0], sent, n);
		if (packet_receive(pair[1], &c, 1, &got, -1) > 0 && got >= 0)
			close(got);
		assert_int_equal(scratch_descriptors(), before);
	}
	close(sent);
}

static void
a_message_that_does_not_fit_is_an_error(void **state)
{
	int sent = null_device(), before = scratch_descriptors(), got = 7;
	char small[4];

	(void)state;
	assert_int_equal(packet_send(pair[0], "12345", 5, sent), 0);
	assert_int_equal(packet_receive(pair[1], small, sizeof(small), &got,
					-1), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(got, -1);
	assert_int_equal(scratch_descriptors(), before);
	close(sent);
}

static void
a_closed_peer_is_told(void **state)
{
	char c;

	(void)state;
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(packet_receive(pair[1], &c, 1, NULL, -1), 0);
	assert_int_equal(packet_receive(pair[1], &c, 1, NULL, 1000), 0);
	/* SIGPIPE would end the test. */
	assert_int_equal(packet_send(pair[1], "x", 1, -1), -1);
	assert_int_equal(errno, EPIPE);
}

static void
a_time_out_is_told(void **state)
{
	int fd = -1;
	char c;

	(void)state;
	assert_int_equal(packet_receive(pair[1], &c, 1, &fd, 0), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(packet_receive(pair[1], &c, 1, &fd, 20), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(fd, -1);
	assert_int_equal(packet_send(pair[0], "x", 1, -1), 0);
	assert_int_equal(packet_receive(pair[1], &c, 1, &fd, 0), 1);
}

static void
a_bad_socket_is_an_error(void **state)
{
	int file = null_device();
	char c;

	(void)state;
	assert_int_equal(packet_send(file, "x", 1, -1), -1);
	assert_int_equal(errno, ENOTSOCK);
	assert_int_equal(packet_receive(file, &c, 1, NULL, -1), -1);
	assert_int_equal(errno, ENOTSOCK);
	close(file);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_close_on_exec),
		TEST(messages_keep_borders_and_order),
		TEST(the_largest_message_passes),
		TEST(a_descriptor_comes_along),
		TEST(an_unwanted_descriptor_is_closed),
		TEST(more_than_one_descriptor_leaves_none_behind),
		TEST(a_message_that_does_not_fit_is_an_error),
		TEST(a_closed_peer_is_told),
		TEST(a_time_out_is_told),
		TEST(a_bad_socket_is_an_error),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
