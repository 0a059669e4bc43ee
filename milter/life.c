#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "alive.h"
#include "callbacks.h"
#include "control.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "life.h"
#include "metrics.h"
#include "notify.h"
#include "pulse.h"
#include "reload.h"
#include "snapshot.h"
#include "status.h"
#include "store.h"

#define LINES_MAX ((size_t)1048576) /* of mistakes */
#define METRICS_SECONDS 15
#define DRAIN_TICK_MS 20
#define FEED_TICK_MS 1000
#define FEEDS 4 /* of the watchdog in its time */
/* The last answers are on their way when the last message is counted out. */
#define GRACE_MS 100

static struct {
	const char *file;
	struct control *control;
	struct pulse pulse;
	double busy_until;
	int wake[2]; /* a byte for each signal */
	_Atomic bool over;
	double metrics_due, feed_due;
	unsigned fed; /* answers of the pulse that the watchdog knows */
	bool metrics_failed;
} life = { .wake = { -1, -1 } };

/*
 * libmilter's own thread waits here for SIGHUP, SIGTERM and SIGINT, to stop at
 * once whatever is in the middle. A signal to the process goes to any thread
 * that wants it, so this one must never want any: it gets this function in
 * place of the C library's, and sleeps.
 */
int
sigwait(const sigset_t *set, int *signal_r)
{
	sigset_t all;

	(void)set;
	*signal_r = 0;
	sigfillset(&all);
	for (;;)
		sigsuspend(&all);
}

static void
on_signal(int number)
{
	const int saved = errno;
	const char byte = (char)number;

	/* A full pipe wakes as well. */
	(void)!write(life.wake[1], &byte, 1);
	errno = saved;
}

void
life_is_over(void)
{
	atomic_store(&life.over, true);
	on_signal(0);
}

