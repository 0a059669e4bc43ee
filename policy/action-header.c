/*
 * AddHeader, and ours: RemoveHeader.
 */
#include <config.h>

#include "action.h"

static const struct shape shape_name = {
	.type = SHAPE_STRING, .what = "the name of an X- header",
	.min = 1, .max = 64, .pattern = "[xX]\\-[a-zA-Z0-9\\-]+",
};

/* AWS tells no pattern; a line end would begin another header. */
static const struct shape shape_value = {
	.type = SHAPE_STRING, .what = "a header's value without control bytes",
	.min = 1, .max = 128, .pattern = "[^\\x00-\\x08\\x0a-\\x1f\\x7f]+",
};

static const struct member add_members[] = {
	{ .key = "HeaderName", .shape = &shape_name, .required = true,
	  .offset = offsetof(struct action_header, name) },
	{ .key = "HeaderValue", .shape = &shape_value, .required = true,
	  .offset = offsetof(struct action_header, value) },
	{ .key = NULL }
};
static const struct shape shape_add = {
	.type = SHAPE_STRUCT, .what = "a header", .members = add_members,
	.size = sizeof(struct action_header),
};

static const struct shape shape_any_name = {
	.type = SHAPE_STRING, .what = "a header's name", .min = 1, .max = 256,
	.pattern = "[!-9;-~]+",
};
static const struct member remove_members[] = {
	{ .key = "HeaderName", .shape = &shape_any_name, .required = true,
	  .offset = offsetof(struct action_header, name) },
	{ .key = NULL }
};
static const struct shape shape_remove = {
	.type = SHAPE_STRUCT, .what = "a header", .members = remove_members,
	.size = sizeof(struct action_header),
};

const struct action_kind action_add_header = {
	.kind = { .key = "AddHeader", .shape = &shape_add },
	.effect = EFFECT_MESSAGE,
};

const struct action_kind action_remove_header = {
	.kind = { .key = "RemoveHeader", .shape = &shape_remove,
		  .extension = true },
	.effect = EFFECT_MESSAGE,
};
