/*
 * BooleanExpression: read receipts, TLS, analyzers, address lists (API
 * RuleBooleanExpression, IngressBooleanExpression).
 */
#include <config.h>

#include <strings.h>

#include "addresslist.h"
#include "lib/mail/head.h"
#include "match.h"
#include "policy-private.h"

struct in_list {
	int attribute;
	struct list lists;	/* of const char * */
};

struct evaluate {
	int attribute;
	const struct analysis *analysis;
	const struct in_list *in_list;
};

struct expression {
	const struct evaluate *evaluate;
	int how;	/* 1 IS_TRUE, 2 IS_FALSE */
};

enum {
	READ_RECEIPT_REQUESTED = 1, TLS, TLS_WRAPPED,
};

static const char *const attribute_words[] = {
	"READ_RECEIPT_REQUESTED", "TLS", "TLS_WRAPPED", NULL
};
static const char *const operator_words[] = { "IS_TRUE", "IS_FALSE", NULL };
static const char *const list_words[] = {
	"RECIPIENT", "MAIL_FROM", "SENDER", "FROM", "TO", "CC", NULL
};
static const char *const traffic_list_words[] = { "RECIPIENT", NULL };

/* In the order of list_words. */
static const struct slot list_slots[] = {
	{ SLOT_RECIPIENT, NULL, NULL },
	{ SLOT_MAIL_FROM, NULL, NULL },
	{ SLOT_ADDRESSES, "Sender", NULL },
	{ SLOT_ADDRESSES, "From", NULL },
	{ SLOT_ADDRESSES, "To", NULL },
	{ SLOT_ADDRESSES, "Cc", NULL },
};

static const struct shape shape_attribute = {
	.type = SHAPE_WORD, .what = "an attribute", .words = attribute_words,
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = operator_words,
};
static const struct shape shape_arn = {
	.type = SHAPE_STRING, .what = "an address list's ARN",
	.min = 1, .max = 2048,
};
static const struct shape shape_arns = {
	.type = SHAPE_LIST, .what = "address lists", .min = 1, .max = 1,
	.item = &shape_arn,
};

/* Twice: rules, traffic policies. */
#define IN_LIST(name, words_)						\
static const struct shape shape_##name##_attribute = {			\
	.type = SHAPE_WORD, .what = "an attribute", .words = words_,	\
};									\
static const struct member name##_members[] = {				\
	{ .key = "Attribute", .shape = &shape_##name##_attribute,	\
	  .required = true, .offset = offsetof(struct in_list, attribute) }, \
	{ .key = "AddressLists", .shape = &shape_arns, .required = true, \
	  .offset = offsetof(struct in_list, lists) },			\
	{ .key = NULL }							\
};									\
static const struct shape shape_##name = {				\
	.type = SHAPE_STRUCT, .what = "an address list",		\
	.members = name##_members, .size = sizeof(struct in_list),	\
}
IN_LIST(in_list, list_words);
IN_LIST(traffic_in_list, traffic_list_words);

static const struct member evaluate_members[] = {
	{ .key = "Attribute", .shape = &shape_attribute,
	  .offset = offsetof(struct evaluate, attribute) },
	{ .key = "Analysis", .shape = &shape_analysis,
	  .offset = offsetof(struct evaluate, analysis) },
	{ .key = "IsInAddressList", .shape = &shape_in_list,
	  .offset = offsetof(struct evaluate, in_list) },
	{ .key = NULL }
};
static const struct shape shape_evaluate = {
	.type = SHAPE_STRUCT, .what = "what to look at", .one = true,
	.members = evaluate_members, .size = sizeof(struct evaluate),
};
static const struct member traffic_evaluate_members[] = {
	{ .key = "Analysis", .shape = &shape_analysis,
	  .offset = offsetof(struct evaluate, analysis) },
	{ .key = "IsInAddressList", .shape = &shape_traffic_in_list,
	  .offset = offsetof(struct evaluate, in_list) },
	{ .key = NULL }
};
static const struct shape shape_traffic_evaluate = {
	.type = SHAPE_STRUCT, .what = "what to look at", .one = true,
	.members = traffic_evaluate_members, .size = sizeof(struct evaluate),
};
#define EXPRESSION(name, evaluate_)					\
static const struct member name##_members[] = {				\
	{ .key = "Evaluate", .shape = &evaluate_, .required = true,	\
	  .offset = offsetof(struct expression, evaluate) },		\
	{ .key = "Operator", .shape = &shape_operator, .required = true, \
	  .offset = offsetof(struct expression, how) },			\
	{ .key = NULL }							\
};									\
static const struct shape shape_##name = {				\
	.type = SHAPE_STRUCT, .what = "a condition that is true or false", \
	.members = name##_members, .size = sizeof(struct expression),	\
}
EXPRESSION(rule, shape_evaluate);
EXPRESSION(traffic, shape_traffic_evaluate);

