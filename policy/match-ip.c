/*
 * IpExpression of both documents and Ipv6Expression: the client's address in
 * ranges (API RuleIpExpression, IngressIpv4Expression, IngressIpv6Expression).
 */
#include <config.h>

#include <sys/socket.h>

#include "match.h"
#include "policy-private.h"
#include "range.h"

struct evaluate {
	int attribute;
};

struct expression {
	const struct evaluate *evaluate;
	int how;	/* 1 CIDR_MATCHES, 2 NOT_CIDR_MATCHES */
	struct list values;
};

static const char *const operator_words[] = {
	"CIDR_MATCHES", "NOT_CIDR_MATCHES", NULL
};
static const struct shape shape_operator = {
	.type = SHAPE_WORD, .what = "an operator", .words = operator_words,
};

/* Three times the same members, with another attribute and other values. */
#define MEMBERS(name)							\
static const struct shape shape_##name##_attribute = {			\
	.type = SHAPE_WORD, .what = "an attribute", .words = name##_words, \
};									\
static const struct member name##_evaluate_members[] = {		\
	{ .key = "Attribute", .shape = &shape_##name##_attribute,	\
	  .offset = offsetof(struct evaluate, attribute) },		\
	{ .key = NULL }							\
};									\
static const struct shape shape_##name##_evaluate = {			\
	.type = SHAPE_STRUCT, .what = "what to compare", .one = true, \
	.members = name##_evaluate_members,				\
	.size = sizeof(struct evaluate),				\
};									\
static const struct member name##_members[] = {				\
	{ .key = "Evaluate", .shape = &shape_##name##_evaluate,		\
	  .required = true,						\
	  .offset = offsetof(struct expression, evaluate) },		\
	{ .key = "Operator", .shape = &shape_operator, .required = true, \
	  .offset = offsetof(struct expression, how) },			\
	{ .key = "Values", .shape = &shape_##name##_values,		\
	  .required = true,						\
	  .offset = offsetof(struct expression, values) },		\
	{ .key = NULL }							\
};									\
static const struct shape shape_##name = {				\
	.type = SHAPE_STRUCT, .what = "a condition on the client",	\
	.members = name##_members, .size = sizeof(struct expression),	\
}

static const char *const rule_words[] = { "SOURCE_IP", NULL };
static const struct shape shape_rule_value = {
	.type = SHAPE_STRING, .min = 1, .max = 43, .ok = range_is_any,
	.what = "a range such as 192.0.2.0/24 or 2001:db8::/32",
};
static const struct shape shape_rule_values = {
	.type = SHAPE_LIST, .what = "ranges", .min = 1, .max = 10,
	.item = &shape_rule_value,
};
MEMBERS(rule);

static const char *const v4_words[] = { "SENDER_IP", NULL };
static const struct shape shape_v4_value = {
	.type = SHAPE_STRING, .ok = range_is_v4,
	.what = "an IPv4 range such as 192.0.2.0/24",
};
static const struct shape shape_v4_values = {
	.type = SHAPE_LIST, .what = "ranges", .min = 1,
	.item = &shape_v4_value,
};
MEMBERS(v4);

static const char *const v6_words[] = { "SENDER_IPV6", NULL };
static const struct shape shape_v6_value = {
	.type = SHAPE_STRING, .min = 0, .max = 49, .ok = range_is_v6,
	.what = "an IPv6 range such as 2001:db8::/32",
};
static const struct shape shape_v6_values = {
	.type = SHAPE_LIST, .what = "ranges", .min = 1,
	.item = &shape_v6_value,
};
MEMBERS(v6);

static void
prepare(struct condition *c, struct policy *p, struct arena *a)
{
	const struct expression *x = c->of;
	const char *const *strings = x->values.items;
	struct range *ranges = arena_alloc(a, x->values.n * sizeof(*ranges));

	(void)p;
	for (size_t i = 0; i < x->values.n; i++)
		range_read(strings[i], &ranges[i]);
	c->negated = x->how == 2;
	c->made = ranges;
}

static enum answer
answer(const struct condition *c, struct look *l, const char **found_r)
{
	const struct expression *x = c->of;
	const struct range *ranges = c->made;

	*found_r = look_client(l);
	if (l->f->client.family == 0)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < x->values.n; i++)
		if (range_has(&ranges[i], &l->f->client))
			return match_decide(c, true, false);
	return match_decide(c, false, false);
}

/* In a traffic policy each attribute is of one family, and tells nothing of a
 * client of the other. */
static enum answer
answer_v4(const struct condition *c, struct look *l, const char **found_r)
{
	const enum answer a = answer(c, l, found_r);

	return l->f->client.family == AF_INET ? a : ANSWER_UNKNOWN;
}

static enum answer
answer_v6(const struct condition *c, struct look *l, const char **found_r)
{
	const enum answer a = answer(c, l, found_r);

	return l->f->client.family == AF_INET6 ? a : ANSWER_UNKNOWN;
}

static void
words_of(const char *attribute, const struct condition *c, struct buf *out)
{
	const struct expression *x = c->of;
	const char *const *strings = x->values.items;

	buf_printf(out, "%s %s ", attribute, operator_words[x->how - 1]);
	for (size_t i = 0; i < x->values.n; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ", ", strings[i]);
}

static void
words(const struct condition *c, struct buf *out)
{
	words_of("SOURCE_IP", c, out);
}

static void
words_v4(const struct condition *c, struct buf *out)
{
	words_of("SENDER_IP", c, out);
}

static void
words_v6(const struct condition *c, struct buf *out)
{
	words_of("SENDER_IPV6", c, out);
}

const struct match match_ip = {
	.kind = { .key = "IpExpression", .shape = &shape_rule },
	.prepare = prepare, .answer = answer, .words = words,
};

const struct match match_sender_ip = {
	.kind = { .key = "IpExpression", .shape = &shape_v4 },
	.prepare = prepare, .answer = answer_v4, .words = words_v4,
};

const struct match match_sender_ipv6 = {
	.kind = { .key = "Ipv6Expression", .shape = &shape_v6 },
	.prepare = prepare, .answer = answer_v6, .words = words_v6,
};
