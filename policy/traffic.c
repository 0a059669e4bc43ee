/*
 * The traffic policy: CreateTrafficPolicy, GetTrafficPolicy.
 */
#include <config.h>

#include "policy-private.h"

struct traffic_statement {
	int action;	/* 1 ALLOW, 2 DENY */
	struct list conditions;	/* of struct choice */
};

struct traffic_document {
	const char *name;
	struct list statements;	/* of struct traffic_statement * */
	int default_action;
	const int64_t *size_max;
};

static const struct kind *const kinds[] = {
	&match_traffic_string.kind, &match_sender_ip.kind,
	&match_sender_ipv6.kind, &match_tls.kind, &match_traffic_boolean.kind,
	NULL
};

static const char *const action_words[] = { "ALLOW", "DENY", NULL };

static const struct shape shape_action = {
	.type = SHAPE_WORD, .what = "what to do", .words = action_words,
};
static const struct shape shape_condition = {
	.type = SHAPE_CHOICE, .what = "a condition", .kinds = kinds,
};
static const struct shape shape_conditions = {
	.type = SHAPE_LIST, .what = "conditions", .min = 1, .max = 10,
	.item = &shape_condition,
};
static const struct member statement_members[] = {
	{ .key = "Conditions", .shape = &shape_conditions, .required = true,
	  .offset = offsetof(struct traffic_statement, conditions) },
	{ .key = "Action", .shape = &shape_action, .required = true,
	  .offset = offsetof(struct traffic_statement, action) },
	{ .key = NULL }
};
static const struct shape shape_statement = {
	.type = SHAPE_STRUCT, .what = "a statement",
	.members = statement_members, .size = sizeof(struct traffic_statement),
};
static const struct shape shape_statements = {
	.type = SHAPE_LIST, .what = "statements", .max = 20,
	.item = &shape_statement,
};
static const struct shape shape_name = {
	.type = SHAPE_STRING, .what = "a traffic policy's name",
	.min = 3, .max = 63, .pattern = "[A-Za-z0-9_\\-]+",
};
static const struct shape shape_size = {
	.type = SHAPE_INTEGER, .what = "a number of bytes", .min = 1,
	.max = 2147483647,
};
static const struct member members[] = {
	{ .key = "TrafficPolicyName", .shape = &shape_name,
	  .offset = offsetof(struct traffic_document, name) },
	{ .key = "PolicyStatements", .shape = &shape_statements,
	  .required = true,
	  .offset = offsetof(struct traffic_document, statements) },
	{ .key = "DefaultAction", .shape = &shape_action, .required = true,
	  .offset = offsetof(struct traffic_document, default_action) },
	{ .key = "MaxMessageSizeBytes", .shape = &shape_size,
	  .offset = offsetof(struct traffic_document, size_max) },
	DOCUMENT_ANSWER("TrafficPolicyId"),
	DOCUMENT_ANSWER("TrafficPolicyArn"),
	DOCUMENT_ANSWER("CreatedTimestamp"),
	DOCUMENT_ANSWER("LastUpdatedTimestamp"),
	DOCUMENT_COMMON,
	{ .key = NULL }
};
static const struct shape shape_traffic = {
	.type = SHAPE_STRUCT, .what = "a traffic policy", .members = members,
	.size = sizeof(struct traffic_document),
};

static void
take_statement(struct policy *p, struct arena *a,
	       const struct traffic_statement *x, struct statement *s)
{
	s->deny = x->action == 2;
	s->conditions_n = x->conditions.n;
	s->conditions = arena_alloc(a, s->conditions_n *
				    sizeof(*s->conditions));
	policy_take_conditions(p, a, &x->conditions, false, s->conditions);
}

/* All that deny come first, whatever their place. */
static void
put_in_order(struct traffic *t, struct arena *a)
{
	size_t n = 0;

	t->order = arena_alloc(a, t->n * sizeof(*t->order));
	for (size_t i = 0; i < t->n; i++)
		if (t->statements[i].deny)
			t->order[n++] = &t->statements[i];
	for (size_t i = 0; i < t->n; i++)
		if (!t->statements[i].deny)
			t->order[n++] = &t->statements[i];
}

static void
take(struct policy *p, struct document *d)
{
	const struct traffic_document *x = d->of;
	struct traffic_statement *const *statements = x->statements.items;
	struct traffic *t = arena_alloc(&d->arena, sizeof(*t));

	t->name = x->name;
	t->default_deny = x->default_action == 2;
	t->size_max = x->size_max ? *x->size_max : 0;
	t->n = x->statements.n;
	t->statements = arena_alloc(&d->arena, t->n * sizeof(*t->statements));
	for (size_t i = 0; i < t->n; i++)
		take_statement(p, &d->arena, statements[i], &t->statements[i]);
	put_in_order(t, &d->arena);
	p->traffic = t;
}

static void
explain(const struct policy *p, const struct document *d, struct buf *out)
{
	const struct traffic *t = p->traffic;

	(void)d;
	buf_printf(out, "Traffic policy%s%s, for each recipient; the first "
		   "statement that matches decides:\n", t->name ? " " : "",
		   t->name ? t->name : "");
	for (size_t i = 0; i < t->n; i++) {
		const struct statement *s = t->order[i];

		buf_printf(out, "  PolicyStatements[%td] %s if ",
			   s - t->statements, s->deny ? "DENY" : "ALLOW");
		policy_words_conditions(s->conditions, s->conditions_n, out);
		buf_add(out, "\n", 1);
	}
	buf_printf(out, "  otherwise %s\n", t->default_deny ? "DENY" :
		   "ALLOW");
	if (t->size_max > 0)
		buf_printf(out, "  DENY what is allowed and larger than %lld "
			   "bytes\n", (long long)t->size_max);
}

static const char *const tells[] = {
	"PolicyStatements", "DefaultAction", "TrafficPolicyName", NULL
};

const struct document_kind document_traffic = {
	.kind = POLICY_TRAFFIC, .what = "a traffic policy", .tells = tells,
	.shape = &shape_traffic, .single = true, .take = take,
	.explain = explain,
};