static const char *
list_name(const struct expression *x)
{
	return *(const char *const *)x->evaluate->in_list->lists.items;
}

static void
prepare(struct condition *c, struct policy *p, struct arena *a)
{
	const struct expression *x = c->of;
	const struct evaluate *e = x->evaluate;

	(void)a;
	c->negated = x->how == 2;
	c->of_message = e->analysis != NULL;
	if (e->analysis != NULL)
		c->slot = policy_slot(p, SLOT_ANALYSIS, e->analysis->analyzer,
				      e->analysis->field);
	if (e->in_list != NULL) {
		const struct slot *s = &list_slots[e->in_list->attribute - 1];

		c->by_recipient = s->kind == SLOT_RECIPIENT;
		c->slot = policy_slot(p, s->kind, s->name, s->field);
		c->list_name = list_name(x);
	}
}

static enum answer
decide_fact(const struct condition *c, enum fact f, const char **found_r)
{
	static const char *const found[] = {
		[FACT_UNKNOWN] = "", [FACT_NO] = "false", [FACT_YES] = "true",
	};

	*found_r = found[f];
	return f == FACT_UNKNOWN ? ANSWER_UNKNOWN :
		match_decide(c, f == FACT_YES, false);
}

/* RFC 8098, 2.1: the header that asks for a receipt. */
static enum fact
receipt_fact(const struct head *h)
{
	if (h == NULL)
		return FACT_UNKNOWN;
	if (head_next(h, "Disposition-Notification-To", NULL) != NULL)
		return FACT_YES;
	return h->limits ? FACT_UNKNOWN : FACT_NO;
}

static enum fact
tls_fact(enum tls_version v)
{
	if (v == TLS_UNKNOWN)
		return FACT_UNKNOWN;
	return v == TLS_WITHOUT ? FACT_NO : FACT_YES;
}

static enum fact
analysis_fact(const struct candidates *all)
{
	static const char *const yes[] = { "true", "yes", "1", NULL };
	static const char *const no[] = { "false", "no", "0", NULL };

	for (size_t i = 0; all->known && yes[i] != NULL; i++) {
		if (strcasecmp(all->all[0].shown, yes[i]) == 0)
			return FACT_YES;
		if (strcasecmp(all->all[0].shown, no[i]) == 0)
			return FACT_NO;
	}
	return FACT_UNKNOWN;
}

static enum answer
answer_list(const struct condition *c, struct look *l, const char **found_r)
{
	const struct candidates *all = look_slot(l, c->slot);

	*found_r = "";
	if (!all->known || c->list == NULL)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < all->n; i++) {
		const struct candidate *x = &all->all[i];

		if (!x->address)
			continue;
		if (**found_r == '\0')
			*found_r = x->shown;
		if (addresslist_has(c->list, x->folded, x->n)) {
			*found_r = x->shown;
			return match_decide(c, true, false);
		}
	}
	return match_decide(c, false, all->partial);
}

static enum answer
answer(const struct condition *c, struct look *l, const char **found_r)
{
	const struct expression *x = c->of;
	const struct evaluate *e = x->evaluate;

	if (e->in_list != NULL)
		return answer_list(c, l, found_r);
	if (e->analysis != NULL) {
		const struct candidates *all = look_slot(l, c->slot);
		const char *text = all->known ? all->all[0].shown : "";
		const enum answer a =
			decide_fact(c, analysis_fact(all), found_r);

		*found_r = text;
		return a;
	}
	if (e->attribute == READ_RECEIPT_REQUESTED)
		return decide_fact(c, receipt_fact(l->f->head), found_r);
	if (e->attribute == TLS)
		return decide_fact(c, tls_fact(l->f->tls), found_r);
	return decide_fact(c, l->f->tls_wrapped, found_r);
}

static void
words(const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;
	const struct evaluate *e = x->evaluate;

	if (e->in_list != NULL) {
		buf_printf(out, "%s IsInAddressList ",
			   list_words[e->in_list->attribute - 1]);
		document_quote(list_name(x), out);
	} else if (e->analysis != NULL)
		match_words_analysis(e->analysis, out);
	else
		buf_printf(out, "%s", attribute_words[e->attribute - 1]);
	buf_printf(out, " %s", operator_words[x->how - 1]);
}

static void
missing(const struct condition *c, struct buf *lines)
{
	if (c->list_name == NULL || c->list != NULL)
		return;
	buf_printf(lines, "address list ");
	document_quote(c->list_name, lines);
	buf_printf(lines, " is not loaded; conditions on it never hold\n");
}

const struct match match_boolean = {
	.kind = { .key = "BooleanExpression", .shape = &shape_rule },
	.prepare = prepare, .answer = answer, .words = words,
	.missing = missing,
};

const struct match match_traffic_boolean = {
	.kind = { .key = "BooleanExpression", .shape = &shape_traffic },
	.prepare = prepare, .answer = answer, .words = words,
	.missing = missing,
};
