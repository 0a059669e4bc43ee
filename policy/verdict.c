#include <config.h>

#include <string.h>

#include "policy-private.h"
#include "verdict.h"

#define TRAIL_TEXT_MAX ((size_t)65536)

/* Room of one message for the steps of one recipient: what VERDICT_BRIEF
 * keeps of them is copied. */
struct room {
	struct trail_step *steps;
	struct verdict_action *actions;
};

/* One recipient on its way through the rules. */
struct course {
	struct look *l;
	struct verdict_recipient *r;
	const struct room *room;
	struct verdict_action *actions;
	int flags;
	bool handed_on, ended;
};

/* What does not ask for the recipient is asked for once. */
static enum answer
ask(struct look *l, const struct condition *c, const char **found_r)
{
	struct look_known *k = &l->known[c->id];

	if (c->by_recipient)
		return c->match->answer(c, l, found_r);
	if (!k->is) {
		k->answer = c->match->answer(c, l, &k->found);
		k->is = true;
	}
	*found_r = k->found;
	return k->answer;
}

static bool
holds(struct look *l, const struct condition *c, size_t n)
{
	const char *found;

	for (size_t i = 0; i < n; i++)
		if ((ask(l, &c[i], &found) == ANSWER_YES) == c[i].unless)
			return false;
	return true;
}

/* All that stand in Conditions hold, and none of Unless. */
static void
evaluate(struct look *l, const struct condition *c, size_t n, int flags,
	 struct trail_step *s)
{
	if (flags & VERDICT_BRIEF) {
		s->matched = holds(l, c, n);
		return;
	}
	s->matched = true;
	s->conditions = arena_alloc(l->a, n * sizeof(*s->conditions));
	for (size_t i = 0; i < n; i++) {
		struct trail_condition *t = &s->conditions[i];

		t->condition = &c[i];
		t->unless = c[i].unless;
		t->answer = ask(l, &c[i], &t->found);
		s->conditions_n = i + 1;
		if ((t->answer == ANSWER_YES) == t->unless) {
			s->matched = false;
			if (!(flags & VERDICT_FULL))
				return;
		}
	}
}

/* Where the next step is written: in brief, what did not match makes room for
 * it. */
static struct trail_step *
next_step(const struct course *c, struct trail_step *steps, size_t *n)
{
	if ((c->flags & VERDICT_BRIEF) && *n > 0 && !steps[*n - 1].matched)
		--*n;
	steps[*n] = (struct trail_step){ .index = 0 };
	return &steps[(*n)++];
}

/* The steps that stay, as they are or as a copy without the rest. */
static struct trail_step *
keep_steps(const struct course *c, struct trail_step *steps, size_t *n)
{
	struct trail_step *kept;

	if (!(c->flags & VERDICT_BRIEF))
		return steps;
	if (*n > 0 && !steps[*n - 1].matched)
		--*n;
	if (*n == 0)
		return NULL;
	kept = arena_alloc(c->l->a, *n * sizeof(*kept));
	memcpy(kept, steps, *n * sizeof(*kept));
	return kept;
}

/* Room for n of size bytes: the message's own in brief. */
static void *
take_room(const struct course *c, void *shared, size_t n, size_t size)
{
	return (c->flags & VERDICT_BRIEF) ? shared :
		arena_alloc(c->l->a, n * size);
}

static bool
too_large(const struct traffic *t, const struct facts *f)
{
	return f->head != NULL && t->size_max > 0 &&
		f->size > (uint64_t)t->size_max;
}

static void
pass_traffic(struct course *c, const struct traffic *t)
{
	static const char *const names[] = { "ALLOW", "DENY" };
	struct verdict_recipient *r = c->r;
	struct trail_step *steps = take_room(c, c->room->steps, t->n,
					     sizeof(*steps));

	r->allowed = !t->default_deny;
	for (size_t i = 0; i < t->n && r->by == TRAFFIC_BY_DEFAULT; i++) {
		const struct statement *s = t->order[i];
		struct trail_step *step = next_step(c, steps,
						    &r->statements_n);

		step->index = (size_t)(s - t->statements);
		step->actions = &names[s->deny];
		step->actions_n = 1;
		evaluate(c->l, s->conditions, s->conditions_n, c->flags, step);
		if (step->matched) {
			r->by = TRAFFIC_BY_STATEMENT;
			r->statement = step->index;
			r->allowed = !s->deny;
		}
	}
	r->statements = keep_steps(c, steps, &r->statements_n);
	if (r->allowed && too_large(t, c->l->f)) {
		r->by = TRAFFIC_BY_SIZE;
		r->allowed = false;
	}
}

static void
replace(struct course *c, const struct action *x)
{
	const struct list *with = &((const struct action_replace *)x->of)->with;

	c->r->after = with->items;
	c->r->after_n = with->n;
	look_at_recipients(c->l, c->r->after, c->r->after_n);
}

