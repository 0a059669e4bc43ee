#include <config.h>

#include <libmilter/mfapi.h>
#include <malloc.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "callbacks.h"
#include "control.h"
#include "lib/base/child.h"
#include "lib/base/log.h"
#include "lib/base/option.h"
#include "lib/base/process.h"
#include "lib/base/text.h"
#include "lib/mail/decode.h"
#include "life.h"
#include "notify.h"
#include "place.h"
#include "snapshot.h"

#define NAME "fallbackmx-milter"
#define CONFIG_FILE SYSCONFDIR "/fallbackmx.json"
#define USER "fallbackmx-milter"
#define LINES_MAX ((size_t)1048576) /* of mistakes */

/* A header of 100 KiB must fit into a packet, or libmilter ends the session.
 */
#define PACKET_MAX_ ((size_t)1048576)

/* glibc makes a heap for each few threads and keeps what is free in each. */
#define HEAPS 2
#define MAPPED_FROM 262144 /* bytes; larger pieces go back at once */

/* Descriptors for files, sockets and the log, besides the connections. */
#define OTHER_DESCRIPTORS 64

struct arguments {
	const char *config, *user;
	bool verbose, version;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)

static const struct option_row rows[] = {
	{ .name = "config",
	  .letter = 'c',
	  .argument = "FILE",
	  .kind = OPTION_STRING,
	  FIELD(config),
	  .help = "the configuration [" CONFIG_FILE "]" },
	{ .name = "user",
	  .letter = 'u',
	  .argument = "USER",
	  .kind = OPTION_STRING,
	  FIELD(user),
	  .help = "when started as root, whom to become [" USER "]" },
	{ .name = "verbose",
	  .letter = 'v',
	  FIELD(verbose),
	  .help = "write the log to standard error, too" },
	{ .name = "version",
	  FIELD(version),
	  .help = "print the version and end" },
	{ .name = NULL }
};

static const char about[] =
	"Applies the policies of SES Mail Manager to the mail of a Postfix. It "
	"stays in the\nforeground; SIGUSR1 reads the configuration again.";

static int
fail(const struct err *e)
{
	log_problem("%s", e->text);
	if (e->code == EX_USAGE)
		log_say("try: " NAME " --help");
	return e->code ? e->code : EX_TEMPFAIL;
}

/* For the sockets, which may be root's to open. */
static int
read_settings(struct filter_settings *s, const char *file, struct err *e)
{
	struct buf mistakes;
	int ret;

	buf_init(&mistakes, LINES_MAX);
	ret = filter_settings_read(s, file, &mistakes, e);
	life_tell(mistakes.data);
	buf_free(&mistakes);
	return ret;
}

/* As the user that reloads: what it may not read must not be found out then.
 */
static int
load(const char *file, struct err *e)
{
	struct buf mistakes, warnings;
	struct snapshot *s;

	buf_init(&mistakes, LINES_MAX);
	buf_init(&warnings, LINES_MAX);
	s = snapshot_load(file, &mistakes, &warnings, e);
	if (s != NULL && snapshot_open(s, &mistakes, e) < 0) {
		snapshot_drop(s);
		s = NULL;
	}
	life_tell(mistakes.data);
	life_tell(warnings.data);
	buf_free(&mistakes);
	buf_free(&warnings);
	if (s == NULL)
		return -1;
	snapshot_put_in_force(s);
	return 0;
}

/* As many connections as the system lets us have. */
static void
raise_limits(void)
{
	struct rlimit r;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	getrlimit(RLIMIT_NOFILE, &r);
	most = r.rlim_cur > 2 * OTHER_DESCRIPTORS
		? r.rlim_cur - OTHER_DESCRIPTORS
		: r.rlim_cur / 2;
	callbacks_limit(most > 1000000 ? 1000000U : (unsigned)most);
}

