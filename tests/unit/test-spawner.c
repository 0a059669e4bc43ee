#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/delivery.h"
#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "scratch.h"
#include "sync/mailbox.h"
#include "sync/spawner.h"

/* A deliverer is looked for beside the program that runs, so the tests that
 * start one run again from a directory where there is one. */

static struct route routes[3];
static struct source_settings sources[1];
static struct settings settings;

static struct spawner
plain_spawner(const char *dir)
{
	static char maildir[4096];

	snprintf(maildir, sizeof(maildir), "%s/m", dir);
	routes[0] = (struct route){ .prefix = "a/", .maildir = maildir };
	routes[1] = (struct route){ .prefix = "b/", .maildir = maildir,
				    .owner = "100:100" };
	sources[0] = (struct source_settings){ .routes = routes,
					       .routes_n = 2 };
	settings = (struct settings){ .sources = sources, .sources_n = 1 };
	return (struct spawner){ .settings = &settings, .sock = -1 };
}

struct unknown {
	size_t source, route;
};

/* The third route would be the catch_all, and there is none. */
static const struct unknown unknown[] = {
	{ 1, 0 }, { SIZE_MAX, 0 }, { 0, 2 }, { 0, 3 }, { 0, SIZE_MAX },
	{ 1, SIZE_MAX },
};

