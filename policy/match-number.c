/*
 * NumberExpression: MESSAGE_SIZE (API RuleNumberExpression).
 */
#include <config.h>

#include "match.h"
#include "policy-private.h"

struct evaluate {
	int attribute;
};

enum {
	EQUALS = 1, NOT_EQUALS, LESS_THAN, GREATER_THAN, LESS_THAN_OR_EQUAL,
	GREATER_THAN_OR_EQUAL,
};

struct expression {
	const struct evaluate *evaluate;
	int how;
	const double *value;
};

static const char *const attribute_words[] = { "MESSAGE_SIZE", NULL };
static const char *const operator_words[] = {
	"EQUALS", "NOT_EQUALS", "LESS_THAN", "GREATER_THAN",
	"LESS_THAN_OR_EQUAL", "GREATER_THAN_OR_EQUAL", NULL
};

static const struct shape shape_attribute = {
	.type = SHAPE_WORD, .what = "an attribute", .words = attribute_words,
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = operator_words,
};
static const struct shape shape_value = {
	.type = SHAPE_NUMBER, .what = "a number of bytes",
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
static const struct member members[] = {
	{ .key = "Evaluate", .shape = &shape_evaluate, .required = true,
	  .offset = offsetof(struct expression, evaluate) },
	{ .key = "Operator", .shape = &shape_operator, .required = true,
	  .offset = offsetof(struct expression, how) },
	{ .key = "Value", .shape = &shape_value, .required = true,
	  .offset = offsetof(struct expression, value) },
	{ .key = NULL }
};
static const struct shape shape_expression = {
	.type = SHAPE_STRUCT, .what = "a condition on a number",
	.members = members, .size = sizeof(struct expression),
};

static bool
holds(int how, double size, double value)
{
	switch (how) {
	case EQUALS:
		return size >= value && size <= value;
	case NOT_EQUALS:
		return size < value || size > value;
	case LESS_THAN:
		return size < value;
	case GREATER_THAN:
		return size > value;
	case LESS_THAN_OR_EQUAL:
		return size <= value;
	default:
		return size >= value;
	}
}

static enum answer
answer(const struct condition *c, struct look *l, const char **found_r)
{
	const struct expression *x = c->of;

	*found_r = look_size(l);
	if (l->f->head == NULL)
		return ANSWER_UNKNOWN;
	return holds(x->how, (double)l->f->size, *x->value) ? ANSWER_YES :
		ANSWER_NO;
}

static void
words(const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;

	buf_printf(out, "MESSAGE_SIZE %s %.15g", operator_words[x->how - 1],
		   *x->value);
}

const struct match match_number = {
	.kind = { .key = "NumberExpression", .shape = &shape_expression },
	.answer = answer, .words = words,
};
