/*
 * metrics - the counters for Prometheus: a file for the textfile collector.
 */
#ifndef FALLBACKMX_MILTER_METRICS_H
#define FALLBACKMX_MILTER_METRICS_H

#include "lib/base/err.h"

#define METRICS_MAX ((size_t)16777216)	/* bytes of the text */

/*
 * Writes the text file anew: FILE.tmp beside it, then rename(2), so that who
 * reads never sees half a file. Mode 0644. Not synced: it is made again in
 * seconds. ERR_TEMP when it cannot be written.
 */
int metrics_write(const char *file, struct err *e);

#endif
