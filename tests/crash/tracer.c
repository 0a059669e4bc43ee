/*
 * tracer - runs an importer and acts at one exact system call of it.
 *
 *	tracer MODE [options] -- COMMAND [ARG...]
 *
 *	plan		list every call from the first open of the ledger on
 *	kill		end the process at the point (-g: all processes at once)
 *	stop		hold all processes, run the hook, then end them all
 *	hold		hold only the process at the point, run the hook, go on
 *	error		the call fails with -e NUMBER; -e 0 halves its length
 *	signal		send signal -s NUMBER to the process at the point
 *			(-g: to all processes, -f: to the first one only)
 *
 *	-r ROLE -c CALL -n N	the point: the N-th CALL of ROLE; without -c
 *				the N-th call of any name
 *	-o FILE		log (default stderr)	-x PROGRAM	the hook
 *	-t SECONDS	time limit (60)		-b DIR		cut from names
 *	-l NAME		name of the ledger file (ledger.db)
 *
 * Roles: "engine" opens the ledger; "spawner" is the first process when that
 * is another one; "deliver:MAILDIR" runs fallbackmx-deliver; "childN" is a
 * fork that became none of these yet. Threads count with their process, and a
 * second process of the same role goes on counting.
 * The hook gets ROLE and CALL as arguments and TRACER_PIDS="ROLE=PID ..." in
 * its environment.
 * Exit: 0 acted (or plan written), 2 usage or tracing impossible, 3 point
 * never reached, 4 time limit, 5 the hook failed. How the command itself
 * ended is in the log, line "end".
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "tracee.h"

static struct options opt;
static FILE *out;
static pid_t first_pid;
static int first_status = -1;
static bool begun, acted, doomed, hook_failed;
static volatile sig_atomic_t timed_out;

_Noreturn static void
die(const char *what)
{
	fprintf(stderr, "tracer: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
on_alarm(int sig)
{
	static const struct itimerval again = { .it_value.tv_usec = 100000 };

	(void)sig;
	timed_out = 1;
	/* It may have come between the test and the wait. */
	setitimer(ITIMER_REAL, &again, NULL);
}

static void
resume(struct tracee *t, int sig)
{
	/* Later calls matter no more, unless a changed one must return. */
	const enum __ptrace_request how = acted && !t->altered ? PTRACE_CONT
							       : PTRACE_SYSCALL;

	/* It can be gone already; then its end is reported next. */
	ptrace(how, t->pid, NULL, (void *)(long)sig);
}

static bool
opens_ledger(const struct tracee *t, const struct call *c)
{
	char path[PATH_MAX];
	const char *base;

	if (c->path_arg < 0 || strncmp(c->name, "open", 4) != 0)
		return false;
	call_text(t->pid, c->arg[c->path_arg], path, sizeof(path));
	base = strrchr(path, '/');
	return strcmp(base == NULL ? path : base + 1, opt.ledger) == 0;
}

static void
begin(struct tracee *t)
{
	begun = true;
	if (t->pid != first_pid)
		tracee_get(first_pid)->role = role_get("spawner");
	t->role = role_get("engine");
	fprintf(out, "begin engine %d\n", (int)t->pid);
}

static void
print_call(const struct tracee *t, const struct call *c, unsigned k)
{
	char text[PATH_MAX];

	call_detail(t->pid, c, text, sizeof(text));
	fprintf(out, "call %s %u %s %u %llx %llx %llx %s\n", t->role->name,
		t->role->total, c->name, k, c->arg[0], c->arg[1], c->arg[2],
		text);
}

static void
kill_all(void)
{
	doomed = true;
	for (size_t i = 0; tracee_at(i) != NULL; i++)
		kill(tracee_at(i)->pid, SIGKILL);
}

