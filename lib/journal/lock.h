/*
 * lock - files of an archive's directory that are only there to be locked
 * (flock(2)). Nobody who may only read can hold them, and mail with them.
 */
#ifndef FALLBACKMX_JOURNAL_LOCK_H
#define FALLBACKMX_JOURNAL_LOCK_H

#include "lib/base/err.h"

/* Opens one, or makes it, without locking it; made by root it belongs to the
 * directory's owner. -1: ERR_TEMP, and errno. */
int lock_file(int dir, const char *name, struct err *e);

#endif
