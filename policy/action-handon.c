/*
 * What hands the mail on, so that the recipient leaves the envelope: Relay,
 * Send, DeliverToMailbox.
 */
#include <config.h>

#include "action.h"

static const char *const mail_from_words[] = { "REPLACE", "PRESERVE", NULL };

static const struct shape shape_mail_from = {
	.type = SHAPE_WORD, .what = "what becomes of the sender",
	.words = mail_from_words,
};
static const struct member relay_members[] = {
	{ .key = "ActionFailurePolicy", .shape = &shape_failure,
	  .offset = offsetof(struct action_relay, failure) },
	{ .key = "Relay", .shape = &shape_name_or_arn, .required = true,
	  .offset = offsetof(struct action_relay, relay) },
	{ .key = "MailFrom", .shape = &shape_mail_from,
	  .offset = offsetof(struct action_relay, mail_from) },
	{ .key = NULL }
};
static const struct shape shape_relay = {
	.type = SHAPE_STRUCT, .what = "a relay to use",
	.members = relay_members, .size = sizeof(struct action_relay),
};

static const struct member send_members[] = {
	{ .key = "ActionFailurePolicy", .shape = &shape_failure,
	  .offset = offsetof(struct action_deliver, failure) },
	{ .key = "RoleArn", .shape = &shape_role, .required = true,
	  .offset = offsetof(struct action_deliver, role) },
	{ .key = NULL }
};
static const struct shape shape_send = {
	.type = SHAPE_STRUCT, .what = "a role to send with",
	.members = send_members, .size = sizeof(struct action_deliver),
};

static const struct member mailbox_members[] = {
	{ .key = "ActionFailurePolicy", .shape = &shape_failure,
	  .offset = offsetof(struct action_deliver, failure) },
	{ .key = "MailboxArn", .shape = &shape_name_or_arn, .required = true,
	  .offset = offsetof(struct action_deliver, mailbox) },
	{ .key = "RoleArn", .shape = &shape_role, .required = true,
	  .offset = offsetof(struct action_deliver, role) },
	{ .key = NULL }
};
static const struct shape shape_mailbox = {
	.type = SHAPE_STRUCT, .what = "a mailbox",
	.members = mailbox_members, .size = sizeof(struct action_deliver),
};

const struct action_kind action_relay = {
	.kind = { .key = "Relay", .shape = &shape_relay },
	.effect = EFFECT_HAND_ON,
};

const struct action_kind action_send = {
	.kind = { .key = "Send", .shape = &shape_send },
	.effect = EFFECT_HAND_ON,
};

const struct action_kind action_mailbox = {
	.kind = { .key = "DeliverToMailbox", .shape = &shape_mailbox },
	.effect = EFFECT_HAND_ON,
};
