/*
 * ReplaceRecipient: other recipients, in the envelope only.
 */
#include <config.h>

#include "action.h"

static const struct shape shape_with = {
	.type = SHAPE_LIST, .what = "mail addresses", .min = 1, .max = 100,
	.item = &shape_email,
};
/* The API does not call it required, and without it nothing could be meant. */
static const struct member members[] = {
	{ .key = "ReplaceWith", .shape = &shape_with, .required = true,
	  .offset = offsetof(struct action_replace, with) },
	{ .key = NULL }
};
static const struct shape shape_replace = {
	.type = SHAPE_STRUCT, .what = "the new recipients",
	.members = members, .size = sizeof(struct action_replace),
};

const struct action_kind action_replace_recipient = {
	.kind = { .key = "ReplaceRecipient", .shape = &shape_replace },
	.effect = EFFECT_REPLACE,
};
