/*
 * TlsExpression of traffic policies: the version of TLS (API
 * IngressTlsProtocolExpression). Without TLS neither operator holds.
 */
#include <config.h>

#include "match.h"
#include "policy-private.h"

struct evaluate {
	int attribute;
};

struct expression {
	const struct evaluate *evaluate;
	int how;	/* 1 MINIMUM_TLS_VERSION, 2 IS */
	int value;	/* 1 TLS1_2, 2 TLS1_3 */
};

static const char *const attribute_words[] = { "TLS_PROTOCOL", NULL };
static const char *const operator_words[] = {
	"MINIMUM_TLS_VERSION", "IS", NULL
};
static const char *const value_words[] = { "TLS1_2", "TLS1_3", NULL };

static const struct shape shape_attribute = {
	.type = SHAPE_WORD, .what = "an attribute", .words = attribute_words,
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = operator_words,
};
static const struct shape shape_value = {
	.type = SHAPE_WORD, .what = "a version", .words = value_words,
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
	.type = SHAPE_STRUCT, .what = "a condition on TLS",
	.members = members, .size = sizeof(struct expression),
};

static enum answer
answer(const struct condition *c, struct look *l, const char **found_r)
{
	static const char *const found[] = {
		[TLS_UNKNOWN] = "", [TLS_WITHOUT] = "none",
		[TLS_OLDER] = "older than TLS1_2", [TLS_1_2] = "TLS1_2",
		[TLS_1_3] = "TLS1_3",
	};
	const struct expression *x = c->of;
	const enum tls_version is = l->f->tls;
	const enum tls_version value = x->value == 1 ? TLS_1_2 : TLS_1_3;

	*found_r = found[is];
	if (is == TLS_UNKNOWN || is == TLS_WITHOUT)
		return ANSWER_UNKNOWN;
	return (x->how == 1 ? is >= value : is == value) ? ANSWER_YES :
		ANSWER_NO;
}

static void
words(const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;

	buf_printf(out, "TLS_PROTOCOL %s %s", operator_words[x->how - 1],
		   value_words[x->value - 1]);
}

const struct match match_tls = {
	.kind = { .key = "TlsExpression", .shape = &shape_expression },
	.answer = answer, .words = words,
};
