#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/control.h"
#include "scratch.h"

#define LARGE ((size_t)4000000)

static int
say_hello(void *arg, struct buf *out)
{
	buf_printf(out, "hello %s\n", (const char *)arg);
	return 0;
}

static int
say_nothing(void *arg, struct buf *out)
{
	(void)arg;
	(void)out;
	return EX_CONFIG;
}

static int
say_much(void *arg, struct buf *out)
{
	(void)arg;
	while (out->len < LARGE)
		buf_printf(out, "%zu\n", out->len);
	return 0;
}

static const struct control_request requests[] = {
	{ "hello", say_hello },
	{ "nothing", say_nothing },
	{ "much", say_much },
	{ NULL, NULL }
};

/* A milter's main thread: its poll loop, and nothing else. */
struct loop {
	struct control *control;
	pthread_t thread;
	_Atomic bool stop;
	_Atomic unsigned turns;
};

static void *
run_loop(void *arg)
{
	struct loop *l = arg;

	while (!atomic_load(&l->stop)) {
		struct pollfd fds[CONTROL_POLL_MAX];
		int ms = 20;
		const size_t n = control_poll(l->control, fds, &ms);

		assert_true(n <= CONTROL_POLL_MAX && ms >= 0 && ms <= 20);
		poll(fds, (nfds_t)n, ms);
		control_serve(l->control, fds, n);
		atomic_fetch_add(&l->turns, 1);
	}
	return NULL;
}

static void
start(struct loop *l, const char *path)
{
	static char world[] = "world";
	struct err e;

	atomic_init(&l->stop, false);
	atomic_init(&l->turns, 0);
	l->control = control_open(path, requests, world, &e);
	assert_non_null(l->control);
	assert_int_equal(pthread_create(&l->thread, NULL, run_loop, l), 0);
}

static void
stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	pthread_join(l->thread, NULL);
	control_close(l->control);
}

