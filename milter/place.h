/*
 * place - where the milter's socket is: what the configuration says, in the
 * words of libmilter, and the file of a UNIX socket before and after it is
 * bound.
 *
 * The file comes into being with mode 0660 (PLACE_UMASK) and the group of who
 * makes it, and then gets its own: there is no moment in which others could
 * connect, and nothing is done to what somebody puts in its place.
 */
#ifndef FALLBACKMX_MILTER_PLACE_H
#define FALLBACKMX_MILTER_PLACE_H

#include <stddef.h>
#include <sys/stat.h>

#include "lib/base/err.h"

#define PLACE_MAX ((size_t)512)
#define PLACE_UMASK 0117

struct place {
	char connection[PLACE_MAX];	/* for smfi_setconn() */
	const char *path;		/* of a UNIX socket that we bind, into
					 * connection; else NULL */
	dev_t device;			/* of its file, once it is bound */
	ino_t inode;
};

/*
 * socket: "unix:PATH", "inet:HOST:PORT" (HOST in brackets if it is IPv6) or
 * "fd". sockets: how many the service manager passed; one is used, whatever
 * socket says. ERR_STOP, EX_CONFIG: none of these, or none was passed.
 */
int place_find(struct place *p, const char *socket, int sockets,
	       struct err *e);

/*
 * Before binding: the directory must be the user's or root's and not for all
 * to write; a socket file of a dead instance is removed. A socket that was
 * passed must listen. ERR_STOP; EX_UNAVAILABLE: somebody answers there.
 */
int place_prepare(const struct place *p, uid_t user, struct err *e);

/* After binding: it becomes the user's and the group's. */
int place_open(struct place *p, uid_t user, const char *group, struct err *e);

/* Removes the file if it is still the one that was bound. */
void place_close(const struct place *p);

#endif
