#include <config.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "milter/notify.h"
#include "scratch.h"

static void
sockets(void **state)
{
	static const struct {
		const char *pid, *n;	/* pid "": ours */
		int wanted;
	} rows[] = {
		{ NULL, NULL, 0 },
		{ "", "1", 1 },
		{ "", "2", 2 },
		{ "1", "1", 0 },
		{ "", NULL, 0 },
		{ NULL, "1", 0 },
		{ "", "-1", 0 },
		{ "", "x", 0 },
		{ "", "1000000", 0 },
	};
	char own[32];

	(void)state;
	snprintf(own, sizeof(own), "%ld", (long)getpid());
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsetenv("LISTEN_PID");
		unsetenv("LISTEN_FDS");
		if (rows[i].pid != NULL)
			setenv("LISTEN_PID", *rows[i].pid ? rows[i].pid : own,
			       1);
		if (rows[i].n != NULL)
			setenv("LISTEN_FDS", rows[i].n, 1);
		assert_int_equal(notify_sockets(), rows[i].wanted);
	}
}

static int
manager(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(to.sun_path));
	memcpy(to.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void
tells(const char *dir)
{
	const char *path = scratch_path("%s/manager", dir);
	char got[256];
	int fd = manager(path);
	ssize_t n;

	notify_send("READY=1");		/* to nobody */
	setenv("NOTIFY_SOCKET", path, 1);
	notify_take();
	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1\nSTATUS=Serving");
	n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	assert_int_equal(n, strlen("READY=1\nSTATUS=Serving"));
	assert_memory_equal(got, "READY=1\nSTATUS=Serving", (size_t)n);
	notify_reloading();
	n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	got[n] = '\0';
	assert_non_null(strstr(got, "RELOADING=1\nMONOTONIC_USEC="));
	close(fd);
	notify_send("READY=1");		/* nobody listens any more */
}

static void
watchdogs(const char *dir)
{
	static const struct {
		const char *us, *pid;	/* pid "": ours */
		int wanted;
	} rows[] = {
		{ NULL, NULL, 0 },
		{ "x", NULL, 0 },
		{ "-5", NULL, 0 },
		{ "60000000", "1", 0 },
		{ "60000000", NULL, 60 },
		{ "30000000", "", 30 },
	};
	char own[32];

	snprintf(own, sizeof(own), "%ld", (long)getpid());
	setenv("NOTIFY_SOCKET", scratch_path("%s/manager", dir), 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].us != NULL)
			setenv("WATCHDOG_USEC", rows[i].us, 1);
		if (rows[i].pid != NULL)
			setenv("WATCHDOG_PID", *rows[i].pid ? rows[i].pid : own,
			       1);
		notify_take();
		assert_int_equal((int)notify_watchdog(), rows[i].wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets),
		plain_unit_test(tells),
		plain_unit_test(watchdogs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
