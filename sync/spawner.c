#include <config.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "spawner.h"

#define PROGRAM "fallbackmx-deliver"
#define ANSWER_MS 60000		/* a slow name service; not a delivery */
#define REAP_MS 10000

struct ask {
	size_t source;
	struct target target;
};

struct reply {
	int32_t failed, kind, code;
	char text[sizeof(((struct err *)0)->text)];
};

/* Beside ourselves in a build tree, else where make install puts it. */
static int
find_program(char path[PATH_MAX], struct err *e)
{
	const size_t room = PATH_MAX - sizeof("/" PROGRAM);
	ssize_t n = readlink("/proc/self/exe", path, room);
	char *slash;

	if (n > 0 && (size_t)n < room) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
		if (access(path, X_OK) == 0)
			return 0;
	}
	snprintf(path, PATH_MAX, "%s/%s", PKGLIBEXECDIR, PROGRAM);
	if (access(path, X_OK) == 0)
		return 0;
	if (errno != ENOENT && errno != EACCES)
		return err_errno(e, "cannot find %s", path);
	return err_stop(e, EX_CONFIG, "cannot find %s beside this program or "
			"in " PKGLIBEXECDIR ": is it installed?", PROGRAM);
}

static int
start(const struct settings *s, size_t source, const struct target *t,
      int *sock_r, struct err *e)
{
	char program[PATH_MAX];
	struct identity who;
	struct place p;
	int pair[2], r;
	pid_t pid;

	if (source >= s->sources_n)
		return err_set(e, ERR_TEMP, "no such source is configured");
	if (find_program(program, e) < 0 ||
	    recipients_place(&s->sources[source], t, &p, e) < 0)
		return -1;
	if (geteuid() != 0 && p.uid != geteuid())
		return err_set(e, ERR_TEMP, "%s belongs to uid %lu: run as "
			       "that user or as root", p.maildir,
			       (unsigned long)p.uid);
	if (packet_pair(pair) < 0)
		return err_errno(e, "cannot make a socket");
	who = (struct identity){ .name = p.name, .uid = p.uid, .gid = p.gid };
	r = child_start(program, p.maildir, pair[1], &who, &pid, e);
	fsio_close(&pair[1]);
	if (r < 0)
		fsio_close(&pair[0]);
	else
		*sock_r = pair[0];
	return r;
}

static volatile sig_atomic_t engine_pid;
static int engine_status;
static bool engine_ended;

/* Deliverers that are done, so that a long run gathers no zombies; the engine's
 * end is kept for the end. */
static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != (pid_t)engine_pid)
			continue;
		engine_status = status;
		engine_ended = true;
	}
}

static int
ask_spawner(struct spawner *sp, size_t source, const struct target *t,
	    int *sock_r, struct err *e)
{
	struct ask q = { .source = source, .target = *t };
	struct reply w;

	if (packet_send(sp->sock, &q, sizeof(q), -1) < 0 ||
	    packet_receive(sp->sock, &w, sizeof(w), sock_r, ANSWER_MS) !=
	    (ssize_t)sizeof(w))
		return err_stop(e, EX_TEMPFAIL, "the spawner has gone");
	if (!w.failed && *sock_r >= 0)
		return 0;
	e->kind = (enum err_kind)w.kind;
	e->code = w.code;
	w.text[sizeof(w.text) - 1] = '\0';
	memcpy(e->text, w.text, sizeof(w.text));
	return -1;
}

int
spawner_start(struct spawner *sp, size_t source, const struct target *t,
	      int *sock_r, struct err *e)
{
	*sock_r = -1;
	if (sp->sock < 0)
		reap();
	if (sp->sock < 0)
		return start(sp->settings, source, t, sock_r, e);
	return ask_spawner(sp, source, t, sock_r, e);
}

static void
pass_on(int sig)
{
	kill((pid_t)engine_pid, sig);
}

/* 1 when a request was answered, 0 when the engine has gone. */
static int
serve_one(const struct settings *s, int sock)
{
	struct err e = { .text = "" };
	struct reply w = { .failed = 0 };
	struct ask q;
	int fd = -1, sent;

	if (packet_receive(sock, &q, sizeof(q), NULL, -1) !=
	    (ssize_t)sizeof(q))
		return 0;
	q.target.user[sizeof(q.target.user) - 1] = '\0';
	if (start(s, q.source, &q.target, &fd, &e) < 0) {
		w.failed = 1;
		w.kind = (int32_t)e.kind;
		w.code = e.code;
		memcpy(w.text, e.text, sizeof(w.text));
	}
	sent = packet_send(sock, &w, sizeof(w), fd);
	fsio_close(&fd);
	reap();
	return sent == 0;
}

int
spawner_serve(const struct settings *s, int sock, pid_t engine)
{
	struct sigaction act = { .sa_handler = pass_on };

	engine_pid = engine;
	act.sa_flags = SA_RESTART;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	while (serve_one(s, sock))
		continue;
	fsio_close(&sock);
	while (!engine_ended && waitpid(engine, &engine_status, 0) < 0 &&
	       errno == EINTR)
		continue;
	/* Its number may be another's from now on. */
	act.sa_handler = SIG_IGN;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	child_reap(REAP_MS);
	return engine_status;
}
