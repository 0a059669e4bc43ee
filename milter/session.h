/*
 * session - one SMTP connection as libmilter shows it, with three lifetimes:
 * until it closes, until the next HELO, until the message ends (message.h).
 *
 * An abort ends the message and nothing else. Whatever comes in whatever
 * order, everything here is valid and may be ended again. Belongs to one
 * thread at a time; which one changes between callbacks.
 */
#ifndef FALLBACKMX_MILTER_SESSION_H
#define FALLBACKMX_MILTER_SESSION_H

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/base/arena.h"
#include "message.h"

#define SESSION_HELO_MAX ((size_t)1000)	/* bytes that are kept */

struct session {
	struct ip client;	/* family 0: not known */
	bool blank;		/* values keep the blank in front */
	unsigned long silent;	/* the SMFIP_NR_ bits that were agreed on */
	bool counted;		/* as being in the middle of a message */
	struct arena greeting;
	const char *helo;	/* NULL: none came */
	struct message message;
};

struct session *session_new(void);
void session_free(struct session *s);	/* NULL is allowed */

/* NULL or no IP address: unknown. */
void session_connect(struct session *s, const struct sockaddr *address);
void session_greet(struct session *s, const char *helo);

#endif
