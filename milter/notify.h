/*
 * notify - tells the service manager how it stands (sd_notify(3): one datagram
 * to the socket that $NOTIFY_SOCKET names), and takes sockets from it
 * (sd_listen_fds(3)). Without one nothing happens.
 */
#ifndef FALLBACKMX_MILTER_NOTIFY_H
#define FALLBACKMX_MILTER_NOTIFY_H

#define NOTIFY_FIRST_SOCKET 3	/* SD_LISTEN_FDS_START */

/* Remembers where; before the environment is cleared. */
void notify_take(void);

/* Sockets that were passed to this process; before the
 * environment is cleared. */
int notify_sockets(void);

/* Within how many seconds the manager wants to hear WATCHDOG=1; 0: never
 * (sd_watchdog_enabled(3)). Known since notify_take(). */
double notify_watchdog(void);

/* "READY=1", "STOPPING=1", "STATUS=..."; several with line ends between. */
void notify_send(const char *state);

/* RELOADING=1 with the time that the manager wants with it. */
void notify_reloading(void);

#endif
