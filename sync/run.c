#include <config.h>

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "engine-private.h"
#include "lib/base/child.h"
#include "lib/base/clock.h"
#include "lib/base/fsio.h"
#include "lib/base/log.h"
#include "lib/base/packet.h"
#include "lib/base/text.h"
#include "state.h"

/* The processes of a run: who becomes the engine, and who stays root. */

#define REAP_MS 10000

static volatile sig_atomic_t stop_signal;

static void
on_signal(int sig)
{
	stop_signal = sig;
}

bool
engine_must_stop(const struct engine *g)
{
	const int max = g->options->max_time;

	return stop_signal != 0 ||
	       (max > 0 && clock_monotonic() - g->begun >= max);
}

bool
engine_stopping(void *engine)
{
	return engine_must_stop(engine);
}

const char *
engine_why_stopped(void)
{
	return stop_signal != 0 ? "by a signal" : "by --max-time";
}

static void
catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	act.sa_flags = SA_RESTART;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	/* A writer that waits for our lease is told by the lease itself. */
	signal(SIGIO, SIG_IGN);
}

int
engine_user(const struct settings *s, struct identity *who_r, struct err *e)
{
	const char *name = s->engine_user;
	const struct passwd *p = getpwnam(name);

	if (p == NULL)
		return err_stop(e, EX_CONFIG, "cannot find the engine's user "
				"%s: make install and systemd-sysusers make "
				"it, or set engine_user", text_show(name));
	if (p->pw_uid == 0)
		return err_stop(e, EX_CONFIG, "the engine's user %s is root",
				text_show(name));
	*who_r = (struct identity){
		.name = name, .uid = p->pw_uid, .gid = p->pw_gid,
	};
	return 0;
}

static void
engine_process(const struct settings *s, const struct sync_options *o,
	       struct report *r, const struct identity *who, int sock)
{
	struct err e;

	prctl(PR_SET_NAME, "fallbackmx-eng", 0, 0, 0);
	if (child_become(who, &e) < 0) {
		log_problem("%s", e.text);
		report_exit(r, EX_NOPERM);
	} else {
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		engine_run(s, o, r, sock);
	}
	exit(0);
}

/* Root parts with all that parses: the child is the engine from here on. */
static int
split(const struct settings *s, const struct sync_options *o,
      struct report *r, struct err *e)
{
	struct identity who;
	int pair[2], status;
	pid_t pid;

	if (engine_user(s, &who, e) < 0)
		return -1;
	if (!o->dry_run && !o->audit &&
	    state_prepare(s->state_dir, who.uid, who.gid, e) < 0)
		return -1;
	if (packet_pair(pair) < 0)
		return err_errno(e, "cannot make a socket");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_errno(e, "cannot fork");
	if (pid == 0) {
		fsio_close(&pair[0]);
		engine_process(s, o, r, &who, pair[1]);
	}
	fsio_close(&pair[1]);
	status = spawner_serve(s, pair[0], pid);
	if (!WIFEXITED(status))
		report_wait_for_rest(r);
	if (WIFSIGNALED(status))
		return err_stop(e, EX_TEMPFAIL, "the engine was ended by "
				"signal %d: the next run takes up where it "
				"stopped", WTERMSIG(status));
	return 0;
}

void
sync_run(const struct settings *s, const struct sync_options *o,
	 struct report *r)
{
	const double begun = clock_monotonic();
	struct err e;
	int ok = 0;

	catch_signals();
	if (geteuid() == 0) {
		ok = split(s, o, r, &e);
	} else if (o->dry_run || o->audit ||
		   (ok = state_prepare(s->state_dir, geteuid(), getegid(),
				       &e)) == 0) {
		engine_run(s, o, r, -1);
		child_reap(REAP_MS);
	}
	if (ok < 0) {
		log_problem("%s", e.text);
		report_exit(r, e.code != 0 ? e.code : EX_TEMPFAIL);
	}
	report_close(r, clock_monotonic() - begun);
}
