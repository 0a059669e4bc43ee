/*
 * child - another program as another user, with nothing of ours but one
 * socket; or as ourselves, for what it prints. No shell, no environment of
 * ours, no descriptor above 2.
 */
#ifndef FALLBACKMX_CHILD_H
#define FALLBACKMX_CHILD_H

#include <stddef.h>
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

/* What a program said before it ended. */
struct child_answer {
	char *out;		/* stdout goes here, with a NUL behind it */
	size_t size, len;	/* of out: room, and what came */
	char line[256];		/* first line of stderr, foreign bytes */
	int status;		/* of waitpid(2) */
};

/*
 * Runs argv (NULL-terminated) as ourselves with environment envp, stdin
 * /dev/null and a process group of its own, and waits for its end. A name
 * without slash is looked for in /usr/bin and /bin.
 * -1, ERR_TEMP: it did not start, took longer than ms milliseconds, or printed
 * size bytes or more. In any case its process group is dead afterwards.
 */
int child_ask(const char *const *argv, const char *const *envp, int ms,
	      struct child_answer *a, struct err *e);

/* Waits until all children are gone, at most ms milliseconds in all. */
void child_reap(int ms);

#endif
