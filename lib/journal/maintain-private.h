/*
 * maintain-private - what erasing and pruning share.
 */
#ifndef FALLBACKMX_MAINTAIN_PRIVATE_H
#define FALLBACKMX_MAINTAIN_PRIVATE_H

#include "archive.h"
#include "control.h"
#include "maintain.h"

/* Opens the archive for one who maintains it; *lock_r is held until it is
 * closed, -1 in a dry run. Fails with ERR_STOP, EX_TEMPFAIL: another one
 * does. */
int maintain_begin(const struct maintain *m, struct archive *a_r, int *lock_r,
		   struct err *e);

/* Appends a control record; the segments before it grow no more. */
int maintain_record(const struct maintain *m, const struct control *c,
		    struct err *e);

#endif
