#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fsio.h"
#include "text.h"

/* The two ends of its stdout and stderr, and of the pipe that tells whether it
 * was executed at all. */
enum { OUT, ERR, EXEC, PIPES };

struct asking {
	struct child_answer *answer;
	int pipes[PIPES][2];
	size_t line_n;
	bool line_ended;
	pid_t pid;
	double end;
};

static void
execute(const char *const *argv, const char *const *envp)
{
	static const char *const folders[] = { "/usr/bin/", "/bin/" };
	char *const *v = (char *const *)(size_t)argv;
	char *const *env = (char *const *)(size_t)envp;
	char path[PATH_MAX];

	if (strchr(argv[0], '/') != NULL) {
		execve(argv[0], v, env);
		return;
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const size_t n = strlen(folders[i]);

		if (n + strlen(argv[0]) >= sizeof(path)) {
			errno = ENAMETOOLONG;
			return;
		}
		memcpy(path, folders[i], n);
		memcpy(path + n, argv[0], strlen(argv[0]) + 1);
		execve(path, v, env);
		if (errno != ENOENT)
			return;
	}
}

/* In the child; what it inherits of us is nothing. */
static void
run(const struct asking *q, const char *const *argv, const char *const *envp)
{
	sigset_t none;
	int null, fds[PIPES], why, told = q->pipes[EXEC][1];

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDONLY);
	for (int i = 0; i < PIPES; i++)
		fds[i] = fcntl(q->pipes[i][1], F_DUPFD, 10);
	/* High numbers first: what is 0 to 3 may be one of ours. */
	if (null >= 0 && fds[OUT] >= 0 && fds[ERR] >= 0 && fds[EXEC] >= 0 &&
	    dup2(null, 0) == 0 && dup2(fds[OUT], 1) == 1 &&
	    dup2(fds[ERR], 2) == 2 &&
	    dup3(fds[EXEC], 3, O_CLOEXEC) == 3) {
		told = 3;
		if (close_range(4, UINT_MAX, 0) == 0)
			execute(argv, envp);
	}
	why = errno;
	fsio_write(told, &why, sizeof(why));
	_exit(127);
}

/* False when there is no room for what comes. */
static bool
take_out(struct asking *q, const char *data, size_t n)
{
	struct child_answer *a = q->answer;

	if (n >= a->size - a->len)
		return false;
	memcpy(a->out + a->len, data, n);
	a->len += n;
	a->out[a->len] = '\0';
	return true;
}

static void
take_line(struct asking *q, const char *data, size_t n)
{
	struct child_answer *a = q->answer;

	for (size_t i = 0; i < n && !q->line_ended; i++) {
		if (data[i] == '\n' || q->line_n == sizeof(a->line) - 1)
			q->line_ended = true;
		else
			a->line[q->line_n++] = data[i];
	}
}

/* Reads what is there; closes an end that is over. False: too much. */
static bool
take(struct asking *q, int pipe)
{
	char part[4096];
	ssize_t n = read(q->pipes[pipe][0], part, sizeof(part));
	bool fits = true;

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		fsio_close(&q->pipes[pipe][0]);
	else if (pipe == OUT)
		fits = take_out(q, part, (size_t)n);
	else
		take_line(q, part, (size_t)n);
	explicit_bzero(part, sizeof(part));
	return fits;
}

static bool
has_ended(const struct asking *q)
{
	siginfo_t info = { .si_pid = 0 };

	/* WNOWAIT: the pid stays its own until the group is dead. */
	return waitid(P_PID, (id_t)q->pid, &info,
		      WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

/* Both pipes to their ends, then the end of the program. One that leaves
 * others behind which keep the pipes open has ended too. */
static int
listen_to(struct asking *q, struct err *e)
{
	const struct timespec nap = { .tv_nsec = 5 * 1000 * 1000 };
	bool ended = false;

	for (;;) {
		struct pollfd fds[2] = {
			{ .fd = q->pipes[OUT][0], .events = POLLIN },
			{ .fd = q->pipes[ERR][0], .events = POLLIN },
		};
		const bool open = fds[0].fd >= 0 || fds[1].fd >= 0;
		const double left = q->end - clock_monotonic();
		int n;

		if (left <= 0)
			return err_set(e, ERR_TEMP, "it takes too long");
		n = poll(fds, 2, ended ? 0 : left < 0.05 ? 5 : 50);
		for (int i = OUT; i <= ERR && n > 0; i++)
			if (fds[i].revents != 0 && !take(q, i))
				return err_set(e, ERR_TEMP, "it prints more "
					       "than %zu bytes",
					       q->answer->size - 1);
		if (n <= 0 && ended)
			return 0;
		if (!open && !ended)
			nanosleep(&nap, NULL);
		ended = ended || has_ended(q);
	}
}

static int
start(struct asking *q, const char *const *argv, const char *const *envp,
      struct err *e)
{
	int why = 0;

	for (int i = 0; i < PIPES; i++)
		if (pipe2(q->pipes[i], O_CLOEXEC) < 0)
			return err_errno(e, "cannot make a pipe");
	q->pid = fork();
	if (q->pid == 0)
		run(q, argv, envp);
	if (q->pid < 0)
		return err_errno(e, "cannot fork");
	/* Whoever is first. */
	setpgid(q->pid, q->pid);
	for (int i = 0; i < PIPES; i++)
		fsio_close(&q->pipes[i][1]);
	if (fsio_read(q->pipes[EXEC][0], &why, sizeof(why)) <= 0)
		return 0;
	errno = why;
	return err_errno(e, "cannot execute %s", text_show(argv[0]));
}

int
child_ask(const char *const *argv, const char *const *envp, int ms,
	  struct child_answer *a, struct err *e)
{
	struct asking q = {
		.answer = a,
		.pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } },
		.pid = -1,
		.end = clock_monotonic() + ms / 1000.0,
	};
	int ret;

	a->len = 0;
	a->out[0] = '\0';
	memset(a->line, 0, sizeof(a->line));
	ret = start(&q, argv, envp, e);
	if (ret == 0)
		ret = listen_to(&q, e);
	if (q.pid > 0) {
		kill(-q.pid, SIGKILL);
		kill(q.pid, SIGKILL);
		while (waitpid(q.pid, &a->status, 0) < 0 && errno == EINTR)
			continue;
	}
	for (int i = 0; i < PIPES; i++) {
		fsio_close(&q.pipes[i][0]);
		fsio_close(&q.pipes[i][1]);
	}
	return ret;
}
