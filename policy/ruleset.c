/*
 * The rule set: CreateRuleSet, GetRuleSet.
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>

#include "policy-private.h"

/* Relay and Send together, in all rules (SES quotas). */
#define HAND_ON_MAX 10

struct rule_document {
	const char *name;
	struct list conditions, unless, actions;	/* of struct choice */
};

struct ruleset_document {
	const char *name;
	struct list rules;	/* of struct rule_document * */
};

static const struct kind *const kinds[] = {
	&match_boolean.kind, &match_string.kind, &match_number.kind,
	&match_ip.kind, &match_verdict.kind, &match_dmarc.kind,
	&match_header.kind, &match_auth.kind, NULL
};

static const struct shape shape_condition = {
	.type = SHAPE_CHOICE, .what = "a condition", .kinds = kinds,
};
static const struct shape shape_conditions = {
	.type = SHAPE_LIST, .what = "conditions", .max = 10,
	.item = &shape_condition,
};
static const struct shape shape_rule_name = {
	.type = SHAPE_STRING, .what = "a rule's name", .min = 1, .max = 32,
	.pattern = "[a-zA-Z0-9_.-]+",
};
static const struct member rule_members[] = {
	{ .key = "Name", .shape = &shape_rule_name,
	  .offset = offsetof(struct rule_document, name) },
	{ .key = "Conditions", .shape = &shape_conditions,
	  .offset = offsetof(struct rule_document, conditions) },
	{ .key = "Unless", .shape = &shape_conditions,
	  .offset = offsetof(struct rule_document, unless) },
	{ .key = "Actions", .shape = &shape_actions, .required = true,
	  .offset = offsetof(struct rule_document, actions) },
	{ .key = NULL }
};
static const struct shape shape_rule = {
	.type = SHAPE_STRUCT, .what = "a rule", .members = rule_members,
	.size = sizeof(struct rule_document),
};
static const struct shape shape_rules = {
	.type = SHAPE_LIST, .what = "rules", .max = 40, .item = &shape_rule,
};
static const struct shape shape_name = {
	.type = SHAPE_STRING, .what = "a rule set's name", .min = 1,
	.max = 100, .pattern = "[a-zA-Z0-9_.-]+",
};
static const struct member members[] = {
	{ .key = "RuleSetName", .shape = &shape_name,
	  .offset = offsetof(struct ruleset_document, name) },
	{ .key = "Rules", .shape = &shape_rules, .required = true,
	  .offset = offsetof(struct ruleset_document, rules) },
	DOCUMENT_ANSWER("RuleSetId"),
	DOCUMENT_ANSWER("RuleSetArn"),
	DOCUMENT_ANSWER("CreatedDate"),
	DOCUMENT_ANSWER("LastModificationDate"),
	DOCUMENT_COMMON,
	{ .key = NULL }
};

static void
check(struct reader *r, const struct place *at, void *value)
{
	const struct ruleset_document *x = value;
	struct rule_document *const *rules = x->rules.items;
	const struct place place = { .up = at, .key = "Rules" };
	char found[32];
	size_t n = 0;

	for (size_t i = 0; i < x->rules.n; i++) {
		const struct choice *actions = rules[i]->actions.items;

		for (size_t j = 0; j < rules[i]->actions.n; j++)
			n += actions[j].kind == &action_relay.kind ||
				actions[j].kind == &action_send.kind;
	}
	snprintf(found, sizeof(found), "%zu", n);
	if (n > HAND_ON_MAX)
		document_mistake(r, &place, found,
				 "at most %d Relay and Send actions",
				 HAND_ON_MAX);
}

static const struct shape shape_ruleset = {
	.type = SHAPE_STRUCT, .what = "a rule set", .members = members,
	.size = sizeof(struct ruleset_document), .check = check,
};

static void
take_rule(struct policy *p, struct arena *a, const struct rule_document *x,
	  struct rule *r)
{
	const struct choice *actions = x->actions.items;

	r->name = x->name ? x->name : "";
	r->conditions_n = x->conditions.n + x->unless.n;
	r->conditions = arena_alloc(a, r->conditions_n *
				    sizeof(*r->conditions));
	policy_take_conditions(p, a, &x->conditions, false, r->conditions);
	policy_take_conditions(p, a, &x->unless, true,
			       r->conditions + x->conditions.n);
	r->actions_n = x->actions.n;
	r->actions = arena_alloc(a, r->actions_n * sizeof(*r->actions));
	r->action_names = arena_alloc(a, r->actions_n *
				      sizeof(*r->action_names));
	for (size_t i = 0; i < r->actions_n; i++) {
		r->actions[i].kind = (const struct action_kind *)
			actions[i].kind;
		r->actions[i].of = actions[i].value;
		r->action_names[i] = actions[i].kind->key;
	}
}

static void
take(struct policy *p, struct document *d)
{
	const struct ruleset_document *x = d->of;
	struct rule_document *const *rules = x->rules.items;
	struct rule_set *s = arena_alloc(&d->arena, sizeof(*s));

	s->name = x->name;
	s->n = x->rules.n;
	s->rules = arena_alloc(&d->arena, s->n * sizeof(*s->rules));
	for (size_t i = 0; i < s->n; i++)
		take_rule(p, &d->arena, rules[i], &s->rules[i]);
	p->rule_set = s;
}

/* `Relay (Relay "r-1", MailFrom "PRESERVE")` */
static void
explain_action(const struct action *x, struct buf *out)
{
	struct buf words;

	buf_init(&words, SIZE_MAX / 2);
	document_words(x->kind->kind.shape, x->of, &words);
	buf_printf(out, "%s", action_name(x));
	if (words.len > 0) {
		buf_add(out, " (", 2);
		buf_add(out, words.data, words.len);
		buf_add(out, ")", 1);
	}
	buf_free(&words);
}

static void
explain_rule(const struct rule *r, size_t index, struct buf *out)
{
	buf_printf(out, "  Rules[%zu] ", index);
	if (*r->name != '\0')
		buf_printf(out, "\"%s\" ", r->name);
	if (r->conditions_n == 0)
		buf_printf(out, "always");
	else {
		buf_printf(out, "%s", r->conditions->unless ? "always " :
			   "if ");
		policy_words_conditions(r->conditions, r->conditions_n, out);
	}
	for (size_t i = 0; i < r->actions_n; i++) {
		buf_printf(out, "%s", i == 0 ? ": " : "; ");
		explain_action(&r->actions[i], out);
	}
	buf_add(out, "\n", 1);
}

static void
explain(const struct policy *p, const struct document *d, struct buf *out)
{
	const struct rule_set *s = p->rule_set;

	(void)d;
	buf_printf(out, "Rule set%s%s, for each recipient, in this order:\n",
		   s->name ? " " : "", s->name ? s->name : "");
	for (size_t i = 0; i < s->n; i++)
		explain_rule(&s->rules[i], i, out);
	if (s->n == 0)
		buf_printf(out, "  no rules: all mail is accepted\n");
}

static const char *const tells[] = { "Rules", "RuleSetName", NULL };

const struct document_kind document_rule_set = {
	.kind = POLICY_RULE_SET, .what = "a rule set", .tells = tells,
	.shape = &shape_ruleset, .single = true, .take = take,
	.explain = explain,
};
