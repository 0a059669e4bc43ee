#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"

static const char *log_name = "fallbackmx";
static int log_verbose;

void
log_open(const char *name, int verbose)
{
	log_name = name;
	log_verbose = verbose;
	openlog(name, LOG_PID, LOG_MAIL);
}

static void __attribute__((format(printf, 1, 0)))
say(const char *fmt, va_list ap)
{
	char line[2048];

	vsnprintf(line, sizeof(line), fmt, ap);
	/* One write: lines of several processes must not mix. */
	fprintf(stderr, "%s: %s\n", log_name, line);
	fflush(stderr);
}

void
log_problem(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	vsyslog(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	if (log_verbose) {
		va_start(ap, fmt);
		say(fmt, ap);
		va_end(ap);
	}
	va_start(ap, fmt);
	vsyslog(LOG_INFO, fmt, ap);
	va_end(ap);
}

void
log_record(const char *line)
{
	/* One write: lines of several threads must not mix. */
	const struct iovec parts[] = {
		{ (void *)(size_t)log_name, strlen(log_name) },
		{ (void *)(size_t) ": ", 2 },
		{ (void *)(size_t)line, strlen(line) },
		{ (void *)(size_t) "\n", 1 },
	};

	/* Who has closed stderr has syslog. */
	if (log_verbose)
		(void)!writev(STDERR_FILENO, parts, 4);
	syslog(LOG_INFO, "%s", line);
}

void
log_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}
