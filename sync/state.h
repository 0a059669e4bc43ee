/*
 * state - the state directory: made, checked, and one lock for every source.
 */
#ifndef FALLBACKMX_STATE_H
#define FALLBACKMX_STATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/hash.h"

/*
 * Makes dir (0700, missing parents too) for that user; one that is there must
 * be that user's and closed to others. An empty one of the caller's own becomes
 * that user's: another run may be making it. ERR_STOP on failure.
 */
int state_prepare(const char *dir, uid_t uid, gid_t gid, struct err *e);

enum state_lock {
	STATE_LOCKED,		/* *fd_r holds it until it is closed */
	STATE_BUSY,		/* another run, younger than 1 h */
	STATE_STALE,		/* another run, for longer than that: e says */
	STATE_FAILED,		/* e says why (ERR_STOP) */
};

/* The lock of a source; name is its id. */
enum state_lock state_lock(const char *dir, const uint8_t sid[HASH_SIZE],
			   int *fd_r, struct err *e);

#endif