static int
open_socket(struct place *p, const struct filter_settings *s, int sockets,
	    uid_t user, struct err *e)
{
	mode_t mask;
	int ret;

	ret = place_find(p, s->socket, sockets, e);
	if (ret == 0)
		ret = place_prepare(p, user, e);
	if (ret == 0) {
		mask = umask(PLACE_UMASK);
		if (smfi_setconn(p->connection) != MI_SUCCESS ||
		    smfi_opensocket(false) != MI_SUCCESS)
			ret = err_stop(e, EX_UNAVAILABLE, "cannot listen on "
				       "%s (libmilter's own line in the log "
				       "says why)", text_show(p->connection));
		umask(mask);
	}
	if (ret == 0)
		ret = place_open(p, user, s->socket_group, e);
	return ret;
}

/* Root is for opening the socket; strangers talk to somebody else. */
static int
find_user(const char *name, struct identity *who_r, struct err *e)
{
	const struct passwd *pw;

	*who_r = (struct identity){ .name = "", .uid = geteuid(),
				    .gid = getegid() };
	if (geteuid() != 0)
		return 0;
	pw = getpwnam(name);
	if (pw == NULL || pw->pw_uid == 0)
		return err_stop(e, EX_NOUSER, "cannot become user %s: %s",
				text_show(name), pw ? "that is root" :
				"there is no such user");
	*who_r = (struct identity){ name, pw->pw_uid, pw->pw_gid };
	return 0;
}

static void *
serve(void *arg)
{
	(void)arg;
	smfi_main();
	life_is_over();
	return NULL;
}

/* The thread and all that libmilter makes leave the signals to this one. */
static int
start_serving(struct err *e)
{
	pthread_t thread;
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, NULL, serve, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret != 0)
		return err_stop(e, EX_OSERR, "cannot start a thread");
	pthread_detach(thread);
	return 0;
}

static int
run(const struct arguments *a, int sockets)
{
	struct place place = { .path = NULL };
	struct filter_settings s;
	struct identity who;
	struct err e;
	int code;

	mallopt(M_ARENA_MAX, HEAPS);
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	decode_init();
	raise_limits();
	smfi_setmaxdatasize(PACKET_MAX_);
	if (find_user(a->user, &who, &e) < 0 ||
	    read_settings(&s, a->config, &e) < 0)
		return fail(&e);
	control_prepare(s.control_socket, who.uid, who.gid);
	code = life_signals(&e) < 0 || callbacks_register(&e) < 0 ||
		       open_socket(&place, &s, sockets, who.uid, &e) < 0 ||
		       child_become(&who, &e) < 0 ||
		       load(a->config, &e) < 0 ||
		       life_begin(a->config, &e) < 0 || start_serving(&e) < 0
		? fail(&e)
		: life_run();
	filter_settings_free(&s);
	place_close(&place);
	return code;
}

/* "Read it again" ends a program that does not expect it. Until life_signals()
 * it asks for nothing: all is read after that. */
static void
ignore_early(void)
{
	signal(SIGUSR1, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

int
main(int argc, char **argv)
{
	struct arguments a = { .config = CONFIG_FILE, .user = USER };
	struct err e;
	int first, sockets, ret;

	ignore_early();
	notify_take();
	sockets = notify_sockets();
	process_reset(sockets);
	umask(027);	/* who has the group of archives may read them */
	log_open(NAME, 0);
	ret = option_parse(rows, &a, argc, argv, &first, &e);
	if (ret < 0)
		return fail(&e);
	if (ret > 0) {
		option_help(stdout, NAME " [options]", about, rows);
		return EX_OK;
	}
	if (a.version) {
		printf(NAME " %s\n", PACKAGE_VERSION);
		return EX_OK;
	}
	if (first < argc) {
		err_stop(&e, EX_USAGE, "cannot use %s: expected options only",
			 text_show(argv[first]));
		return fail(&e);
	}
	log_open(NAME, a.verbose);
	return run(&a, sockets);
}
