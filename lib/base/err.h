/*
 * err - why something failed, and what the caller does next.
 *
 * A struct err lives on the caller's stack. Whoever finds the trouble fills it
 * once; callers on the way up only put context in front. Every function here
 * returns -1, so that failing is one line. Text is cut at its end, never
 * overflows, and carries foreign bytes only through text_quote(). No threads.
 */
#ifndef FALLBACKMX_ERR_H
#define FALLBACKMX_ERR_H

#include <stdarg.h>

enum err_kind {
	ERR_TEMP,	/* this item later; also everything unknown */
	ERR_PERM,	/* this item never, as it is */
	ERR_STOP,	/* nothing more until the operator acts */
};

struct err {
	enum err_kind kind;
	int code;	/* exit code of sysexits.h for ERR_STOP, else 0 */
	char text[1024];
};

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ERR_STOP with the exit code that the program ends with (sysexits.h). */
int err_stop(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "TEXT: strerror(errno)"; always ERR_TEMP: a full disk may be emptied. */
int err_errno(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts "CONTEXT: " in front of what is there; the kind stays. */
int err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
