#include <config.h>

#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "milter/pulse.h"
#include "scratch.h"

static int
listen_at(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(to.sun_path));
	memcpy(to.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(fd, 10), 0);
	return fd;
}

/* One turn of the main loop, of at most ms. */
static void
turn(struct pulse *p, enum pulse_want want, int ms)
{
	struct pollfd fds[1];
	const size_t n = pulse_poll(p, want, fds, &ms);

	assert_true(poll(fds, (nfds_t)n, ms) >= 0);
	pulse_serve(p, fds, n);
}

#define LATER 100	/* seconds that no test takes */

/* However long this process was kept from running. */
static void
not_due(struct pulse *p)
{
	p->due = clock_monotonic() + LATER;
}

static void
beats(const char *dir)
{
	const int server = listen_at(scratch_path("%s/sock", dir));
	const double began = clock_monotonic();
	unsigned char got[64];
	struct pollfd fds[1];
	struct pulse p;
	int one, ms;

	pulse_find(&p);
	assert_true(p.to_n > 0);
	turn(&p, PULSE_BEAT, 0);	/* it connects */
	/* The next one is due in a second. */
	assert_true(p.due >= began + PULSE_SECONDS);
	assert_true(p.due <= clock_monotonic() + PULSE_SECONDS);
	not_due(&p);
	turn(&p, PULSE_BEAT, 100);	/* and asks */
	one = accept(server, NULL, NULL);
	assert_true(one >= 0);
	assert_int_equal(recv(one, got, sizeof(got), 0), 17);
	assert_memory_equal(got, "\0\0\0\15O\0\0\0\6", 9);
	assert_int_equal(send(one, got, 17, 0), 17);
	/* It is answered, and leaves. */
	turn(&p, PULSE_BEAT, 100);
	assert_int_equal(p.fd, -1);
	assert_int_equal(p.answered, 1);
	assert_true(pulse_tells(&p));
	assert_int_equal(recv(one, got, sizeof(got), MSG_WAITALL), 5);
	assert_memory_equal(got, "\0\0\0\1Q", 5);
	close(one);
	/* The next one has its time; it comes at once if many wait. */
	ms = -1;
	pulse_poll(&p, PULSE_BEAT, fds, &ms);
	assert_in_range(ms, 1, LATER * 1000 + 1);
	assert_int_equal(p.fd, -1);
	pulse_poll(&p, PULSE_BUSY, fds, &ms);
	assert_in_range(ms, 0, 11);
	not_due(&p);
	turn(&p, PULSE_BEAT, 0);
	assert_int_equal(p.fd, -1);
	p.due = clock_monotonic() + 0.1;
	turn(&p, PULSE_BEAT, 2000);	/* it waits until then */
	turn(&p, PULSE_BEAT, 0);
	assert_true(p.fd >= 0);
	/* Nobody answers that: another one takes its place. */
	not_due(&p);
	turn(&p, PULSE_BEAT, 100);
	assert_int_equal(p.missed, 0);
	p.due = clock_monotonic() + 0.1;
	turn(&p, PULSE_BEAT, 2000);
	turn(&p, PULSE_BEAT, 0);
	assert_int_equal(p.missed, 1);
	assert_int_equal(p.answered, 1);
	/* TCP may be beyond our reach; not if it was not once. */
	p.to.ss_family = AF_INET;
	assert_true(pulse_tells(&p));
	p.answered = 0;
	assert_false(pulse_tells(&p));
	close(server);
}

static void
rests(const char *dir)
{
	struct pulse p;
	int server, ms = -1;

	pulse_find(&p);
	assert_int_equal(pulse_poll(&p, PULSE_BEAT, NULL, &ms), 0);
	assert_int_equal(ms, -1);
	server = listen_at(scratch_path("%s/sock", dir));
	pulse_find(&p);
	for (int i = 0; i < 3; i++)
		turn(&p, PULSE_REST, 0);
	assert_int_equal(p.fd, -1);
	/* Gone: it goes on without. */
	close(server);
	p.due = 0;
	turn(&p, PULSE_BEAT, 0);
	assert_int_equal(p.fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(beats),
		plain_unit_test(rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
