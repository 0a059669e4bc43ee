#include <config.h>

#include <stdio.h>
#include <string.h>

#include "snapshot-private.h"

#define LABELS_MAX ((size_t)4096)
#define UNNAMED 32

/* The counters of an ingress point's policies, by place in the documents. */
struct tally {
	struct counter **statements;	/* then the default, then the size */
	size_t statements_n;
	struct counter **rules;
	struct counter *(*actions)[SURVEY_ACTIONS_MAX];	/* by rule */
	size_t rules_n;
};

const char *const result_words[] = {
	[RESULT_ACCEPTED] = "accepted", [RESULT_REJECTED] = "rejected",
	[RESULT_TEMPFAILED] = "tempfailed", [RESULT_DROPPED] = "dropped",
	[RESULT_QUARANTINED] = "quarantined", NULL
};

const char *const refusal_words[] = {
	[REFUSAL_POLICY] = "policy", [REFUSAL_TLS] = "tls",
	[REFUSAL_SIZE] = "size", [REFUSAL_CLOSED] = "closed",
	[REFUSAL_IP_FILTER] = "ip_filter", [REFUSAL_SPLIT] = "split", NULL
};

/* By the ingress point's name and one more label. */
static struct counter *
by_word(enum metric m, const char *ingress, const char *label,
	const char *word)
{
	struct counter *c;
	struct buf labels;

	buf_init(&labels, LABELS_MAX);
	counter_labels(&labels, "ingress", ingress, label, word, NULL);
	c = counter_get(m, labels.data);
	buf_free(&labels);
	return c;
}

static struct histogram *
seconds_of(const char *ingress)
{
	struct histogram *h;
	struct buf labels;

	buf_init(&labels, LABELS_MAX);
	counter_labels(&labels, "ingress", ingress, NULL);
	h = histogram_get(METRIC_EOM_SECONDS, labels.data);
	buf_free(&labels);
	return h;
}

/* What a document calls itself, else the last part of its file's name. */
static const char *
name_of(const struct policy *p, enum policy_kind kind, const char *file)
{
	const char *name = policy_name(p, kind);

	return name ? name : strrchr(file, '/') + 1;
}

static struct counter *
statement(const struct ingress *g, const char *which, bool denies)
{
	struct counter *c;
	struct buf labels;

	buf_init(&labels, LABELS_MAX);
	counter_labels(&labels, "ingress", g->s->name, "policy",
		       name_of(g->traffic, POLICY_TRAFFIC,
			       g->s->traffic_policy),
		       "statement", which, "action", denies ? "DENY" : "ALLOW",
		       "mode", filter_modes[g->s->traffic_mode], NULL);
	c = counter_get(METRIC_STATEMENTS, labels.data);
	buf_free(&labels);
	return c;
}

static void
count_statements(struct ingress *g, struct tally *t, struct arena *a)
{
	const size_t n = survey_statements(g->traffic);
	char which[UNNAMED];

	t->statements_n = n;
	t->statements = arena_alloc(a, (n + 2) * sizeof(struct counter *));
	for (size_t i = 0; i < n; i++) {
		snprintf(which, sizeof(which), "%zu", i);
		t->statements[i] = statement(g, which,
					     survey_denies(g->traffic, i));
	}
	t->statements[n] = statement(g, "default",
				     survey_default_denies(g->traffic));
	t->statements[n + 1] = statement(g, "size", true);
}

static struct counter *
rule(const struct ingress *g, const char *name)
{
	struct counter *c;
	struct buf labels;

	buf_init(&labels, LABELS_MAX);
	counter_labels(&labels, "ingress", g->s->name, "rule_set",
		       name_of(g->rules, POLICY_RULE_SET, g->s->rule_set),
		       "rule", name, "mode",
		       filter_modes[g->s->rule_set_mode], NULL);
	c = counter_get(METRIC_RULES, labels.data);
	buf_free(&labels);
	return c;
}

static struct counter *
action(const struct ingress *g, const char *name)
{
	struct counter *c;
	struct buf labels;

	buf_init(&labels, LABELS_MAX);
	counter_labels(&labels, "ingress", g->s->name, "action", name, "mode",
		       filter_modes[g->s->rule_set_mode], NULL);
	c = counter_get(METRIC_ACTIONS, labels.data);
	buf_free(&labels);
	return c;
}

static void
count_rules(struct ingress *g, struct tally *t, struct arena *a)
{
	char unnamed[UNNAMED];

	t->rules_n = survey_rules(g->rules);
	t->rules = arena_alloc(a, (t->rules_n + 1) * sizeof(*t->rules));
	t->actions = arena_alloc(a, (t->rules_n + 1) * sizeof(*t->actions));
	for (size_t i = 0; i < t->rules_n; i++) {
		const char *name = survey_rule(g->rules, i);
		const struct action *actions;
		size_t n;

		snprintf(unnamed, sizeof(unnamed), "#%zu", i);
		t->rules[i] = rule(g, *name ? name : unnamed);
		actions = survey_actions(g->rules, i, &n);
		for (size_t k = 0; k < n; k++)
			t->actions[i][k] = action(g, action_name(&actions[k]));
	}
}

void
snapshot_make_counters(struct snapshot *s)
{
	struct arena *a = &s->settings.arena;

	for (size_t i = 0; i < s->n; i++) {
		struct ingress *g = &s->ingresses[i];
		const char *name = g->s->name;

		for (int k = 0; k < RESULTS; k++)
			g->results[k] = by_word(METRIC_MESSAGES, name,
						"result", result_words[k]);
		for (int k = 0; k < REFUSALS; k++)
			g->refusals[k] = by_word(METRIC_REFUSED, name,
						 "reason", refusal_words[k]);
		g->eom = seconds_of(name);
		g->tally = arena_alloc(a, sizeof(*g->tally));
		if (g->traffic != NULL)
			count_statements(g, g->tally, a);
		if (g->rules != NULL)
			count_rules(g, g->tally, a);
	}
}

const struct counter *
ingress_statement(const struct ingress *g, size_t index)
{
	return g->tally->statements[index];
}

const struct counter *
ingress_rule(const struct ingress *g, size_t index)
{
	return g->tally->rules[index];
}

void
ingress_count_traffic(const struct ingress *g,
		      const struct verdict_recipient *v)
{
	const struct tally *t = g->tally;
	size_t i = v->statement;

	if (t->statements == NULL)
		return;
	if (v->by == TRAFFIC_BY_DEFAULT)
		i = t->statements_n;
	else if (v->by == TRAFFIC_BY_SIZE)
		i = t->statements_n + 1;
	counter_add(t->statements[i], 1);
}

void
ingress_count_rules(const struct ingress *g, const struct verdict *v)
{
	const struct tally *t = g->tally;
	bool matched[SURVEY_RULES_MAX] = { false };
	bool done[SURVEY_RULES_MAX][SURVEY_ACTIONS_MAX] = { { false } };

	for (size_t i = 0; i < v->recipients_n; i++) {
		const struct verdict_recipient *r = &v->recipients[i];

		for (size_t k = 0; k < r->rules_n; k++)
			matched[r->rules[k].index] |= r->rules[k].matched;
		for (size_t k = 0; k < r->actions_n; k++)
			done[r->actions[k].rule_index][r->actions[k].index] =
				true;
	}
	for (size_t i = 0; i < t->rules_n; i++) {
		if (matched[i])
			counter_add(t->rules[i], 1);
		for (size_t k = 0; k < SURVEY_ACTIONS_MAX; k++)
			if (done[i][k])
				counter_add(t->actions[i][k], 1);
	}
}
