#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "report.h"

#define BAR_AFTER 2.0		/* seconds */
#define BAR_EVERY 0.1
#define BAR_WIDTH 40
#define SUMMARY_MAX ((size_t)1024)

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_IMPORTED] = "imported",
	[OUTCOME_DUPLICATE] = "duplicate",
	[OUTCOME_SKIPPED] = "skipped",
	[OUTCOME_WAITING] = "waiting",
	[OUTCOME_UNROUTED] = "unrouted",
	[OUTCOME_DEFERRED] = "deferred",
	[OUTCOME_SUSPECT] = "suspect",
	[OUTCOME_GONE] = "gone",
	[OUTCOME_FAILED] = "failed",
};

struct report *
report_new(void)
{
	void *p = mmap(NULL, sizeof(struct report), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		fputs("fallbackmx: out of memory\n", stderr);
		abort();
	}
	return p;
}

void
report_count(struct report *r, enum outcome o)
{
	r->outcome[o]++;
}

static uint64_t
outcomes(const struct report *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < OUTCOMES; i++)
		sum += r->outcome[i];
	return sum;
}

void
report_wait_for_rest(struct report *r)
{
	uint64_t sum = outcomes(r);

	if (r->listed > sum)
		r->outcome[OUTCOME_WAITING] += r->listed - sum;
}

static size_t
badness(int code)
{
	static const int known[] = {
		EX_OK, EX_DATAERR, EX_TEMPFAIL, EX_IOERR, EX_NOPERM, EX_CONFIG,
	};
	const size_t n = sizeof(known) / sizeof(known[0]);
	size_t i = 0;

	while (i < n && known[i] != code)
		i++;
	return i;
}

void
report_exit(struct report *r, int code)
{
	if (badness(code) > badness(r->exit_code))
		r->exit_code = code;
}

void
report_close(struct report *r, double seconds)
{
	uint64_t sum = outcomes(r);

	r->seconds = seconds;
	if (r->outcome[OUTCOME_SUSPECT] > 0)
		report_exit(r, EX_IOERR);
	if (r->outcome[OUTCOME_UNROUTED] > 0 ||
	    r->outcome[OUTCOME_DEFERRED] > 0 || r->outcome[OUTCOME_FAILED] > 0)
		report_exit(r, EX_TEMPFAIL);
	if (sum == r->listed)
		return;
	report_exit(r, EX_SOFTWARE);
	log_problem("cannot account for every object: listed %" PRIu64
		    ", outcomes %" PRIu64, r->listed, sum);
}

/* before, the name, between, the number; of every counter in their order. */
static void
add_counters(struct buf *b, const struct report *r, const char *before,
	     const char *between)
{
	buf_printf(b, "%slisted%s%" PRIu64, before, between, r->listed);
	for (size_t i = 0; i < OUTCOMES; i++) {
		/* The order is part of the format. */
		if (i == OUTCOME_FAILED)
			buf_printf(b, "%sdeleted%s%" PRIu64, before, between,
				   r->deleted);
		buf_printf(b, "%s%s%s%" PRIu64, before, outcome_names[i],
			   between, r->outcome[i]);
	}
	buf_printf(b, "%sbytes%s%" PRIu64 "%sseconds%s%.3f", before, between,
		   r->bytes, before, between, r->seconds);
}

void
report_summary(const struct report *r)
{
	struct buf line;

	buf_init(&line, SUMMARY_MAX);
	add_counters(&line, r, " ", "=");
	log_say("%s", line.data + 1);
	buf_free(&line);
}

void
report_json(const struct report *r)
{
	struct buf line;

	buf_init(&line, SUMMARY_MAX);
	add_counters(&line, r, ",\"", "\":");
	printf("{%s}\n", line.data + 1);
	buf_free(&line);
}

void
report_progress(uint64_t done, uint64_t total)
{
	static double start, last;
	static bool shown;
	static int terminal = -1;
	char bar[BAR_WIDTH + 1];
	double now;
	int full;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	if (!terminal)
		return;
	now = clock_monotonic();
	if (start == 0)
		start = now;
	if (done >= total) {
		if (shown)
			fputs("\r\033[K", stderr);
		shown = false;
		start = 0;
		return;
	}
	if (now - start < BAR_AFTER || now - last < BAR_EVERY)
		return;
	last = now;
	shown = true;
	full = (int)((double)done / (double)total * BAR_WIDTH);
	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', (size_t)full);
	bar[BAR_WIDTH] = '\0';
	/* The cursor waits in front: a line of the log replaces the bar. */
	fprintf(stderr, "\r\033[K[%s] %" PRIu64 "/%" PRIu64 "\r", bar, done,
		total);
	fflush(stderr);
}
