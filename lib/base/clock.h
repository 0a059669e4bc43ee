/*
 * clock - the only place that asks for the time. Time-outs run on the
 * monotonic clock; the wall clock decides nothing about a delivery, only
 * settling, lock age and pruning.
 */
#ifndef FALLBACKMX_CLOCK_H
#define FALLBACKMX_CLOCK_H

#include <stdint.h>

double clock_monotonic(void);	/* seconds since some start */
int64_t clock_wall(void);	/* seconds since 1970 */

/* The kernel's boot id (proc(5), random/boot_id) as text, "" if unknown. */
const char *clock_boot_id(void);

#endif
