/*
 * plan - what is to be done with a message, made from its verdict and checked
 * before anything happens.
 *
 * One message gets one answer. All recipients are judged by themselves, so
 * that they have to agree: any TEMPFAIL is 451 for all, with nothing done; all
 * REJECT is 5yz; all DROP is taken and thrown away; some DROP leave the
 * envelope. Some REJECT beside others cannot be answered; at RCPT such
 * recipients were kept apart, so it is a failure of class internal.
 *
 * Edits come in an order that is safe to stop anywhere, as the MTA forgets all
 * of them when the answer is not 250: fields removed from the last to the
 * first of a name, fields added, our tag on top, recipients, quarantine.
 * A header that a rule removes and another one adds is there once: the
 * original goes. Pure; memory is the message's.
 */
#ifndef FALLBACKMX_MILTER_PLAN_H
#define FALLBACKMX_MILTER_PLAN_H

#include "message.h"
#include "policy/verdict.h"
#include "reply.h"
#include "snapshot.h"

struct plan_field {
	const char *name, *value;	/* tag_header() has checked it */
};

struct plan_removal {
	const char *name;
	unsigned ordinal;	/* among those of its name, from 1 */
};

struct plan {
	enum result result;
	struct reply reply;	/* of REJECTED and TEMPFAILED, else none */
	int trouble;		/* enum trouble, -1: all is well */
	const char *why;	/* of trouble, else NULL */
	const char *because;	/* of REJECTED by no rule: a word of enum
				 * refusal, or "address"; else NULL */
	/* edits, each list in the order of doing */
	struct plan_removal *removals;
	size_t removals_n;
	struct plan_field *fields;
	size_t fields_n;
	const char *tag;	/* NULL: there is no edit at all */
	const char **gone, **come;	/* recipients: message.h's texts; with
					 * brackets */
	size_t gone_n, come_n;
	const char *hold;	/* why it is quarantined; NULL: it is not */
	/* for the log: rules that matched, by name or "#INDEX" */
	const char *const *rules;
	size_t rules_n;
	const char **archived;	/* ARCHIVE/ID, also for the log */
	size_t archived_n;
};

void plan_make(struct message *m, const struct verdict *v, bool limits,
	       struct plan *p_r);

/* What a failure does, as the settings have it; why in words. The tag says so
 * where the message is accepted; nothing else is done to it then. */
void plan_fail(struct message *m, enum trouble t, const char *why,
	       struct plan *p_r);

/* The MTA did not take an edit of p_r. A message whose recipients were to
 * change is not accepted then, whatever the settings say. */
void plan_fail_edit(struct message *m, const char *why, struct plan *p_r);

/* Why it could not be archived. */
enum plan_store {
	PLAN_LATER,
	PLAN_FULL,	/* there is no room */
	PLAN_NEVER,	/* it is larger than an archive takes */
};

/* It could not be archived. required: it is refused, for now if that may help,
 * whatever the plan was; else the tag says so. */
void plan_not_archived(struct message *m, bool required, enum plan_store how,
		       struct plan *p);

/* More bytes than are taken here. */
void plan_refuse_size(struct message *m, struct plan *p_r);

/* More copies of our own headers, or of what rules remove, than the MTA could
 * remove in time: nobody sends such mail by accident, so it is never accepted.
 */
bool plan_is_flood(const struct message *m);
void plan_refuse_flood(struct message *m, struct plan *p_r);

/* The rules that matched for anybody, by name or "#INDEX", in order. */
const char *const *plan_rules(const struct verdict *v, size_t *n_r,
			      struct arena *a);

/* The client that a relay recorded is one that is not let in. */
void plan_refuse_client(struct message *m, const struct reply *reply,
			struct plan *p_r);

#endif
