/*
 * DmarcExpression: the policy that the sender's domain publishes (API
 * RuleDmarcExpression).
 */
#include <config.h>

#include "match.h"
#include "policy-private.h"

struct expression {
	int how;	/* 1 EQUALS, 2 NOT_EQUALS */
	struct list values;	/* of int: enum dmarc_policy */
};

static const char *const operator_words[] = { "EQUALS", "NOT_EQUALS", NULL };
static const char *const policy_words[] = {
	"NONE", "QUARANTINE", "REJECT", NULL
};

static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = operator_words,
};
static const struct shape shape_value = {
	.type = SHAPE_WORD, .what = "a policy", .words = policy_words,
};
static const struct shape shape_values = {
	.type = SHAPE_LIST, .what = "policies", .min = 1, .max = 10,
	.item = &shape_value,
};
static const struct member members[] = {
	{ .key = "Operator", .shape = &shape_operator, .required = true,
	  .offset = offsetof(struct expression, how) },
	{ .key = "Values", .shape = &shape_values, .required = true,
	  .offset = offsetof(struct expression, values) },
	{ .key = NULL }
};
static const struct shape shape_expression = {
	.type = SHAPE_STRUCT, .what = "a condition on DMARC",
	.members = members, .size = sizeof(struct expression),
};

static void
prepare(struct condition *c, struct policy *p, struct arena *a)
{
	const struct expression *x = c->of;

	(void)p;
	(void)a;
	c->negated = x->how == 2;
}

/* The words are those of enum dmarc_policy, in its order. */
_Static_assert(DMARC_NONE == 1 && DMARC_QUARANTINE == 2 && DMARC_REJECT == 3,
	       "the order of enum dmarc_policy");

static enum answer
answer(const struct condition *c, struct look *l, const char **found_r)
{
	const struct expression *x = c->of;
	const int *values = x->values.items;
	const int is = (int)l->f->auth.dmarc;

	*found_r = is == 0 ? "" : policy_words[is - 1];
	if (is == 0)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < x->values.n; i++)
		if (values[i] == is)
			return match_decide(c, true, false);
	return match_decide(c, false, false);
}

static void
words(const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;
	const int *values = x->values.items;

	buf_printf(out, "DMARC %s ", operator_words[x->how - 1]);
	for (size_t i = 0; i < x->values.n; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ", ",
			   policy_words[values[i] - 1]);
}

const struct match match_dmarc = {
	.kind = { .key = "DmarcExpression", .shape = &shape_expression },
	.prepare = prepare, .answer = answer, .words = words,
};
