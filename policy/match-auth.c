/*
 * AuthExpression, ours: who has logged in (SASL). Nobody has: "".
 */
#include <config.h>

#include "match.h"
#include "policy-private.h"

struct evaluate {
	int attribute;
};

struct expression {
	const struct evaluate *evaluate;
	int how;	/* enum compare */
	struct list values;
};

static const char *const attribute_words[] = { "AUTH_USER", NULL };

static const struct shape shape_attribute = {
	.type = SHAPE_WORD, .what = "an attribute", .words = attribute_words,
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = compare_words,
};
static const struct member evaluate_members[] = {
	{ .key = "Attribute", .shape = &shape_attribute,
	  .offset = offsetof(struct evaluate, attribute) },
	{ .key = NULL }
};
static const struct shape shape_evaluate = {
	.type = SHAPE_STRUCT, .what = "what to compare", .one = true,
	.members = evaluate_members, .size = sizeof(struct evaluate),
};

/* "" asks whether nobody has logged in. */
static const struct shape shape_value = {
	.type = SHAPE_STRING, .what = "a value", .min = 0, .max = 4096,
};
static const struct shape shape_values = {
	.type = SHAPE_LIST, .what = "values", .min = 1, .max = 10,
	.item = &shape_value,
};
static const struct member members[] = {
	{ .key = "Evaluate", .shape = &shape_evaluate, .required = true,
	  .offset = offsetof(struct expression, evaluate) },
	{ .key = "Operator", .shape = &shape_operator, .required = true,
	  .offset = offsetof(struct expression, how) },
	{ .key = "Values", .shape = &shape_values, .required = true,
	  .offset = offsetof(struct expression, values) },
	{ .key = NULL }
};
static const struct shape shape_expression = {
	.type = SHAPE_STRUCT, .what = "a condition on the login",
	.members = members, .size = sizeof(struct expression),
};

static void
prepare(struct condition *c, struct policy *p, struct arena *a)
{
	const struct expression *x = c->of;

	match_prepare_text(c, policy_slot(p, SLOT_AUTH_USER, NULL, NULL),
			   (enum compare)x->how, &x->values, a);
}

static void
words(const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;

	buf_printf(out, "AUTH_USER %s ", compare_words[x->how - 1]);
	match_words_values(&x->values, out);
}

const struct match match_auth = {
	.kind = { .key = "AuthExpression", .shape = &shape_expression,
		  .extension = true },
	.prepare = prepare, .answer = match_answer_text, .words = words,
};