static void
run_hook(const struct tracee *t, const struct call *c)
{
	char pids[16384];
	size_t len = 0;
	int status;
	pid_t pid;

	pids[0] = '\0';
	for (size_t i = 0; tracee_at(i) != NULL && len < sizeof(pids); i++)
		len += (size_t)snprintf(pids + len, sizeof(pids) - len,
					"%s=%d ", role_name(tracee_at(i)),
					(int)tracee_at(i)->pid);
	fflush(out);
	pid = fork();
	if (pid == 0) {
		setenv("TRACER_PIDS", pids, 1);
		execl(opt.hook, opt.hook, role_name(t), c->name, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR || timed_out) {
			kill(pid, SIGKILL);
			hook_failed = true;
			return;
		}
	if (status != 0)
		hook_failed = true;
}

static bool
take_event(struct tracee *t, int status)
{
	unsigned long child = 0;

	switch (status >> 16) {
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_CLONE:
		ptrace(PTRACE_GETEVENTMSG, t->pid, NULL, &child);
		tracee_child(t, (pid_t)child,
			     status >> 16 == PTRACE_EVENT_CLONE);
		if (status >> 16 == PTRACE_EVENT_VFORK)
			t->vfork_child = (pid_t)child;
		return true;
	case PTRACE_EVENT_EXEC:
		tracee_program(t, opt.base);
		return true;
	}
	return false;
}

static void
take_end(struct tracee *t, int status)
{
	if (WIFSIGNALED(status))
		fprintf(out, "exit %s %d signal %d\n", role_name(t),
			(int)t->pid, WTERMSIG(status));
	else
		fprintf(out, "exit %s %d status %d\n", role_name(t),
			(int)t->pid, WEXITSTATUS(status));
	if (t->pid == first_pid)
		first_status = status;
	tracee_drop(t);
}

/*
 * A parent in vfork cannot stop before its child did exec or ended, and makes
 * no call meanwhile: it counts as stopped.
 */
static bool
all_stopped(void)
{
	for (size_t i = 0; tracee_at(i) != NULL; i++)
		if (!tracee_at(i)->stopped && tracee_at(i)->vfork_child == 0)
			return false;
	return true;
}

static void
stop_all(struct tracee *at)
{
	int status;
	pid_t pid;

	for (size_t i = 0; tracee_at(i) != NULL; i++)
		tracee_at(i)->stopped = false;
	at->stopped = true;
	for (size_t i = 0; tracee_at(i) != NULL; i++)
		if (!tracee_at(i)->stopped)
			ptrace(PTRACE_INTERRUPT, tracee_at(i)->pid, NULL, NULL);
	while (!all_stopped() && !timed_out) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		tracee_get(pid)->stopped = true;
		if (WIFSTOPPED(status))
			take_event(tracee_get(pid), status);
		else
			take_end(tracee_get(pid), status);
	}
}

static void
send_signal(const struct tracee *t)
{
	if (opt.all) {
		for (size_t i = 0; tracee_at(i) != NULL; i++)
			kill(tracee_at(i)->pid, opt.number);
		return;
	}
	kill(opt.first ? first_pid : t->pid, opt.number);
}

static void
act(struct tracee *t, const struct call *c, unsigned k)
{
	static const char *const did[] = { "planned", "killed", "stopped",
					   "held",    "failed", "signalled" };
	struct tracee at = *t;

	if (opt.mode == ERROR && !call_alter(t->pid, c, opt.number, &t->was)) {
		fprintf(out, "unsuited %s %u %s %u\n", role_name(t),
			t->role->total, c->name, k);
		return;
	}
	t->altered |= opt.mode == ERROR;
	acted = true;
	fprintf(out, "%s %s at %u %s %u pid %d%s\n", did[opt.mode],
		role_name(t), t->role->total, c->name, k, (int)t->pid,
		opt.all ? " with all" : "");
	if (opt.mode == STOP)
		stop_all(t);
	if (opt.mode == STOP || opt.mode == HOLD)
		run_hook(&at, c);
	if (opt.mode == STOP || (opt.mode == KILL && opt.all))
		kill_all();
	else if (opt.mode == KILL)
		kill(t->pid, SIGKILL);
	else if (opt.mode == SIGNAL)
		send_signal(t);
}