static int
dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* All that comes, as text. */
static const char *
take(int fd)
{
	static char text[1024];
	size_t have = 0;
	ssize_t n;

	while ((n = recv(fd, text + have, sizeof(text) - 1 - have, 0)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	close(fd);
	return text;
}

static void
answers(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	struct loop l;
	struct buf text;
	struct stat st;
	struct err e;
	int code;

	start(&l, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(control_ask(path, "hello", 60, &text, &code, &e), 0);
	assert_int_equal(code, 0);
	assert_string_equal(text.data, "hello world\n");
	buf_free(&text);
	assert_int_equal(control_ask(path, "nothing", 5, &text, &code, &e),
			 0);
	assert_int_equal(code, EX_CONFIG);
	assert_int_equal(text.len, 0);
	buf_free(&text);
	assert_int_equal(control_ask(path, "hell", 5, &text, &code, &e), 0);
	assert_int_equal(code, EX_USAGE);
	buf_free(&text);
	assert_int_equal(control_ask(path, "much", 20, &text, &code, &e), 0);
	assert_true(text.len >= LARGE);
	buf_free(&text);
	stop(&l);
	assert_false(scratch_exists(path));
}

struct hostile {
	const char *bytes;
	size_t n;
	const char *answer;
};

#define BYTES(s) s, sizeof(s) - 1
static const struct hostile hostiles[] = {
	{ BYTES(""), "" },
	{ BYTES("hel"), "" },
	{ BYTES("\n"), "64\nno such request\n" },
	{ BYTES("hello\nhello\n"), "0\nhello world\n" },
	{ BYTES("\0hello\n"), "64\nno such request\n" },
	{ BYTES("hello\0x\n"), "0\nhello world\n" },
	{ BYTES("0123456789012345678901234567890123456789012345678901234567890"
		"123456789\n"), "" },
};

static void
survives_nonsense(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	struct loop l;

	start(&l, path);
	for (size_t i = 0; i < COUNT(hostiles); i++) {
		int fd = dial(path);

		if (hostiles[i].n > 0)
			assert_int_equal(send(fd, hostiles[i].bytes,
					      hostiles[i].n, MSG_NOSIGNAL),
					 hostiles[i].n);
		shutdown(fd, SHUT_WR);
		assert_string_equal(take(fd), hostiles[i].answer);
	}
	stop(&l);
}

/* Silent ones, those that ask and do not listen, those that go away: the loop
 * turns on, and others are served. */
static void
waits_for_nobody(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	int silent[CONTROL_CLIENTS / 2], deaf[CONTROL_CLIENTS / 2 - 1];
	struct loop l;
	struct buf text;
	struct err e;
	unsigned turns;
	int code;

	start(&l, path);
	for (size_t i = 0; i < COUNT(silent); i++)
		silent[i] = dial(path);
	for (size_t i = 0; i < COUNT(deaf); i++) {
		deaf[i] = dial(path);
		assert_int_equal(send(deaf[i], "much\n", 5, 0), 5);
	}
	for (int i = 0; i < 20; i++) {
		close(dial(path));
		assert_int_equal(control_ask(path, "hello", 60, &text, &code,
					     &e), 0);
		assert_string_equal(text.data, "hello world\n");
		buf_free(&text);
	}
	turns = atomic_load(&l.turns);
	while (atomic_load(&l.turns) < turns + 3)
		usleep(1000);
	for (size_t i = 0; i < COUNT(silent); i++)
		close(silent[i]);
	for (size_t i = 0; i < COUNT(deaf); i++)
		close(deaf[i]);
	stop(&l);
}

/* Who says nothing is shown out, so that places become free again. */
static void
shows_out_the_silent(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	int silent[CONTROL_CLIENTS];
	struct loop l;
	struct buf text;
	struct err e;
	int code;

	start(&l, path);
	for (size_t i = 0; i < COUNT(silent); i++)
		silent[i] = dial(path);
	assert_int_equal(control_ask(path, "hello", CONTROL_SECONDS + 10,
				     &text, &code, &e), 0);
	assert_string_equal(text.data, "hello world\n");
	buf_free(&text);
	for (size_t i = 0; i < COUNT(silent); i++)
		assert_string_equal(take(silent[i]), "");
	stop(&l);
}

static void
opens_once(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	const char *other = scratch_path("%s/o", dir);
	struct control *c;
	struct loop l;
	struct err e;

	start(&l, path);
	assert_null(control_open(path, requests, NULL, &e));
	assert_int_equal(e.code, EX_UNAVAILABLE);
	assert_non_null(strstr(e.text, "another milter answers there"));
	/* One that was replaced meanwhile is not ours to remove. */
	assert_int_equal(rename(path, other), 0);
	c = control_open(path, requests, NULL, &e);
	assert_non_null(c);
	stop(&l);
	assert_true(scratch_exists(path));
	control_close(c);
	assert_false(scratch_exists(path));
	/* What nobody listens to is removed, what is no socket is not. */
	c = control_open(other, requests, NULL, &e);
	assert_non_null(c);
	control_close(c);
	scratch_text(path, "x");
	assert_null(control_open(path, requests, NULL, &e));
	assert_int_equal(e.code, EX_CANTCREAT);
	assert_true(scratch_exists(path));
	assert_null(control_open(scratch_path("%s/no/s", dir), requests, NULL,
				 &e));
	assert_int_equal(e.code, EX_CANTCREAT);
}

/* It answers and closes without a look at what was asked: the kernel then
 * tells of a reset behind the answer. */
static void *
answer_unasked(void *arg)
{
	const int listening = *(int *)arg;
	struct pollfd asked = { .events = POLLIN };
	int fd = accept(listening, NULL, NULL);

	asked.fd = fd;
	poll(&asked, 1, 5000);
	assert_int_equal(send(fd, "77\nno\n", 6, 0), 6);
	close(fd);
	return NULL;
}

static void
hears_an_answer_unasked(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), code;
	pthread_t thread;
	struct buf text;
	struct err e;

	memcpy(a.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pthread_create(&thread, NULL, answer_unasked, &fd);
	assert_int_equal(control_ask(path, "hello", 60, &text, &code, &e), 0);
	assert_int_equal(code, 77);
	assert_string_equal(text.data, "no\n");
	buf_free(&text);
	pthread_join(thread, NULL);
	close(fd);
}

static void
tells_why_nobody_answers(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct buf text;
	struct err e;
	int fd, code;

	assert_int_equal(control_ask(path, "hello", 60, &text, &code, &e), -1);
	assert_int_equal(e.code, EX_UNAVAILABLE);
	buf_free(&text);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(a.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(control_ask(path, "hello", 60, &text, &code, &e), -1);
	assert_int_equal(e.code, EX_UNAVAILABLE);
	buf_free(&text);
	/* It listens, and never accepts. */
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(control_ask(path, "hello", 1, &text, &code, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	buf_free(&text);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(control_ask(path, "hello", 60, &text, &code, &e), -1);
	assert_int_equal(e.code, EX_NOPERM);
	buf_free(&text);
	close(fd);
}

/* Another user, let in by the socket's mode: told off, and takes no place. */
static void
hears_only_its_own(const char *dir)
{
	const char *path = scratch_path("%s/s", dir);
	struct loop l;
	int status;
	pid_t pid;

	assert_int_equal(chmod(dir, 0711), 0);
	start(&l, path);
	assert_int_equal(chmod(path, 0666), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct buf text;
		struct err e;
		int code = 0;

		if (setuid(SCRATCH_UID) < 0)
			_exit(99);
		for (int i = 0; i < 3 * CONTROL_CLIENTS; i++)
			if (control_ask(path, "hello", 60, &text, &code, &e) <
			    0 || code != EX_NOPERM ||
			    strstr(text.data, "only root") == NULL)
				_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	stop(&l);
}

static void
hears_only_its_own_test(void **state)
{
	char *dir;

	(void)state;
	scratch_need_root();
	dir = scratch_new();
	hears_only_its_own(dir);
	scratch_free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(answers),
		plain_unit_test(survives_nonsense),
		plain_unit_test(waits_for_nobody),
		plain_unit_test(shows_out_the_silent),
		plain_unit_test(opens_once),
		plain_unit_test(hears_an_answer_unasked),
		plain_unit_test(tells_why_nobody_answers),
		cmocka_unit_test(hears_only_its_own_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
