#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "check-private.h"
#include "engine.h"
#include "lib/base/child.h"
#include "lib/base/log.h"

int
check_code(int code)
{
	return code == EX_CONFIG || code == EX_NOPERM ? code : EX_TEMPFAIL;
}

const char *
check_split(char *text, const char *separator, const char *otherwise)
{
	char *at = NULL, *next = text;

	while ((next = strstr(next, separator)) != NULL)
		at = next++;
	if (at == NULL)
		return otherwise;
	*at = '\0';
	return at + strlen(separator);
}

static void
tell(struct check *k, struct check_result *r, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void
tell(struct check *k, struct check_result *r, const char *fmt, va_list args)
{
	char what[2048];

	vsnprintf(what, sizeof(what), fmt, args);
	r->what = what;
	if (r->code > k->worst)
		k->worst = r->code;
	k->options->result(r);
}

void
check_ok(struct check *k, const char *name, const char *fmt, ...)
{
	struct check_result r = { .level = CHECK_OK, .name = name };
	va_list args;

	va_start(args, fmt);
	tell(k, &r, fmt, args);
	va_end(args);
}

void
check_warn(struct check *k, const char *name, const char *remedy,
	   const char *fmt, ...)
{
	struct check_result r = {
		.level = CHECK_WARNING, .name = name, .remedy = remedy,
	};
	va_list args;

	va_start(args, fmt);
	tell(k, &r, fmt, args);
	va_end(args);
}

void
check_fail(struct check *k, const char *name, int code, const char *remedy,
	   const char *fmt, ...)
{
	struct check_result r = {
		.level = CHECK_FAILED, .name = name, .remedy = remedy,
		.code = check_code(code),
	};
	va_list args;

	va_start(args, fmt);
	tell(k, &r, fmt, args);
	va_end(args);
}

static int
check_all(const struct settings *s, const struct check_options *o)
{
	struct check k = { .options = o };

	for (size_t i = 0; i < s->sources_n; i++) {
		k.source = &s->sources[i];
		if (k.source->bucket != NULL)
			check_s3(&k);
		else
			check_dir(&k);
	}
	return k.worst;
}

static void
check_process(const struct settings *s, const struct check_options *o,
	      const struct identity *who)
{
	struct err e;
	int code;

	if (child_become(who, &e) < 0) {
		log_problem("%s", e.text);
		exit(EX_NOPERM);
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	code = check_all(s, o);
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		exit(code);
	log_problem("cannot write to standard output: %s",
		    errno ? strerror(errno) : "write error");
	exit(code > EX_TEMPFAIL ? code : EX_IOERR);
}

/* The engine's part of a run, without a spawner. */
static int
split(const struct settings *s, const struct check_options *o, struct err *e)
{
	struct identity who;
	int status;
	pid_t pid;

	if (engine_user(s, &who, e) < 0)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_errno(e, "cannot fork");
	if (pid == 0)
		check_process(s, o, &who);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot wait for uid %lu",
					 (unsigned long)who.uid);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return err_stop(e, EX_TEMPFAIL, "the check was ended by signal %d",
			WTERMSIG(status));
}

int
check_run(const struct settings *s, const struct check_options *o)
{
	struct err e;
	int code;

	if (geteuid() != 0)
		return check_all(s, o);
	code = split(s, o, &e);
	if (code >= 0)
		return code;
	log_problem("%s", e.text);
	return check_code(e.code);
}
