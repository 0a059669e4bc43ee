/*
 * fallbackmx-deliver(8) - one Maildir, one user, one socket on descriptor 0.
 * Started by `fallbackmx sync`; refuses root.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/delivery.h"
#include "lib/base/err.h"
#include "lib/base/fsio.h"
#include "lib/base/packet.h"
#include "maildir.h"

#define SOCKET 0

_Static_assert(sizeof(((struct err *)0)->text) ==
	       sizeof(((struct delivery_answer *)0)->text),
	       "an error travels whole");

struct request {
	struct delivery_request q;
	char tail[PACKET_MAX - sizeof(struct delivery_request)];
};

struct answer {
	struct delivery_answer a;
	unsigned char status[DELIVERY_BATCH_MAX];
};

static int
malformed(struct err *e)
{
	return err_set(e, ERR_TEMP, "malformed request");
}

static int
hello(struct maildir *m, const struct request *r, struct answer *w,
      struct err *e)
{
	bool busy;

	/* A package may be replaced between the start of both. */
	if (strncmp(r->q.name, PACKAGE_VERSION, sizeof(r->q.name)) != 0)
		return err_set(e, ERR_TEMP, "fallbackmx-deliver is version "
			       PACKAGE_VERSION ", its caller another");
	if (maildir_open(m, r->q.flags, &busy, e) < 0)
		return -1;
	if (busy) {
		w->a.status = DELIVERY_BUSY;
		return 0;
	}
	return maildir_mark_read(m, w->a.uuid, &w->a.generation, e);
}

static int
put(struct maildir *m, const struct request *r, size_t tail, int fd,
    struct answer *w, struct err *e)
{
	if (fd < 0 || r->q.added != tail || tail > DELIVERY_ADDED_MAX ||
	    !delivery_name_valid(r->q.name, sizeof(r->q.name)))
		return malformed(e);
	return maildir_put(m, &r->q, r->tail, fd, &w->a.size, e);
}

static int
sync_what(struct maildir *m, const struct request *r, struct err *e)
{
	if (r->q.flags & DELIVERY_RENAMED)
		return maildir_sync_new(m, e);
	return maildir_sync_stage(m, e);
}

static int
open_one(struct maildir *m, const struct request *r, int *fd_r,
	 struct answer *w, struct err *e)
{
	const char *name = r->q.name;

	if (strnlen(name, sizeof(r->q.name)) == sizeof(r->q.name) ||
	    strchr(name, '/') != NULL || delivery_name_id(name) == NULL)
		return malformed(e);
	if (maildir_read(m, name, r->q.flags & DELIVERY_CUR, fd_r, e) < 0)
		return -1;
	if (*fd_r < 0)
		w->a.status = DELIVERY_MISSING;
	return 0;
}

/* COMMIT and DROP: every name on its own; the first trouble is told. */
static int
each_name(struct maildir *m, const struct request *r, size_t tail,
	  struct answer *w, struct err *e)
{
	const char *name = r->tail, *end = r->tail + tail;
	bool failed = false;
	struct err one = { .text = "" };

	if (r->q.count > DELIVERY_BATCH_MAX)
		return malformed(e);
	for (uint32_t i = 0; i < r->q.count; i++) {
		enum delivery_status s;

		if (!delivery_name_valid(name, (size_t)(end - name)))
			return malformed(e);
		if (r->q.op == DELIVERY_COMMIT)
			s = maildir_commit(m, name, &one);
		else
			s = maildir_drop(m, name, &one) < 0 ? DELIVERY_FAILED
							    : DELIVERY_OK;
		if (s == DELIVERY_FAILED && !failed)
			*e = one;
		failed |= s == DELIVERY_FAILED;
		w->status[i] = (unsigned char)s;
		name += strlen(name) + 1;
	}
	w->a.count = r->q.count;
	return failed ? -1 : 0;
}

static int
serve(struct maildir *m, const struct request *r, size_t tail, int fd_in,
      int *fd_r, struct answer *w, struct err *e)
{
	bool open = m->dir >= 0;

	if (open != (r->q.op != DELIVERY_HELLO) ||
	    (m->read_only && r->q.op != DELIVERY_LIST &&
	     r->q.op != DELIVERY_OPEN && open))
		return malformed(e);
	switch (r->q.op) {
	case DELIVERY_HELLO:
		return hello(m, r, w, e);
	case DELIVERY_MARK:
		if (strnlen(r->q.uuid, sizeof(r->q.uuid)) != DELIVERY_UUID_LEN)
			return malformed(e);
		return maildir_mark_write(m, r->q.uuid, r->q.generation, e);
	case DELIVERY_PUT:
		return put(m, r, tail, fd_in, w, e);
	case DELIVERY_SYNC:
		return sync_what(m, r, e);
	case DELIVERY_COMMIT:
	case DELIVERY_DROP:
		return each_name(m, r, tail, w, e);
	case DELIVERY_LIST:
		return maildir_list(m, r->q.flags & DELIVERY_STAGED, fd_r, e);
	case DELIVERY_OPEN:
		return open_one(m, r, fd_r, w, e);
	default:
		return malformed(e);
	}
}

/* 1 when a request was answered, 0 when the engine has gone. */
static int
turn(struct maildir *m)
{
	static struct request r;
	static struct answer w;
	struct err e = { .text = "" };
	int fd_in = -1, fd_out = -1, sent;
	ssize_t n = packet_receive(SOCKET, &r, sizeof(r), &fd_in, -1);

	if (n < (ssize_t)sizeof(r.q)) {
		fsio_close(&fd_in);
		return 0;
	}
	/* A home on a dead NFS server must not hold the run for ever. */
	alarm(DELIVERY_ALARM);
	memset(&w, 0, sizeof(w));
	w.a.op = r.q.op;
	if (serve(m, &r, (size_t)n - sizeof(r.q), fd_in, &fd_out, &w, &e) < 0) {
		w.a.status = DELIVERY_FAILED;
		memcpy(w.a.text, e.text, sizeof(w.a.text));
	}
	sent = packet_send(SOCKET, &w, sizeof(w.a) + w.a.count, fd_out);
	fsio_close(&fd_in);
	fsio_close(&fd_out);
	alarm(0);
	return sent == 0;
}

static int
harden(void)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t none;

	/* The owner must not look into us before we hold his next mail. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -1;
	umask(077);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);	/* EFBIG says it too */
	/* The engine decides when to stop: at EOF, between two requests. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int
main(int argc, char **argv)
{
	struct maildir m;
	struct stat s;

	if (argc != 2 || argv[1][0] != '/') {
		fputs("fallbackmx-deliver: started by `fallbackmx sync`, not "
		      "by hand: see fallbackmx-deliver(8)\n", stderr);
		return EX_USAGE;
	}
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0) {
		fputs("fallbackmx-deliver: refuses to run as root\n", stderr);
		return EX_NOPERM;
	}
	if (fstat(SOCKET, &s) < 0 || !S_ISSOCK(s.st_mode)) {
		fputs("fallbackmx-deliver: no socket on descriptor 0\n",
		      stderr);
		return EX_USAGE;
	}
	if (harden() < 0) {
		perror("fallbackmx-deliver: cannot give up its privileges");
		return EX_OSERR;
	}
	maildir_init(&m, argv[1]);
	while (turn(&m))
		continue;
	maildir_close(&m);
	return 0;
}
