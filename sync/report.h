/*
 * report - the counters of a run, its summary line, its JSON, its exit code,
 * and the progress bar. Lives in memory shared by the engine (who counts) and
 * the process that cron waits for (who prints): see report_new().
 */
#ifndef FALLBACKMX_REPORT_H
#define FALLBACKMX_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* Exactly one for every listed object (fallbackmx-sync(1), OUTCOMES). */
enum outcome {
	OUTCOME_IMPORTED,
	OUTCOME_DUPLICATE,
	OUTCOME_SKIPPED,
	OUTCOME_WAITING,
	OUTCOME_UNROUTED,
	OUTCOME_DEFERRED,
	OUTCOME_SUSPECT,
	OUTCOME_GONE,
	OUTCOME_FAILED,
	OUTCOMES
};

struct report {
	uint64_t listed, deleted, bytes;
	uint64_t outcome[OUTCOMES];
	double seconds;
	int exit_code;		/* the worst so far: see report_exit() */
};

/* In a MAP_SHARED page, so that a forked engine counts for its parent. */
struct report *report_new(void);

void report_count(struct report *r, enum outcome o);

/* What was listed and has no outcome yet waits: the engine has died. */
void report_wait_for_rest(struct report *r);

/* Keeps the worse of both: 78 > 77 > 74 > 75 > 65 > 0; others above all. */
void report_exit(struct report *r, int code);

/* Sets the exit code that the outcomes ask for, and EX_SOFTWARE with a line
 * when listed is not the sum of the outcomes. */
void report_close(struct report *r, double seconds);

/* One line: to stderr as key=value, to stdout as JSON. */
void report_summary(const struct report *r);
void report_json(const struct report *r);

/* Redraws at most 10 times a second, from 2 s after the start, and only when
 * stderr is a terminal; done = total erases the bar. */
void report_progress(uint64_t done, uint64_t total);

#endif
