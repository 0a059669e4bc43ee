/*
 * VerdictExpression: what SPF and DKIM, or an analyzer, found (API
 * RuleVerdictExpression).
 */
#include <config.h>

#include <strings.h>

#include "match.h"
#include "policy-private.h"

struct evaluate {
	int attribute;	/* 1 SPF, 2 DKIM */
	const struct analysis *analysis;
};

struct expression {
	const struct evaluate *evaluate;
	int how;	/* 1 EQUALS, 2 NOT_EQUALS */
	struct list values;	/* of int */
};

static const char *const attribute_words[] = { "SPF", "DKIM", NULL };
static const char *const operator_words[] = { "EQUALS", "NOT_EQUALS", NULL };
static const char *const verdict_words[] = {
	"PASS", "FAIL", "GRAY", "PROCESSING_FAILED", NULL
};

static const struct shape shape_attribute = {
	.type = SHAPE_WORD, .what = "an attribute", .words = attribute_words,
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = operator_words,
};
static const struct shape shape_value = {
	.type = SHAPE_WORD, .what = "a verdict", .words = verdict_words,
};
static const struct shape shape_values = {
	.type = SHAPE_LIST, .what = "verdicts", .min = 1, .max = 10,
	.item = &shape_value,
};
static const struct member evaluate_members[] = {
	{ .key = "Attribute", .shape = &shape_attribute,
	  .offset = offsetof(struct evaluate, attribute) },
	{ .key = "Analysis", .shape = &shape_analysis,
	  .offset = offsetof(struct evaluate, analysis) },
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
	{ .key = "Values", .shape = &shape_values, .required = true,
	  .offset = offsetof(struct expression, values) },
	{ .key = NULL }
};
static const struct shape shape_expression = {
	.type = SHAPE_STRUCT, .what = "a condition on a verdict",
	.members = members, .size = sizeof(struct expression),
};

static void
prepare(struct condition *c, struct policy *p, struct arena *a)
{
	const struct expression *x = c->of;
	const struct analysis *y = x->evaluate->analysis;

	(void)a;
	c->negated = x->how == 2;
	if (y != NULL)
		c->slot = policy_slot(p, SLOT_ANALYSIS, y->analyzer, y->field);
}

static const char *
verdict_of(const struct condition *c, struct look *l)
{
	static const char *const found[] = {
		[AUTH_PROCESSING_FAILED] = "PROCESSING_FAILED",
		[AUTH_GRAY] = "GRAY", [AUTH_FAIL] = "FAIL",
		[AUTH_PASS] = "PASS",
	};
	const struct expression *x = c->of;
	const struct candidates *all;

	/* Without a message nobody has looked at it yet. */
	if (x->evaluate->attribute != 0 && l->f->head == NULL)
		return NULL;
	if (x->evaluate->attribute == 1)
		return found[l->f->auth.spf];
	if (x->evaluate->attribute == 2)
		return found[l->f->auth.dkim];
	all = look_slot(l, c->slot);
	return all->known ? all->all[0].shown : NULL;
}

static enum answer
answer(const struct condition *c, struct look *l, const char **found_r)
{
	const struct expression *x = c->of;
	const int *values = x->values.items;
	const char *verdict = verdict_of(c, l);

	*found_r = verdict ? verdict : "";
	if (verdict == NULL)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < x->values.n; i++)
		if (strcasecmp(verdict, verdict_words[values[i] - 1]) == 0)
			return match_decide(c, true, false);
	return match_decide(c, false, false);
}

static void
words(const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;
	const int *values = x->values.items;

	if (x->evaluate->analysis != NULL)
		match_words_analysis(x->evaluate->analysis, out);
	else
		buf_printf(out, "%s",
			   attribute_words[x->evaluate->attribute - 1]);
	buf_printf(out, " %s ", operator_words[x->how - 1]);
	for (size_t i = 0; i < x->values.n; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ", ",
			   verdict_words[values[i] - 1]);
}

const struct match match_verdict = {
	.kind = { .key = "VerdictExpression", .shape = &shape_expression },
	.prepare = prepare, .answer = answer, .words = words,
};
