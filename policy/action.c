#include <config.h>

#include "action.h"

static const struct kind *const kinds[] = {
	&action_drop.kind, &action_relay.kind, &action_archive.kind,
	&action_s3.kind, &action_send.kind, &action_add_header.kind,
	&action_replace_recipient.kind, &action_mailbox.kind,
	&action_qbusiness.kind, &action_sns.kind, &action_bounce.kind,
	&action_lambda.kind,
	/* ours */
	&action_reject.kind, &action_tempfail.kind, &action_quarantine.kind,
	&action_stop.kind, &action_remove_header.kind, NULL
};

static const struct shape shape_action = {
	.type = SHAPE_CHOICE, .what = "an action", .kinds = kinds,
};

const struct shape shape_actions = {
	.type = SHAPE_LIST, .what = "actions", .min = 1, .max = 10,
	.item = &shape_action,
};

static const char *const failure_words[] = { "CONTINUE", "DROP", NULL };

const struct shape shape_failure = {
	.type = SHAPE_WORD, .what = "what to do when it fails",
	.words = failure_words,
};

const struct shape shape_role = {
	.type = SHAPE_STRING, .what = "a role's ARN", .min = 20, .max = 2048,
	.pattern = "[a-zA-Z0-9:_/+=,@.#-]+",
};

const struct shape shape_name_or_arn = {
	.type = SHAPE_STRING, .what = "a name, an id or an ARN", .min = 1,
	.max = 2048, .pattern = "[a-zA-Z0-9:_/+=,@.#-]+",
};

const struct shape shape_email = {
	.type = SHAPE_STRING, .what = "a mail address", .min = 0, .max = 254,
	.pattern = "[a-zA-Z0-9._+-]+@[a-zA-Z0-9.-]+",
};

const char *
action_name(const struct action *x)
{
	return x->kind->kind.key;
}

bool
action_drops_on_failure(const struct action *x)
{
	return ((const struct action_plain *)x->of)->failure == FAILURE_DROP;
}

bool
action_ends(const struct action *x)
{
	return x->kind->effect >= EFFECT_STOP;
}

bool
action_is_per_message(const struct action *x)
{
	switch (x->kind->effect) {
	case EFFECT_MESSAGE:
	case EFFECT_QUARANTINE:
	case EFFECT_REJECT:
	case EFFECT_TEMPFAIL:
		return true;
	case EFFECT_COPY:
	case EFFECT_HAND_ON:
	case EFFECT_REPLACE:
	case EFFECT_STOP:
	case EFFECT_DROP:
		break;
	}
	return false;
}
