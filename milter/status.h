/*
 * status - how the milter fares, for `fallbackmx status`: what is in force,
 * whether the last reload failed and why, and the counters.
 *
 * Answers of the control socket (control.h): arg is not used, the exit code is
 * 0, or EX_CONFIG while a reload that failed has not been mended.
 */
#ifndef FALLBACKMX_MILTER_STATUS_H
#define FALLBACKMX_MILTER_STATUS_H

#include "lib/base/buf.h"

/* For people: lines of printable ASCII. */
int status_text(void *arg, struct buf *out);

/* One JSON object and a line end. */
int status_json(void *arg, struct buf *out);

#endif
