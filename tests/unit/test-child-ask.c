#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "scratch.h"

#define ROOM 4096

static const char *const envp[] = { "PATH=/usr/bin:/bin", "X=y", NULL };

/* Runs the lines of a shell, as a program that a test can write. */
static int
ask(const char *lines, int ms, struct child_answer *a, struct err *e)
{
	static char out[ROOM + 1];
	const char *argv[] = { "sh", "-c", lines, "name", "an argument", NULL };

	*a = (struct child_answer){ .out = out, .size = ROOM };
	e->text[0] = '\0';
	return child_ask(argv, envp, ms, a, e);
}

static void
no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

struct question {
	const char *lines, *out, *line;
	int status;
};

static const struct question questions[] = {
	{ "echo hello", "hello\n", "", 0 },
	{ "printf '%s|' \"$0\" \"$@\"", "name|an argument|", "", 0 },
	{ "echo one >&2; echo two >&2; exit 3", "", "one", 3 << 8 },
	{ "printf unended >&2", "", "unended", 0 },
	{ "kill -9 $$", "", "", SIGKILL },
	{ "readlink /proc/self/fd/0", "/dev/null\n", "", 0 },
	{ "echo $X$PATH$HOME$AWS_SECRET_ACCESS_KEY", "y/usr/bin:/bin\n", "",
	  0 },
	/* What is open is 0 to 2, and ls's own. */
	{ "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ", "", 0 },
	/* One that it leaves behind keeps stdout open. */
	{ "sleep 600 & echo done", "done\n", "", 0 },
	{ "exec >&- 2>&-; sleep 0.1; exit 4", "", "", 4 << 8 },
	{ "trap '' TERM HUP INT; echo x", "x\n", "", 0 },
};

static void
hears_what_a_program_says(const char *dir)
{
	const int descriptors = scratch_descriptors();

	(void)dir;
	setenv("AWS_SECRET_ACCESS_KEY", "HIDDEN", 1);
	assert_int_equal(dup2(STDERR_FILENO, 44), 44);
	for (size_t i = 0; i < COUNT(questions); i++) {
		const struct question *q = &questions[i];
		struct child_answer a;
		struct err e;

		ROW(q->lines);
		assert_int_equal(ask(q->lines, 60000, &a, &e), 0);
		assert_string_equal(a.out, q->out);
		assert_int_equal(a.len, strlen(q->out));
		assert_string_equal(a.line, q->line);
		assert_int_equal(a.status, q->status);
		no_child_is_left();
	}
	assert_int_equal(scratch_descriptors(), descriptors + 1);
}

static void
has_a_limit_for_what_is_said(const char *dir)
{
	struct child_answer a;
	struct err e;

	(void)dir;
	assert_int_equal(ask("head -c 4095 /dev/zero", 60000, &a, &e), 0);
	assert_int_equal(a.len, ROOM - 1);
	assert_int_equal(ask("head -c 4096 /dev/zero", 60000, &a, &e), -1);
	assert_string_equal(e.text, "it prints more than 4095 bytes");
	assert_int_equal(ask("cat /dev/zero", 60000, &a, &e), -1);
	assert_string_equal(e.text, "it prints more than 4095 bytes");
	/* Of stderr a line is kept, the rest read and forgotten. */
	assert_int_equal(ask("head -c 300000 /dev/zero | tr '\\0' x >&2",
			     60000, &a, &e), 0);
	assert_int_equal(strlen(a.line), sizeof(a.line) - 1);
	no_child_is_left();
}

/* Also those that it started, and those that will not listen. */
static void
kills_what_takes_too_long(const char *dir)
{
	const char *path = scratch_path("%s/pids", dir);
	char lines[512], pids[64] = "", *p = pids;
	struct child_answer a;
	struct err e;

	scratch_text(path, "");
	snprintf(lines, sizeof(lines), "trap '' TERM; sleep 600 & echo $! $$ "
		 ">%s; wait", path);
	/* On a busy machine it does not even begin in so short a time. */
	for (int ms = 500; scratch_read(path, pids, sizeof(pids) - 1) <= 0;
	     ms *= 2) {
		assert_true(ms < 100000);
		assert_int_equal(ask(lines, ms, &a, &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		assert_string_equal(e.text, "it takes too long");
		no_child_is_left();
	}
	for (int i = 0; i < 2; i++) {
		const pid_t pid = (pid_t)strtol(p, &p, 10);

		assert_true(pid > 1);
		/* Dead ones of init's may be there for a moment. */
		for (int k = 0; k < 5000 && kill(pid, 0) == 0; k++) {
			char stat[64], what[256] = "";

			snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
			if (scratch_read(stat, what, sizeof(what) - 1) <= 0 ||
			    strstr(what, ") Z ") != NULL)
				break;
			usleep(2000);
			assert_true(k < 4999);
		}
	}
}

static void
says_why_it_did_not_start(const char *dir)
{
	const char *text = scratch_path("%s/text", dir);
	const char *const missing[] = { "/nonexistent/x", NULL };
	const char *const nowhere[] = { "no-such-program-here", NULL };
	const char *const no_program[] = { text, NULL };
	char out[8];
	struct child_answer a = { .out = out, .size = sizeof(out) };
	struct err e;

	scratch_text(text, "#!/nonexistent\n");
	assert_int_equal(child_ask(missing, envp, 9000, &a, &e), -1);
	assert_string_equal(e.text, "cannot execute /nonexistent/x: No such "
			    "file or directory");
	assert_int_equal(child_ask(nowhere, envp, 9000, &a, &e), -1);
	assert_non_null(strstr(e.text, "cannot execute no-such-program-here"));
	assert_int_equal(child_ask(no_program, envp, 9000, &a, &e), -1);
	assert_non_null(strstr(e.text, "Permission denied"));
	no_child_is_left();
}

/* Out of descriptors, what is open as 3 may be the ledger. */
static void
writes_to_nobody_else(const char *dir)
{
	const struct rlimit few = { 12, 12 };
	char got[16] = "";
	struct child_answer a;
	struct err e;
	int fd;

	scratch_text(scratch_path("%s/precious", dir), "precious");
	fd = open(scratch_path("%s/precious", dir), O_RDWR);
	assert_int_equal(dup2(fd, 3), 3);
	for (int i = 4; i < 12; i++)
		close(i);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(ask("echo x", 60000, &a, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(scratch_read(scratch_path("%s/precious", dir), got,
				      sizeof(got)), 8);
	assert_string_equal(got, "precious");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(hears_what_a_program_says),
		plain_unit_test(has_a_limit_for_what_is_said),
		plain_unit_test(kills_what_takes_too_long),
		plain_unit_test(says_why_it_did_not_start),
		plain_unit_test(writes_to_nobody_else),
	};

	return cmocka_run_group_tests_name("child-ask", tests, NULL, NULL);
}
