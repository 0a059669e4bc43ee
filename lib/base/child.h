/*
 * child - another program as another user, with nothing of ours but one
 * socket. No shell, no environment, no descriptor above 2.
 */
#ifndef FALLBACKMX_CHILD_H
#define FALLBACKMX_CHILD_H

#include <sys/types.h>

#include "err.h"

struct identity {
	const char *name;	/* for initgroups(3); "" = no other groups */
	uid_t uid;
	gid_t gid;
};

/*
 * Becomes that user for good: groups, gid, uid, no new privileges; verifies
 * that root cannot come back and that uid is not 0. Nothing to do if we are
 * that user already and not root. On failure the process must end.
 */
int child_become(const struct identity *who, struct err *e);

/*
 * fork + child_become + exec of path with one argument, socket as descriptor
 * 0, /dev/null as 1 and 2, an empty environment. *pid_r is to be reaped.
 * Reports a failed exec too. The socket stays the caller's.
 */
int child_start(const char *path, const char *argument, int socket,
		const struct identity *who, pid_t *pid_r, struct err *e);

/* Waits until all children are gone, at most ms milliseconds in all. */
void child_reap(int ms);

#endif
