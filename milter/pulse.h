/*
 * pulse - a beat that keeps libmilter's pool of threads going.
 *
 * The pool may leave a session that has something to say without a thread: two
 * become ready in one pass, one thread is idle, and the other sessions' threads
 * are busy at the ends of their messages. Nobody looks at that session again
 * until something else comes; a new connection makes it look. So while there
 * are sessions, every second a connection of our own says the first words of
 * the protocol, takes the answer and leaves; a hundred times while messages
 * wait for an archive, where many threads are busy all the time. Nothing of it
 * blocks. Its answers feed the manager's watchdog. Not for threads: the main
 * one's.
 */
#ifndef FALLBACKMX_MILTER_PULSE_H
#define FALLBACKMX_MILTER_PULSE_H

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#define PULSE_SECONDS 1
#define PULSE_BUSY_SECONDS 0.01
#define PULSE_PATIENCE 20	/* beats without an answer: it is said */

/* Zero-initialised: there is no socket, nothing beats. */
struct pulse {
	struct sockaddr_storage to;
	socklen_t to_n;
	int fd;			/* of the beat on its way, -1: none */
	bool asked;
	unsigned missed;	/* beats without an answer, in a row */
	unsigned answered;	/* beats with one, in all */
	double due;		/* when the next one begins */
};

/* Learns where to: the listening socket among this process's descriptors.
 * Before there is a second one. */
void pulse_find(struct pulse *p);

enum pulse_want { PULSE_REST, PULSE_BEAT, PULSE_BUSY };

/* Begins a beat if it is time, wanted and possible. Returns how many of fds
 * (one) are to be waited for; *timeout_ms is lowered as poll(2) needs it. */
size_t pulse_poll(struct pulse *p, enum pulse_want want, struct pollfd *fds,
		  int *timeout_ms);

/* Whether silence means that libmilter is stuck. It does not where this process
 * may not reach its own listener: an inherited TCP one in a unit without
 * network has never answered. */
bool pulse_tells(const struct pulse *p);

/* Does what is ready. n: what pulse_poll() returned. */
void pulse_serve(struct pulse *p, const struct pollfd *fds, size_t n);

#endif
