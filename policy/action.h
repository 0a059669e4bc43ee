/*
 * action - what a rule does: one row for each action of the API and of ours,
 * in a file action-NAME.c for each family.
 *
 * An action is carried, with its parameters as the document has them, to
 * whoever does it (the milter). Here only its effect on the evaluation counts.
 */
#ifndef FALLBACKMX_ACTION_H
#define FALLBACKMX_ACTION_H

#include "document.h"
#include "verdict.h"

enum action_effect {
	EFFECT_COPY,		/* the recipient stays */
	EFFECT_MESSAGE,		/* the message changes for all recipients */
	EFFECT_HAND_ON,		/* the recipient leaves the envelope */
	EFFECT_REPLACE,		/* other recipients take its place */
	EFFECT_QUARANTINE,
	EFFECT_STOP,		/* these end the recipient */
	EFFECT_DROP,
	EFFECT_REJECT,
	EFFECT_TEMPFAIL,
};

struct action_kind {
	struct kind kind;	/* its struct begins with the failure policy */
	enum action_effect effect;
};

enum action_failure {
	FAILURE_UNSAID,		/* CONTINUE */
	FAILURE_CONTINUE,
	FAILURE_DROP,
};

struct action {
	const struct action_kind *kind;
	const void *of;		/* one of the structs below */
};

/* Their first member is the failure policy, also where AWS has none. */
struct action_plain {
	int failure;	/* enum action_failure */
};

struct action_header {
	int failure;
	const char *name, *value;
};

struct action_replace {
	int failure;
	struct list with;	/* of const char * */
};

struct action_refuse {	/* Bounce, Reject, TempFail */
	int failure;
	const char *sender, *status, *reply, *diagnostic, *message, *role;
};

struct action_quarantine {
	int failure;
	const char *reason;
};

struct action_relay {
	int failure;
	const char *relay;
	int mail_from;	/* 1 REPLACE, 2 PRESERVE */
};

struct action_deliver {	/* DeliverToMailbox, DeliverToQBusiness, Send */
	int failure;
	const char *mailbox, *application, *index, *role;
};

struct action_archive {
	int failure;
	const char *archive;
};

struct action_s3 {
	int failure;
	const char *bucket, *prefix, *key, *role;
};

struct action_sns {
	int failure;
	const char *topic, *role;
	int encoding;	/* 1 UTF-8, 2 BASE64 */
	int payload;	/* 1 HEADERS, 2 CONTENT */
};

struct action_lambda {
	int failure;
	const char *function, *role;
	int invocation;	/* 1 EVENT, 2 REQUEST_RESPONSE */
	const int64_t *retry_minutes;
};

extern const struct action_kind action_drop, action_bounce, action_reject,
	action_tempfail, action_quarantine, action_stop;
extern const struct action_kind action_add_header, action_remove_header;
extern const struct action_kind action_replace_recipient;
extern const struct action_kind action_relay, action_send, action_mailbox;
extern const struct action_kind action_archive, action_s3, action_sns,
	action_lambda, action_qbusiness;

extern const struct shape shape_failure;	/* ActionFailurePolicy */
extern const struct shape shape_role;		/* RoleArn */
extern const struct shape shape_name_or_arn;
extern const struct shape shape_email;
extern const struct shape shape_actions;	/* a list of them */

/* Its end: no later action or rule for this recipient. */
bool action_ends(const struct action *x);

/* Done to the message, not to one recipient. */
bool action_is_per_message(const struct action *x);

#endif