static void
take_effect(struct course *c, const struct action *x)
{
	struct verdict_recipient *r = c->r;

	switch (x->kind->effect) {
	case EFFECT_COPY:
	case EFFECT_MESSAGE:
	case EFFECT_STOP:
		break;
	case EFFECT_HAND_ON:
		c->handed_on = true;
		break;
	case EFFECT_REPLACE:
		replace(c, x);
		break;
	case EFFECT_QUARANTINE:
		r->disposition = DISPOSITION_QUARANTINE;
		break;
	case EFFECT_DROP:
		r->disposition = DISPOSITION_DROP;
		break;
	case EFFECT_REJECT:
		r->disposition = DISPOSITION_REJECT;
		break;
	case EFFECT_TEMPFAIL:
		r->disposition = DISPOSITION_TEMPFAIL;
	}
	c->ended = action_ends(x);
}

static void
act(struct course *c, const struct rule *rule, struct trail_step *step)
{
	struct verdict_recipient *r = c->r;

	step->actions = rule->action_names;
	for (size_t i = 0; i < rule->actions_n && !c->ended; i++) {
		c->actions[r->actions_n++] = (struct verdict_action){
			.action = &rule->actions[i], .rule = rule->name,
			.rule_index = step->index, .index = i,
		};
		step->actions_n = i + 1;
		take_effect(c, &rule->actions[i]);
	}
}

static size_t
most_actions(const struct rule_set *s)
{
	size_t most = 0;

	for (size_t i = 0; s != NULL && i < s->n; i++)
		most += s->rules[i].actions_n;
	return most;
}

static const struct verdict_action *
keep_actions(const struct course *c, size_t n)
{
	struct verdict_action *kept;

	if (n == 0 || !(c->flags & VERDICT_BRIEF))
		return n > 0 ? c->actions : NULL;
	kept = arena_alloc(c->l->a, n * sizeof(*kept));
	memcpy(kept, c->actions, n * sizeof(*kept));
	return kept;
}

static void
pass_rules(struct course *c, const struct rule_set *s)
{
	struct verdict_recipient *r = c->r;
	struct trail_step *steps = take_room(c, c->room->steps, s->n,
					     sizeof(*steps));

	c->actions = take_room(c, c->room->actions, most_actions(s),
			       sizeof(*c->actions));
	for (size_t i = 0; i < s->n && !c->ended; i++) {
		const struct rule *rule = &s->rules[i];
		struct trail_step *step = next_step(c, steps, &r->rules_n);

		step->name = rule->name;
		step->index = i;
		evaluate(c->l, rule->conditions, rule->conditions_n, c->flags,
			 step);
		if (step->matched)
			act(c, rule, step);
	}
	r->rules = keep_steps(c, steps, &r->rules_n);
	r->actions = keep_actions(c, r->actions_n);
}

static void
judge(struct look *l, const char *const *recipient, int flags,
      const struct room *room, struct verdict_recipient *r)
{
	struct course c = { .l = l, .r = r, .flags = flags, .room = room };

	r->recipient = *recipient;
	r->allowed = true;
	r->by = TRAFFIC_BY_DEFAULT;
	r->after = recipient;
	r->after_n = 1;
	look_at_recipients(l, recipient, 1);
	if (l->p->traffic != NULL)
		pass_traffic(&c, l->p->traffic);
	if (!r->allowed)
		r->disposition = DISPOSITION_REJECT;
	else if (l->p->rule_set != NULL && !(flags & VERDICT_TRAFFIC))
		pass_rules(&c, l->p->rule_set);
	r->reached = r->after;
	r->reached_n = r->after_n;
	if (c.handed_on || (r->disposition != DISPOSITION_ACCEPT &&
			    r->disposition != DISPOSITION_QUARANTINE))
		r->after_n = 0;
}

static void
make_room(const struct policy *p, struct room *room_r, struct arena *a)
{
	const size_t statements = p->traffic ? p->traffic->n : 0;
	const size_t rules = p->rule_set ? p->rule_set->n : 0;
	const size_t n = statements > rules ? statements : rules;

	room_r->steps = arena_alloc(a, n * sizeof(*room_r->steps));
	room_r->actions = arena_alloc(a, most_actions(p->rule_set) *
				      sizeof(*room_r->actions));
}

void
verdict_make(const struct policy *p, const struct facts *f, int flags,
	     struct verdict *v_r, struct arena *a)
{
	struct room room = { NULL, NULL };
	struct look l;

	if (flags & VERDICT_BRIEF)
		make_room(p, &room, a);
	look_begin(&l, p, f, a);
	*v_r = (struct verdict){
		.recipients_n = f->recipients_n,
		.limits = f->head != NULL && f->head->limits,
	};
	v_r->recipients = arena_alloc(a, f->recipients_n *
				      sizeof(*v_r->recipients));
	for (size_t i = 0; i < f->recipients_n; i++)
		judge(&l, &f->recipients[i], flags, &room,
		      &v_r->recipients[i]);
}

void
verdict_missing_targets(const struct policy *p, const struct verdict *v,
			struct buf *lines)
{
	for (size_t i = 0; i < v->recipients_n; i++)
		for (size_t j = 0; j < v->recipients[i].actions_n; j++)
			policy_missing_action(
				p, v->recipients[i].actions[j].action, lines);
}

const char *
trail_text(const struct trail_condition *t, struct arena *a)
{
	struct buf out;
	const char *text;

	buf_init(&out, TRAIL_TEXT_MAX);
	t->condition->match->words(t->condition, &out);
	text = arena_strdup(a, out.data ? out.data : "");
	buf_free(&out);
	return text;
}
