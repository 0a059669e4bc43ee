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

/*
 * A traffic policy denies at RCPT, each recipient by itself. But what an
 * analyzer found is known with the message only, and then a statement may
 * refuse one recipient and allow another: all its answers count.
 */
static bool
waits_for_message(const struct traffic *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t j = 0; j < t->statements[i].conditions_n; j++)
			if (t->statements[i].conditions[j].of_message)
				return true;
	return false;
}

static void
add_traffic(struct look *l, const struct traffic *t, struct buf *out)
{
	if (t == NULL || !waits_for_message(t))
		return;
	for (size_t i = 0; i < t->n; i++)
		add_answers(l, t->statements[i].conditions,
			    t->statements[i].conditions_n, out);
}

/*
 * Two recipients whose answers are equal so far match the same rules, since
 * all other conditions are of the message; and once a rule has replaced both,
 * they are the same. So the answers for the recipients as they come are
 * enough, up to the last rule that does something to the message.
 */
const char *
verdict_vector(const struct policy *p, const char *recipient, struct arena *a)
{
	const struct facts nothing = { .head = NULL };
	const struct rule_set *s = p->rule_set;
	struct look l;
	struct buf out;
	const char *vector;
	size_t n = 0;

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (touches_message(&s->rules[i]))
			n = i + 1;
	look_begin(&l, p, &nothing, a);
	look_at_recipients(&l, &recipient, 1);
	buf_init(&out, SIZE_MAX / 2);
	add_traffic(&l, p->traffic, &out);
	for (size_t i = 0; i < n; i++)
		if (counts(&s->rules[i]))
			add_answers(&l, s->rules[i].conditions,
				    s->rules[i].conditions_n, &out);
	vector = arena_strdup(a, out.data ? out.data : "");
	buf_free(&out);
	return vector;
}
