/*
 * check-private - what check.c (processes, results), check-dir.c and
 * check-s3*.c share.
 */
#ifndef FALLBACKMX_CHECK_PRIVATE_H
#define FALLBACKMX_CHECK_PRIVATE_H

#include "check.h"

struct check {
	const struct check_options *options;
	const struct source_settings *source;
	int worst;
};

void check_ok(struct check *k, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void check_warn(struct check *k, const char *name, const char *remedy,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* code: any of sysexits.h, or 0; the result has one of its own. */
void check_fail(struct check *k, const char *name, int code,
		const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* For k->source. */
void check_dir(struct check *k);
void check_s3(struct check *k);

/* One of EX_CONFIG, EX_NOPERM and EX_TEMPFAIL. Pure. */
int check_code(int code);

/* Cuts text in two at the last separator that stands in it, and returns what
 * stood behind; otherwise if it does not. Pure. */
const char *check_split(char *text, const char *separator,
			const char *otherwise);

#endif
