#include <config.h>

#include "policy-private.h"
#include "verdict.h"

/* What is done to the message as a whole depends on it: an action on the
 * message, or one after which the recipient takes another way to the next. */
static bool
counts(const struct rule *r)
{
	for (size_t i = 0; i < r->actions_n; i++)
		if (action_is_per_message(&r->actions[i]) ||
		    action_ends(&r->actions[i]) ||
		    r->actions[i].kind->effect == EFFECT_REPLACE)
			return true;
	return false;
}

static bool
touches_message(const struct rule *r)
{
	for (size_t i = 0; i < r->actions_n; i++)
		if (action_is_per_message(&r->actions[i]))
			return true;
	return false;
}

static void
add_answers(struct look *l, const struct condition *c, size_t n,
	    struct buf *out)
{
	const char *found;

	for (size_t i = 0; i < n; i++)
		if (c[i].by_recipient)
			buf_add(out, c[i].match->answer(&c[i], l, &found) ==
				ANSWER_YES ? "1" : "0", 1);
}

static void
add_traffic(struct look *l, const struct traffic *t, struct buf *out)
{
	for (size_t i = 0; t != NULL && i < t->n; i++)
		add_answers(l, t->statements[i].conditions,
			    t->statements[i].conditions_n, out);
}

/*
 * Two recipients whose answers are equal so far match the same rules, since
 * all other conditions are of the message; and once a rule has replaced both,
 * they are the same. So the answers for the recipients as they come are
 * enough, up to the last rule that does something to the message.
 */
static void
add_rules(struct look *l, const struct rule_set *s, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (touches_message(&s->rules[i]))
			n = i + 1;
	for (size_t i = 0; i < n; i++)
		if (counts(&s->rules[i]))
			add_answers(l, s->rules[i].conditions,
				    s->rules[i].conditions_n, out);
}

const char *
verdict_vector(const struct policy *p, const char *recipient, int flags,
	       struct arena *a)
{
	const struct facts nothing = { .head = NULL };
	struct look l;
	struct buf out;
	const char *vector;

	look_begin(&l, p, &nothing, a);
	look_at_recipients(&l, &recipient, 1);
	buf_init(&out, SIZE_MAX / 2);
	/* A refusal is final at RCPT, but for what waits for the message. */
	if ((flags & VERDICT_TRAFFIC) || policy_asks_analysis(p))
		add_traffic(&l, p->traffic, &out);
	if (!(flags & VERDICT_TRAFFIC))
		add_rules(&l, p->rule_set, &out);
	vector = arena_strdup(a, out.data ? out.data : "");
	buf_free(&out);
	return vector;
}
