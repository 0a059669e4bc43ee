/*
 * life - the main thread while the milter runs: signals, reloads, the control
 * socket, the metrics file, and the end.
 *
 * SIGUSR1 reloads; SIGTERM and SIGINT drain and end; SIGHUP, which would stop
 * libmilter, is only told off. Mail is served by other threads, which have all
 * of these blocked, and libmilter's own thread for them is put to sleep: see
 * sigwait() in life.c.
 */
#ifndef FALLBACKMX_MILTER_LIFE_H
#define FALLBACKMX_MILTER_LIFE_H

#include "lib/base/err.h"

/* Takes the signals; this thread alone is to get them. Before the milter's
 * socket is open: one that comes while documents are read waits until
 * life_run(). */
int life_signals(struct err *e);

/* Opens the control socket. file: the configuration. */
int life_begin(const char *file, struct err *e);

/* Until it is to end: a signal, or life_is_over(). Returns the exit code. */
int life_run(void);

/* From another thread: libmilter has ended by itself. */
void life_is_over(void);

/* What there is to tell of a configuration, a problem a line. */
void life_tell(const char *lines);

#endif