void
life_tell(const char *lines)
{
	for (const char *p = lines; p != NULL && *p != '\0';) {
		const size_t n = strcspn(p, "\n");

		log_problem("%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

/* out: as `fallbackmx reload` shows it; NULL: nobody asked. */
static int
reload_now(struct buf *out)
{
	struct buf lines;
	int code;

	notify_reloading();
	buf_init(&lines, LINES_MAX);
	code = reload(life.file, &lines);
	notify_send(code != EX_OK ? "READY=1\nSTATUS=The last reload failed, "
				    "the configuration before it is in force"
				  : "READY=1\nSTATUS=Serving");
	if (out != NULL && lines.len > 0)
		buf_add(out, lines.data, lines.len);
	buf_free(&lines);
	return code;
}

static int
answer_reload(void *arg, struct buf *out)
{
	(void)arg;
	return reload_now(out);
}

static const struct control_request requests[] = {
	{ "status", status_text },
	{ "status-json", status_json },
	{ "reload", answer_reload },
	{ NULL, NULL },
};

int
life_signals(struct err *e)
{
	static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_RESTART };
	sigset_t all;

	if (pipe2(life.wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(e, "cannot make a pipe");
	sigemptyset(&all);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (sigaction(taken[i], &action, NULL) < 0)
			return err_errno(e, "cannot take a signal");
		sigaddset(&all, taken[i]);
	}
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	return 0;
}

int
life_begin(const char *file, struct err *e)
{
	struct snapshot *s = snapshot_hold();
	int ret = 0;

	life.file = file;
	pulse_find(&life.pulse);
	counter_set(counter_get(METRIC_START, NULL), (uint64_t)clock_wall());
	life.control = control_open(s->settings.control_socket, requests, NULL,
				    e);
	if (life.control == NULL)
		ret = -1;
	snapshot_drop(s);
	return ret;
}

/* Who reads it sees that it grows old; we say it once. */
static void
write_metrics(void)
{
	struct snapshot *s = snapshot_hold();
	struct err e;
	int ret = 0;

	if (s->settings.metrics_file != NULL)
		ret = metrics_write(s->settings.metrics_file, &e);
	if (ret < 0 && !life.metrics_failed)
		log_problem("%s", e.text);
	life.metrics_failed = ret < 0;
	life.metrics_due = clock_monotonic() + METRICS_SECONDS;
	snapshot_drop(s);
}

static bool
is_hungry(void)
{
	return notify_watchdog() > 0 && clock_monotonic() >= life.feed_due;
}

/* That this thread lives says nothing of those that serve mail. */
static void
feed_watchdog(void)
{
	if (!is_hungry() || (pulse_tells(&life.pulse) &&
			     life.pulse.answered == life.fed))
		return;
	life.fed = life.pulse.answered;
	life.feed_due = clock_monotonic() + notify_watchdog() / FEEDS;
	notify_send("WATCHDOG=1");
}

/* Messages that wait for an archive are seen once a second, or not at all if
 * they do not wait long: then no pulse is needed. */
static enum pulse_want
wanted_pulse(void)
{
	const double now = clock_monotonic();

	if (alive_waiting() > 1)
		life.busy_until = now + PULSE_SECONDS;
	return now < life.busy_until ? PULSE_BUSY
		: callbacks_sessions() > 0 || is_hungry() ? PULSE_BEAT
		: PULSE_REST;
}

/* Waits for at most ms and does what is ready; signals come into got. Returns
 * how many. */
static ssize_t
turn(int ms, char *got, size_t room)
{
	struct pollfd fds[2 + CONTROL_POLL_MAX] = {
		{ .fd = life.wake[0], .events = POLLIN },
	};
	const size_t beat = pulse_poll(&life.pulse, wanted_pulse(), fds + 1,
				       &ms);
	const size_t n = control_poll(life.control, fds + 1 + beat, &ms);
	ssize_t bytes;

	if (notify_watchdog() > 0 && ms > FEED_TICK_MS)
		ms = FEED_TICK_MS;
	if (poll(fds, (nfds_t)(1 + beat + n), ms) < 0)
		return 0;
	pulse_serve(&life.pulse, fds + 1, beat);
	feed_watchdog();
	control_serve(life.control, fds + 1 + beat, n);
	bytes = read(life.wake[0], got, room);
	return bytes > 0 ? bytes : 0;
}

/* True: it is to end. */
static bool
obey(const char *signals, ssize_t n)
{
	bool end = atomic_load(&life.over), again = false;

	for (ssize_t i = 0; i < n; i++) {
		end |= signals[i] == SIGTERM || signals[i] == SIGINT;
		again |= signals[i] == SIGUSR1;
		if (signals[i] == SIGHUP)
			log_problem("SIGHUP does nothing here: SIGUSR1 or "
				    "`fallbackmx reload` reads %s again",
				    life.file);
	}
	if (again && !end)
		reload_now(NULL);
	return end;
}

static int
drain_seconds(void)
{
	struct snapshot *s = snapshot_hold();
	const int seconds = s->settings.drain;

	snapshot_drop(s);
	return seconds;
}

/* Messages in the middle get their answer; no other one begins. */
static void
drain(void)
{
	const double end = clock_monotonic() + drain_seconds();
	const unsigned begun = callbacks_in_the_middle();
	char signals[64];

	callbacks_drain();
	notify_send("STOPPING=1\nSTATUS=Waiting for messages in the middle");
	log_info("stopping; %u messages are in the middle", begun);
	while (callbacks_in_the_middle() > 0 && clock_monotonic() < end)
		turn(DRAIN_TICK_MS, signals, sizeof(signals));
	poll(NULL, 0, GRACE_MS);
	if (callbacks_in_the_middle() > 0)
		log_problem("stopped with %u messages in the middle; their "
			    "senders will try again",
			    callbacks_in_the_middle());
	else {
		store_seal();
		log_info("stopped");
	}
}

int
life_run(void)
{
	char signals[64];
	ssize_t n = 0;

	write_metrics();
	notify_send("READY=1\nSTATUS=Serving");
	while (!obey(signals, n)) {
		const double left = life.metrics_due - clock_monotonic();

		n = turn(left > 0 ? (int)(1e3 * left) + 1 : 0, signals,
			 sizeof(signals));
		if (clock_monotonic() >= life.metrics_due)
			write_metrics();
	}
	if (atomic_load(&life.over))
		log_problem("cannot go on: libmilter has ended");
	else
		drain();
	write_metrics();
	control_close(life.control);
	return atomic_load(&life.over) ? EX_UNAVAILABLE : EX_OK;
}
