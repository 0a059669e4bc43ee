/*
 * control - the milter's control socket (UNIX stream) and those who ask it.
 *
 * One request per connection, a word and a line end; the answer is a line with
 * an exit code of sysexits.h, then text until the end. Only root and the
 * milter's own user are heard (SO_PEERCRED). The server's half never blocks:
 * a poll loop gives it what is ready; clients, requests, answers and their
 * time are bounded. Not for threads: the main one's.
 */
#ifndef FALLBACKMX_MILTER_CONTROL_H
#define FALLBACKMX_MILTER_CONTROL_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define CONTROL_CLIENTS 8		/* at once */
#define CONTROL_POLL_MAX (CONTROL_CLIENTS + 1)
#define CONTROL_REQUEST_MAX 64		/* bytes */
#define CONTROL_ANSWER_MAX ((size_t)16777216)
#define CONTROL_SECONDS 10		/* to ask, and to take the answer */

/* One word that can be asked. Returns the exit code; text goes to out. */
struct control_request {
	const char *word;	/* NULL ends the table */
	int (*answer)(void *arg, struct buf *out);
};

struct control;

/* Makes the directory that path is in, for the user whose the socket will be,
 * if it is not there and its parent is: /run is empty after a boot. What went
 * wrong control_open() will tell. */
void control_prepare(const char *path, uid_t user, gid_t group);

/* Opens the socket at path, mode 0600, as the user whose it shall be. ERR_STOP
 * when another milter answers there (EX_UNAVAILABLE) or it cannot be made
 * (EX_CANTCREAT). requests and arg must outlive it. */
struct control *control_open(const char *path,
			     const struct control_request *requests, void *arg,
			     struct err *e);

/* Fills at most CONTROL_POLL_MAX entries with what to wait for; returns how
 * many. *timeout_ms (-1: none) is lowered to when it wants to be called. */
size_t control_poll(struct control *c, struct pollfd *fds, int *timeout_ms);

/* Does what is ready, of the n entries that control_poll() filled. */
void control_serve(struct control *c, const struct pollfd *fds, size_t n);

/* Closes and unlinks. NULL is allowed. */
void control_close(struct control *c);

/* The other half: asks one word and takes the answer. *code_r is the exit
 * code; seconds bounds all of it. -1: ERR_STOP with EX_UNAVAILABLE (nobody
 * there), EX_NOPERM, EX_IOERR, EX_PROTOCOL, or ERR_TEMP for a timeout. */
int control_ask(const char *path, const char *word, int seconds,
		struct buf *answer, int *code_r, struct err *e);

#endif
