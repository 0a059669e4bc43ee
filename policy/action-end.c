/*
 * What ends a recipient: Drop, Bounce, and ours: Reject, TempFail, Stop. And
 * Quarantine, ours too, after which worse may come.
 */
#include <config.h>

#include "action.h"

static const struct member no_members[] = { { .key = NULL } };
static const struct shape shape_nothing = {
	.type = SHAPE_STRUCT, .what = "an empty object",
	.members = no_members, .size = sizeof(struct action_plain),
};

static const struct shape shape_status = {
	.type = SHAPE_STRING, .what = "an enhanced status code such as 5.1.1",
	.min = 5, .max = 9, .pattern = "[45]\\.[0-9]{1,3}\\.[0-9]{1,3}",
};
static const struct shape shape_reply = {
	.type = SHAPE_STRING, .what = "an SMTP reply code such as 550",
	.min = 3, .max = 3, .pattern = "[45][0-9][0-9]",
};
static const struct shape shape_diagnostic = {
	.type = SHAPE_STRING, .what = "a message in ASCII", .min = 1,
	.max = 256, .pattern = "[\\x20-\\x7e]+",
};
static const struct shape shape_message = {
	.type = SHAPE_STRING, .what = "a text in ASCII", .min = 1, .max = 500,
	.pattern = "[\\r\\n\\x20-\\x7e]+",
};

static const struct member bounce_members[] = {
	{ .key = "ActionFailurePolicy", .shape = &shape_failure,
	  .offset = offsetof(struct action_refuse, failure) },
	{ .key = "RoleArn", .shape = &shape_role, .required = true,
	  .offset = offsetof(struct action_refuse, role) },
	{ .key = "Sender", .shape = &shape_email, .required = true,
	  .offset = offsetof(struct action_refuse, sender) },
	{ .key = "StatusCode", .shape = &shape_status, .required = true,
	  .offset = offsetof(struct action_refuse, status) },
	{ .key = "SmtpReplyCode", .shape = &shape_reply, .required = true,
	  .offset = offsetof(struct action_refuse, reply) },
	{ .key = "DiagnosticMessage", .shape = &shape_diagnostic,
	  .required = true,
	  .offset = offsetof(struct action_refuse, diagnostic) },
	{ .key = "Message", .shape = &shape_message,
	  .offset = offsetof(struct action_refuse, message) },
	{ .key = NULL }
};
static const struct shape shape_bounce = {
	.type = SHAPE_STRUCT, .what = "a bounce", .members = bounce_members,
	.size = sizeof(struct action_refuse),
};

/* Refused for good: 4xx would be TempFail. */
static const struct shape shape_permanent_status = {
	.type = SHAPE_STRING, .what = "an enhanced status code such as 5.7.1",
	.min = 5, .max = 9, .pattern = "5\\.[0-9]{1,3}\\.[0-9]{1,3}",
};
static const struct shape shape_permanent_reply = {
	.type = SHAPE_STRING, .what = "an SMTP reply code such as 550",
	.min = 3, .max = 3, .pattern = "5[0-9][0-9]",
};
static const struct member reject_members[] = {
	{ .key = "StatusCode", .shape = &shape_permanent_status,
	  .offset = offsetof(struct action_refuse, status) },
	{ .key = "SmtpReplyCode", .shape = &shape_permanent_reply,
	  .offset = offsetof(struct action_refuse, reply) },
	{ .key = "DiagnosticMessage", .shape = &shape_diagnostic,
	  .offset = offsetof(struct action_refuse, diagnostic) },
	{ .key = NULL }
};
static const struct shape shape_reject = {
	.type = SHAPE_STRUCT, .what = "an answer", .members = reject_members,
	.size = sizeof(struct action_refuse),
};

static const struct member tempfail_members[] = {
	{ .key = "DiagnosticMessage", .shape = &shape_diagnostic,
	  .offset = offsetof(struct action_refuse, diagnostic) },
	{ .key = NULL }
};
static const struct shape shape_tempfail = {
	.type = SHAPE_STRUCT, .what = "an answer",
	.members = tempfail_members, .size = sizeof(struct action_refuse),
};

static const struct member quarantine_members[] = {
	{ .key = "Reason", .shape = &shape_diagnostic,
	  .offset = offsetof(struct action_quarantine, reason) },
	{ .key = NULL }
};
static const struct shape shape_quarantine = {
	.type = SHAPE_STRUCT, .what = "a reason",
	.members = quarantine_members,
	.size = sizeof(struct action_quarantine),
};

const struct action_kind action_drop = {
	.kind = { .key = "Drop", .shape = &shape_nothing },
	.effect = EFFECT_DROP,
};

const struct action_kind action_bounce = {
	.kind = { .key = "Bounce", .shape = &shape_bounce },
	.effect = EFFECT_REJECT,
};

const struct action_kind action_reject = {
	.kind = { .key = "Reject", .shape = &shape_reject, .extension = true },
	.effect = EFFECT_REJECT,
};

const struct action_kind action_tempfail = {
	.kind = { .key = "TempFail", .shape = &shape_tempfail,
		  .extension = true },
	.effect = EFFECT_TEMPFAIL,
};

const struct action_kind action_quarantine = {
	.kind = { .key = "Quarantine", .shape = &shape_quarantine,
		  .extension = true },
	.effect = EFFECT_QUARANTINE,
};

const struct action_kind action_stop = {
	.kind = { .key = "Stop", .shape = &shape_nothing, .extension = true },
	.effect = EFFECT_STOP,
};
