/*
 * What a plan does to the header: fields that go, fields that come, our tag.
 */
#include <config.h>

#include <string.h>
#include <strings.h>

#include "plan-private.h"
#include "policy/action.h"
#include "tag.h"

void
plan_tag(struct message *m, const char *failure, struct plan *p)
{
	const struct tag t = {
		.relayed = m->relayed,
		.ingress = m->ingress->s->name,
		.rules = p->rules,
		.rules_n = p->rules_n,
		.failure = failure,
	};

	p->tag = tag_value(&t, &m->memory);
}

static void
add_removals(struct plan *p, const char *name, unsigned n)
{
	for (; n > 0; n--)
		p->removals[p->removals_n++] = (struct plan_removal){ name, n };
}

static bool
is_results(const char *name)
{
	return strcasecmp(name, "Authentication-Results") == 0;
}

/* Names of headers that a rule removes, each once; the tag is ours anyway. */
static size_t
names_removed(const struct plan_actions *x, const char **names)
{
	size_t n = 0, k;

	for (size_t i = 0; i < x->n; i++) {
		const struct action *a = x->all[i]->action;
		const struct action_header *h = a->of;

		if (a->kind != &action_remove_header ||
		    tag_is_name(h->name))
			continue;
		for (k = 0; k < n && strcasecmp(names[k], h->name) != 0; k++)
			;
		if (k == n)
			names[n++] = h->name;
	}
	return n;
}

void
plan_removals(struct message *m, const struct plan_actions *x, struct plan *p)
{
	const char **names = arena_alloc(&m->memory,
					 (x->n + 1) * sizeof(*names));
	const size_t n = names_removed(x, names);
	size_t room = m->tags + m->forged_n;
	bool all_results = false;

	for (size_t i = 0; i < n; i++)
		room += message_count(m, names[i]);
	if (room == 0)
		return;
	p->removals = arena_alloc(&m->memory, room * sizeof(*p->removals));
	add_removals(p, TAG_NAME, m->tags);
	for (size_t i = 0; i < n; i++) {
		all_results |= is_results(names[i]);
		add_removals(p, names[i], message_count(m, names[i]));
	}
	for (size_t i = m->forged_n; i > 0 && !all_results; i--)
		p->removals[p->removals_n++] = (struct plan_removal){
			"Authentication-Results",
			m->forged[i - 1],
		};
}

/* What a later rule removes is not added. */
static bool
is_removed(const struct plan_actions *x, size_t from, const char *name)
{
	for (size_t i = from; i < x->n; i++) {
		const struct action *a = x->all[i]->action;

		if (a->kind == &action_remove_header &&
		    strcasecmp(((const struct action_header *)a->of)->name,
			       name) == 0)
			return true;
	}
	return false;
}

bool
plan_fields(struct message *m, const struct plan_actions *x, struct plan *p)
{
	p->fields = arena_alloc(&m->memory, x->n * sizeof(*p->fields));
	for (size_t i = 0; i < x->n; i++) {
		const struct action *a = x->all[i]->action;
		const struct action_header *h = a->of;
		struct plan_field *f = &p->fields[p->fields_n];

		if (a->kind != &action_add_header ||
		    tag_is_name(h->name) ||
		    is_removed(x, i + 1, h->name))
			continue;
		f->name = h->name;
		f->value = tag_header(h->value, strlen(h->name), &m->memory);
		if (f->value == NULL)
			return false;
		p->fields_n++;
	}
	return true;
}
