/*
 * reach - whether a user, Postfix's, may connect to a unix socket: really
 * tried as root, and told from rights otherwise.
 */
#ifndef FALLBACKMX_POSTFIX_REACH_H
#define FALLBACKMX_POSTFIX_REACH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "ask.h"

/* What stands in the way. */
struct obstacle {
	char path[PATH_MAX];
	struct stat st;		/* of path; zeroed when error is not EACCES */
	int error;		/* EACCES; ENOENT and others of stat(2) */
	bool ours;		/* it was we who could not look */
};

/* The first file on the way to path that user, with all his groups, may not
 * enter or, at its end, write to. False: nothing is in the way. */
bool reach_blocked(const char *user, const char *path, struct obstacle *o);

/* ask_milter() as that user, in a process of his. For root. */
int reach_as(const char *user, const char *endpoint, int ms,
	     struct ask_answer *a, struct err *e);

#endif
