#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>

#include "control.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"

struct question {
	const char *path;	/* as it is shown */
	double deadline;
	int fd;
};

static int
no_answer(const struct question *q, struct err *e)
{
	return err_set(e, ERR_TEMP, "cannot ask the milter at %s: it did not "
		       "answer in time", q->path);
}

static int
fail(const struct question *q, struct err *e)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		return err_stop(e, EX_UNAVAILABLE, "cannot ask the milter at "
				"%s: it does not run (%s)", q->path,
				strerror(errno));
	case EACCES:
	case EPERM:
		return err_stop(e, EX_NOPERM, "cannot ask the milter at %s: %s "
				"(root and its own user may)", q->path,
				strerror(errno));
	case EAGAIN:
	case ETIMEDOUT:
		return no_answer(q, e);
	default:
		return err_stop(e, EX_IOERR, "cannot ask the milter at %s: %s",
				q->path, strerror(errno));
	}
}

/* A full backlog keeps connect(2) waiting. */
static int
open_question(struct question *q, const char *path, int seconds,
	      struct err *e)
{
	const struct timeval most = { .tv_sec = seconds };
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(q, e);
	}
	memcpy(a.sun_path, path, strlen(path));
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (q->fd < 0 || setsockopt(q->fd, SOL_SOCKET, SO_SNDTIMEO, &most,
				    sizeof(most)) < 0 ||
	    connect(q->fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return fail(q, e);
	return 0;
}

static int
send_word(const struct question *q, const char *word, struct err *e)
{
	char line[CONTROL_REQUEST_MAX];
	int n = snprintf(line, sizeof(line), "%s\n", word);

	/* Who may not ask may be told so before the word has arrived. */
	if (send(q->fd, line, (size_t)n, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return fail(q, e);
	return 0;
}

static int
take_all(const struct question *q, struct buf *out, struct err *e)
{
	char part[16384];

	while (!out->cut) {
		struct pollfd p = { .fd = q->fd, .events = POLLIN };
		const double left = q->deadline - clock_monotonic();
		ssize_t n;
		int ready;

		if (left <= 0)
			return no_answer(q, e);
		ready = poll(&p, 1, (int)(left * 1000) + 1);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		n = ready < 0 ? -1 : recv(q->fd, part, sizeof(part), 0);
		/* Closed; a reset when our word was not even read. */
		if (n == 0 || (n < 0 && errno == ECONNRESET && out->len > 0))
			return 0;
		if (n < 0 && errno != EINTR)
			return fail(q, e);
		if (n > 0)
			buf_add(out, part, (size_t)n);
	}
	return 0;
}

/* Takes the line with the exit code off the answer. */
static int
take_code(const struct question *q, struct buf *answer, int *code_r,
	  struct err *e)
{
	char *end = answer->len > 0 ? memchr(answer->data, '\n', answer->len) :
		NULL;
	const size_t n = end != NULL ? (size_t)(end - answer->data) : 0;

	if (n == 0 || n > 3 || strspn(answer->data, "0123456789") != n ||
	    answer->cut)
		return err_stop(e, EX_PROTOCOL, "cannot ask the milter at %s: "
				"it gave no answer that can be read", q->path);
	*code_r = atoi(answer->data);
	answer->len -= n + 1;
	memmove(answer->data, end + 1, answer->len + 1);
	return 0;
}

int
control_ask(const char *path, const char *word, int seconds,
	    struct buf *answer, int *code_r, struct err *e)
{
	char shown[320];
	struct question q = {
		.path = text_quote(shown, sizeof(shown), path, strlen(path)),
		.deadline = clock_monotonic() + seconds, .fd = -1,
	};
	int ret;

	buf_init(answer, CONTROL_ANSWER_MAX);
	ret = open_question(&q, path, seconds, e);
	if (ret == 0)
		ret = send_word(&q, word, e);
	if (ret == 0)
		ret = take_all(&q, answer, e);
	if (ret == 0)
		ret = take_code(&q, answer, code_r, e);
	fsio_close(&q.fd);
	return ret;
}