static void
take_entry(struct tracee *t, const struct call *c)
{
	unsigned k;

	if (geteuid() != 0)
		t->altered = call_keep_readable(t->pid, c, &t->was);
	if (!begun && opens_ledger(t, c))
		begin(t);
	if (!begun || acted || t->role == NULL)
		return;
	if (c->nr < 0 || c->nr >= ROLE_CALLS)
		return;
	t->role->total++;
	k = ++t->role->of[c->nr];
	if (opt.mode == PLAN) {
		print_call(t, c, k);
		return;
	}
	if (strcmp(t->role->name, opt.role) != 0)
		return;
	if (opt.call == NULL ? t->role->total == opt.n
			     : strcmp(c->name, opt.call) == 0 && k == opt.n)
		act(t, c, k);
}

static void
take_call(struct tracee *t)
{
	struct call c;

	switch (call_read(t->pid, &c)) {
	case CALL_ENTRY:
		take_entry(t, &c);
		break;
	case CALL_EXIT:
		if (t->altered)
			call_restore(t->pid, &t->was);
		t->altered = false;
		break;
	case CALL_NONE:
		break;
	}
}

static void
take_stop(struct tracee *t, int status)
{
	const int sig = WSTOPSIG(status);

	if (doomed) {
		kill(t->pid, SIGKILL);
		return;
	}
	if (sig == (SIGTRAP | 0x80)) {
		take_call(t);
		if (!doomed)
			resume(tracee_get(t->pid), 0);
		return;
	}
	if (take_event(t, status)) {
		resume(t, 0);
		return;
	}
	if (status >> 16 == PTRACE_EVENT_STOP) {
		/* SIGTRAP: a new child or an interrupt; else a group stop. */
		if (sig == SIGTRAP)
			resume(t, 0);
		else
			ptrace(PTRACE_LISTEN, t->pid, NULL, NULL);
		return;
	}
	resume(t, sig);
}

static void
follow(void)
{
	int status;

	for (;;) {
		const pid_t pid = waitpid(-1, &status, __WALL);

		if (timed_out && !doomed)
			kill_all();
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		if (WIFSTOPPED(status))
			take_stop(tracee_get(pid), status);
		else
			take_end(tracee_get(pid), status);
	}
}

static void
start(char **argv)
{
	int gate[2];
	char c;

	if (pipe2(gate, O_CLOEXEC) < 0)
		die("make a pipe");
	first_pid = fork();
	if (first_pid < 0)
		die("fork");
	if (first_pid == 0) {
		close(gate[1]);
		while (read(gate[0], &c, 1) < 0 && errno == EINTR)
			;
		execvp(argv[0], argv);
		_exit(127);
	}
	if (ptrace(PTRACE_SEIZE, first_pid, NULL,
		   (void *)(long)(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
				  PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
				  PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)) <
	    0) {
		kill(first_pid, SIGKILL);
		die("trace the command");
	}
	tracee_get(first_pid)->role = role_get("first");
	close(gate[0]);
	close(gate[1]);
}

static void
tell_end(const char *how)
{
	const bool killed = WIFSIGNALED(first_status);

	fprintf(out, "end %s %s %d\n", timed_out ? "timeout" : how,
		killed ? "signal" : "status",
		killed ? WTERMSIG(first_status) : WEXITSTATUS(first_status));
	if (fclose(out) != 0)
		die("write the log");
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval limit = { 0 };
	bool reached;

	options_parse(&opt, argc, argv);
	limit.it_value.tv_sec = opt.limit;
	out = opt.log == NULL ? stderr : fopen(opt.log, "we");
	if (out == NULL)
		die("write the log");
	sigaction(SIGALRM, &sa, NULL);
	start(argv + optind);
	setitimer(ITIMER_REAL, &limit, NULL);
	follow();
	reached = acted || (opt.mode == PLAN && begun);
	tell_end(reached ? "reached" : "unreached");
	if (timed_out)
		return 4;
	if (hook_failed)
		return 5;
	return reached ? 0 : 3;
}
