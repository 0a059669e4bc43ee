/*
 * milterlist - the value of smtpd_milters taken apart (MILTER_README), and
 * where an entry leads for a service. Pure but for milterlist_same(), which
 * looks at files.
 */
#ifndef FALLBACKMX_POSTFIX_MILTERLIST_H
#define FALLBACKMX_POSTFIX_MILTERLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"
#include "postconf.h"

struct milter_entry {
	const char *text;	/* as written, with its braces */
	const char *endpoint;	/* unix:PATH, inet:HOST:PORT, or what it is */
	const char *action;	/* default_action; NULL: not said here */
	const char *protocol;	/* NULL: not said here */
};

/* The entries of a list in its order, in the arena; how many to *n_r. */
struct milter_entry *milterlist_parse(const char *value, struct arena *arena,
				      size_t *n_r);

/* The file that unix:PATH means for a service: below the queue directory when
 * it is relative or the service has a chroot. NULL if it is no unix socket. */
const char *milterlist_path(const char *endpoint, const struct postconf *c,
			    const struct service *s, struct arena *arena);

/* Whether two endpoints of kind inet mean the same; "localhost" is both
 * addresses of it. */
bool milterlist_same_inet(const char *a, const char *b);

/* Whether two absolute paths are one place: as texts, without regard to double
 * slashes, or as files. */
bool milterlist_same(const char *a, const char *b);

#endif
