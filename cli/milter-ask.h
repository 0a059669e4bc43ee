/*
 * milter-ask - a question of a command to the running milter: where its
 * control socket is, and its answer.
 */
#ifndef FALLBACKMX_MILTER_ASK_H
#define FALLBACKMX_MILTER_ASK_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* For the commands that ask. */
#define MILTER_ASK_INSTEAD "--socket names the milter"

struct milter_question {
	const char *socket;	/* NULL: what the configuration says */
	const char *config;	/* NULL: the default */
	const char *word;
	int seconds;		/* how long to wait for the answer */
};

/*
 * Asks. *code_r is the milter's exit code, answer its text, which the caller
 * frees: printable ASCII in lines, whatever the other end has sent. Fails with
 * ERR_STOP (of the configuration, or as control_ask()). A configuration with
 * mistakes is no reason to give up as long as it names the socket or none: they
 * are what `reload` is to tell.
 */
int milter_ask(const struct milter_question *q, struct buf *answer,
	       int *code_r, struct err *e);

#endif
