/*
 * callbacks-private - what all connections share, and the end of a message.
 */
#ifndef FALLBACKMX_MILTER_CALLBACKS_PRIVATE_H
#define FALLBACKMX_MILTER_CALLBACKS_PRIVATE_H

#include <libmilter/mfapi.h>
#include <stdatomic.h>

#include "gate.h"
#include "judge.h"
#include "session.h"

/* Every edit that a policy loaded later could need: they are fixed for a
 * connection. Bodies are never changed. */
#define FILTER_EDITS ((unsigned long)(SMFIF_ADDHDRS | SMFIF_CHGHDRS | \
				      SMFIF_ADDRCPT | SMFIF_DELRCPT | \
				      SMFIF_QUARANTINE))

struct filter {
	_Atomic bool draining;
	_Atomic unsigned open;		/* sessions */
	_Atomic unsigned middle;	/* messages, see callbacks.h */
	unsigned sessions_max;
	struct gate gate;
	struct counter *sessions, *messages, *waiting;	/* gauges */
	struct counter *failures[TROUBLES];
};

extern struct filter filter;

void filter_begin(void);

/* The message has a recipient; it has ended, in whatever way. */
void filter_count_in(struct session *s);
void filter_end_message(struct session *s);

/* Judges, plans, edits, answers and logs. The message is still there. */
sfsistat filter_finish(SMFICTX *ctx, struct session *s);

void filter_log_refusal(const struct session *s, const char *address,
			enum refusal why, const struct reply *reply,
			const struct verdict_recipient *by);

#endif