static void
refuse_unknown(const char *dir)
{
	struct spawner sp = plain_spawner(dir);

	for (size_t i = 0; i < COUNT(unknown); i++) {
		const struct target t = { .route = unknown[i].route };
		struct err e = { .kind = ERR_PERM };
		int sock = 7;

		printf("# row %zu\n", i);
		assert_int_equal(spawner_start(&sp, unknown[i].source, &t,
					       &sock, &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		assert_int_equal(sock, -1);
		assert_string_not_equal(e.text, "");
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
a_missing_deliverer_stops_all(const char *dir)
{
	const struct target t = { .route = 0 };
	struct spawner sp = plain_spawner(dir);
	struct err e = { .kind = ERR_TEMP };
	int sock;

	if (access(PKGLIBEXECDIR "/fallbackmx-deliver", X_OK) == 0)
		return;
	assert_int_equal(spawner_start(&sp, 0, &t, &sock, &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_CONFIG);
	assert_non_null(strstr(e.text, "fallbackmx-deliver"));
}

/* Runs "test-spawner --NAME DIR" where a deliverer is beside it. */
static void
run_beside(const char *dir, const char *name)
{
	const char *build = getenv("FALLBACKMX_BUILD");
	const char *program = scratch_path("%s/test-spawner", dir);
	int status;
	pid_t pid;

	scratch_copy("/proc/self/exe", program, 0755);
	scratch_copy(scratch_path("%s/fallbackmx-deliver", build ? build : "."),
		     scratch_path("%s/fallbackmx-deliver", dir), 0755);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execl(program, program, name, dir, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* HELLO to a deliverer, and its end. */
static void
works(int sock)
{
	struct delivery_request q = {
		.op = DELIVERY_HELLO, .name = PACKAGE_VERSION,
	};
	struct answer w;
	ssize_t n;

	assert_true(sock >= 0);
	assert_int_equal(fcntl(sock, F_GETFD), FD_CLOEXEC);
	assert_int_equal(packet_send(sock, &q, sizeof(q), -1), 0);
	n = packet_receive(sock, &w, sizeof(w), NULL, 60000);
	assert_int_equal(n, sizeof(w.a));
	assert_string_equal(w.a.text, "");
	assert_int_equal(w.a.status, DELIVERY_OK);
	close(sock);
}

static void
start_one(const char *dir)
{
	const struct target t = { .route = 0 };
	struct spawner sp = plain_spawner(dir);
	struct err e = { .text = "" };
	int sock = -1, status;

	if (spawner_start(&sp, 0, &t, &sock, &e) < 0)
		fail_msg("%s", e.text);
	works(sock);
	/* It ends when nobody asks any more. */
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	assert_true(scratch_exists(scratch_path("%s/m/new", dir)));
}

static void
refuse_others(const char *dir)
{
	const struct target t = { .route = 1 };
	struct spawner sp = plain_spawner(dir);
	struct err e = { .kind = ERR_STOP };
	int sock = 7;

	assert_int_equal(spawner_start(&sp, 0, &t, &sock, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(sock, -1);
	assert_non_null(strstr(e.text, "uid 100"));
	assert_false(scratch_exists(scratch_path("%s/m", dir)));
}

static int
engine(int sock)
{
	struct spawner sp = { .settings = &settings, .sock = sock };
	const struct target good = { .route = 0 }, bad = { .route = 9 };
	struct err e = { .kind = ERR_STOP };
	int box = -1;

	if (spawner_start(&sp, 0, &bad, &box, &e) != -1 || box != -1 ||
	    e.kind != ERR_TEMP || e.text[0] == '\0')
		return 1;
	if (spawner_start(&sp, 0, &good, &box, &e) < 0)
		return 2;
	works(box);
	return 75;
}

static void
serve_an_engine(const char *dir)
{
	int pair[2], status;
	pid_t pid;

	plain_spawner(dir);
	assert_int_equal(packet_pair(pair), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		_exit(engine(pair[1]));
	}
	assert_true(pid > 0);
	close(pair[1]);
	status = spawner_serve(&settings, pair[0], pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 75);
	/* Nobody is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
signals_go_to_the_engine(const char *dir)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	plain_spawner(dir);
	for (size_t i = 0; i < COUNT(signals); i++) {
		int pair[2], status;
		pid_t spawner = getpid(), pid;

		assert_int_equal(packet_pair(pair), 0);
		/* Until the spawner listens. */
		signal(signals[i], SIG_IGN);
		pid = fork();
		if (pid == 0) {
			close(pair[0]);
			signal(signals[i], SIG_DFL);
			for (int n = 0; n < 1000 && getppid() == spawner; n++) {
				kill(spawner, signals[i]);
				usleep(10000);
			}
			_exit(1);
		}
		assert_true(pid > 0);
		close(pair[1]);
		status = spawner_serve(&settings, pair[0], pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
	}
}

static void
a_spawner_that_has_gone_stops_all(const char *dir)
{
	const struct target t = { .route = 0 };
	struct spawner sp = plain_spawner(dir);
	struct err e = { .kind = ERR_TEMP };
	int pair[2], sock = 7;

	assert_int_equal(packet_pair(pair), 0);
	sp.sock = pair[0];
	/* An answer that is none. */
	assert_int_equal(packet_send(pair[1], "x", 1, -1), 0);
	assert_int_equal(spawner_start(&sp, 0, &t, &sock, &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	close(pair[1]);
	e.kind = ERR_TEMP;
	assert_int_equal(spawner_start(&sp, 0, &t, &sock, &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_TEMPFAIL);
}

/* A request that is none ends the service, and starts nothing. */
static void
a_malformed_request_ends_the_service(const char *dir)
{
	plain_spawner(dir);
	for (size_t n = 1; n < 4096; n *= 5) {
		int pair[2], status;
		pid_t pid;
		char c;

		assert_int_equal(packet_pair(pair), 0);
		pid = fork();
		if (pid == 0) {
			static char junk[4096];

			close(pair[0]);
			if (packet_send(pair[1], junk, n, -1) < 0)
				_exit(1);
			_exit(packet_receive(pair[1], &c, 1, NULL, 60000) == 0
			      ? 0 : 2);
		}
		assert_true(pid > 0);
		close(pair[1]);
		status = spawner_serve(&settings, pair[0], pid);
		assert_int_equal(status, 0);
	}
}

struct inner {
	const char *name;
	void (*work)(const char *dir);
};

static const struct inner inner[] = {
	{ "--unknown", refuse_unknown }, { "--start", start_one },
	{ "--refuse", refuse_others }, { "--serve", serve_an_engine },
};

static void
what_is_not_configured_is_refused(const char *dir)
{
	run_beside(dir, "--unknown");
}

static void
starts_a_deliverer(const char *dir)
{
	run_beside(dir, "--start");
}

static void
refuses_another_users_maildir(const char *dir)
{
	run_beside(dir, "--refuse");
}

static void
serves_an_engine_until_it_ends(const char *dir)
{
	run_beside(dir, "--serve");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(what_is_not_configured_is_refused),
		plain_unit_test(a_missing_deliverer_stops_all),
		plain_unit_test(starts_a_deliverer),
		plain_unit_test(refuses_another_users_maildir),
		plain_unit_test(serves_an_engine_until_it_ends),
		plain_unit_test(signals_go_to_the_engine),
		plain_unit_test(a_spawner_that_has_gone_stops_all),
		plain_unit_test(a_malformed_request_ends_the_service),
	};

	for (size_t i = 0; argc == 3 && i < COUNT(inner); i++)
		if (strcmp(argv[1], inner[i].name) == 0) {
			setvbuf(stdout, NULL, _IOLBF, 0);
			inner[i].work(argv[2]);
			return 0;
		}
	return cmocka_run_group_tests_name("spawner", tests, NULL, NULL);
}
