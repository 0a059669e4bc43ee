/*
 * spawner - starts deliverers; the only part of a run that stays root.
 *
 * As root the engine asks over a socket and names (source, route, user); the
 * spawner resolves the owner itself from the same settings and starts nothing
 * that they do not name. It opens no path of a user, parses nothing and has no
 * network. As a plain user spawner_start() starts deliverers directly, for
 * Maildirs of that user only.
 */
#ifndef FALLBACKMX_SPAWNER_H
#define FALLBACKMX_SPAWNER_H

#include <sys/types.h>

#include "recipients.h"
#include "settings.h"

struct spawner {
	const struct settings *settings;
	int sock;		/* to the spawner process; -1 = we are it */
};

/* Starts the deliverer of a target; *sock_r is its socket. ERR_TEMP when this
 * mailbox has trouble, ERR_STOP when no deliverer can be started at all. */
int spawner_start(struct spawner *sp, size_t source, const struct target *t,
		  int *sock_r, struct err *e);

/*
 * The spawner process: serves sock until the engine has closed it, passing
 * SIGTERM, SIGINT and SIGHUP on to it; then waits for engine and deliverers.
 * Returns the engine's wait status.
 */
int spawner_serve(const struct settings *s, int sock, pid_t engine);

#endif
