#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/process.h"
#include "scratch.h"

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
keeps_only_what_was_passed(const char *dir)
{
	(void)dir;
	for (int fd = 3; fd <= 6; fd++)
		assert_int_equal(dup2(STDERR_FILENO, fd), fd);
	process_reset(2);
	for (int fd = 0; fd <= 4; fd++)
		assert_true(is_open(fd));
	for (int fd = 5; fd <= 6; fd++)
		assert_false(is_open(fd));
	process_reset(0);
	assert_false(is_open(3));
}

static void
starts_anew(const char *dir)
{
	struct rlimit core;
	sigset_t blocked;

	(void)dir;
	setenv("LD_PRELOAD", "", 1);
	setenv("SECRET", "x", 1);
	setenv("TZ", "Europe/Vienna", 1);
	umask(0);
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	process_reset(0);
	assert_null(getenv("SECRET"));
	assert_null(getenv("LD_PRELOAD"));
	assert_string_equal(getenv("TZ"), "Europe/Vienna");
	assert_non_null(getenv("PATH"));
	assert_int_equal(umask(077), 077);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGTERM));
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_max, 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

static void
believes_no_path_as_zone(const char *dir)
{
	(void)dir;
	setenv("TZ", ":/etc/shadow", 1);
	process_reset(0);
	assert_null(getenv("TZ"));
	setenv("TZ", "../../etc/shadow", 1);
	process_reset(0);
	assert_null(getenv("TZ"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(keeps_only_what_was_passed),
		plain_unit_test(starts_anew),
		plain_unit_test(believes_no_path_as_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
