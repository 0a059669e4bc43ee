#include <config.h>

#include <string.h>

#include "plan-private.h"
#include "policy/action.h"

#define HOLD_MAX 500 /* bytes */

static void
plan_hold(struct message *m, const struct plan_actions *x, struct plan *p)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct verdict_action *v = x->all[i];
		const struct action_quarantine *q = v->action->of;

		if (v->action->kind != &action_quarantine)
			continue;
		p->result = RESULT_QUARANTINED;
		p->hold = q->reason != NULL
			? q->reason
			: arena_printf(&m->memory, "fallbackmx: rule %zu %s",
				       v->rule_index, v->rule);
		if (strlen(p->hold) > HOLD_MAX)
			p->hold = arena_strndup(&m->memory, p->hold, HOLD_MAX);
		return;
	}
}

static void
answer_later(enum trouble t, struct plan *p)
{
	p->result = RESULT_TEMPFAILED;
	reply_set(&p->reply, "451", t == TROUBLE_OVERLOAD ? "4.3.2" : "4.3.0",
		  t == TROUBLE_OVERLOAD
			  ? "Too busy now, please try again later"
			  : "Temporary failure, please try again later");
}

void
plan_fail(struct message *m, enum trouble t, const char *why, struct plan *p)
{
	const struct plan_actions none = { NULL, 0 };

	*p = (struct plan){ .trouble = (int)t, .why = why };
	switch ((enum trouble_answer)m->snapshot->settings.on_failure[t]) {
	case TROUBLE_ACCEPT:
		p->result = RESULT_ACCEPTED;
		plan_removals(m, &none, p);
		plan_tag(m, trouble_words[t], p);
		return;
	case TROUBLE_REJECT:
		p->result = RESULT_REJECTED;
		reply_set(&p->reply, "552", "5.3.4",
			  "Message header is too large");
		return;
	case TROUBLE_TEMPFAIL:
		break;
	}
	answer_later(t, p);
}

/* Accepted, it might have lost who went and not got who comes. */
void
plan_fail_edit(struct message *m, const char *why, struct plan *p)
{
	const bool moves = p->gone_n > 0 || p->come_n > 0;

	plan_fail(m, TROUBLE_EDIT, why, p);
	if (moves && p->result == RESULT_ACCEPTED)
		answer_later(TROUBLE_EDIT, p);
}

void
plan_not_archived(struct message *m, bool required, enum plan_store how,
		  struct plan *p)
{
	static const struct {
		enum result result;
		const char *why, *code, *status, *text;
	} rows[] = {
		[PLAN_LATER] = { RESULT_TEMPFAILED,
			"cannot archive (the line before says why)",
			"451", "4.3.0",
			"Temporary failure, please try again later" },
		[PLAN_FULL] = { RESULT_TEMPFAILED, "no room for the archive",
			"452", "4.3.1", "Insufficient system storage" },
		[PLAN_NEVER] = { RESULT_REJECTED, "too large for the archive",
			"552", "5.3.4", "Message too big for the archive" },
	};

	if (!required) {
		if (p->tag != NULL)
			plan_tag(m, trouble_words[TROUBLE_ARCHIVE], p);
		p->trouble = TROUBLE_ARCHIVE;
		p->why = rows[how].why;
		return;
	}
	*p = (struct plan){ .result = rows[how].result,
			    .trouble = TROUBLE_ARCHIVE,
			    .why = rows[how].why,
			    .archived = p->archived,
			    .archived_n = p->archived_n };
	reply_set(&p->reply, rows[how].code, rows[how].status,
		  rows[how].text);
}

void
plan_refuse_size(struct message *m, struct plan *p)
{
	(void)m;
	*p = (struct plan){ .result = RESULT_REJECTED,
			    .trouble = -1,
			    .because = refusal_words[REFUSAL_SIZE] };
	ingress_refuse_size(&p->reply);
}

bool
plan_is_flood(const struct message *m)
{
	return m->flood || m->tags > MESSAGE_FORGED_MAX;
}

void
plan_refuse_flood(struct message *m, struct plan *p)
{
	(void)m;
	*p = (struct plan){
		.result = RESULT_REJECTED,
		.trouble = TROUBLE_LIMITS,
		.why = "more fields than can be removed",
	};
	reply_set(&p->reply, "552", "5.3.4", "Message header is too large");
}

void
plan_refuse_client(struct message *m, const struct reply *reply, struct plan *p)
{
	(void)m;
	*p = (struct plan){ .result = RESULT_REJECTED,
			    .trouble = -1,
			    .because = refusal_words[REFUSAL_IP_FILTER],
			    .reply = *reply };
}

/* Taken, the mail would go to who was dropped or replaced, too. */
static void
plan_refuse_address(struct plan *p)
{
	*p = (struct plan){ .result = RESULT_REJECTED,
			    .trouble = -1,
			    .because = "address",
			    .rules = p->rules,
			    .rules_n = p->rules_n };
	reply_set(&p->reply, "553", "5.1.3",
		  "Recipient with a source route inside of its address");
}

/* The action that said so is the last one. */
static void
answer_action(const struct verdict_recipient *r, const char *code,
	      const char *status, const char *text, struct plan *p)
{
	const struct action_refuse *x = r->actions_n > 0
		? r->actions[r->actions_n - 1].action->of
		: NULL;

	if (x != NULL && x->reply != NULL)
		code = x->reply;
	if (x != NULL && x->status != NULL)
		status = x->status;
	if (x != NULL && x->message != NULL &&
	    x->message[strspn(x->message, "\r\n\t ")] != '\0')
		text = x->message;
	else if (x != NULL && x->diagnostic != NULL)
		text = x->diagnostic;
	reply_set(&p->reply, code, status, text);
	p->result = reply_is_permanent(&p->reply) ? RESULT_REJECTED
						  : RESULT_TEMPFAILED;
}

static void
answer_reject(const struct message *m, const struct verdict_recipient *r,
	      struct plan *p)
{
	const bool size = r->by == TRAFFIC_BY_SIZE;

	p->result = RESULT_REJECTED;
	if (r->allowed) {
		answer_action(r, NULL, NULL, "Message refused", p);
		return;
	}
	p->because = refusal_words[size ? REFUSAL_SIZE : REFUSAL_POLICY];
	if (size)
		ingress_refuse_size(&p->reply);
	else
		reply_set(&p->reply, "550", "5.7.1", m->ingress->s->deny_text);
}

/* How many recipients came to it; *first_r is the first of them. */
static size_t
count(const struct verdict *v, enum disposition d,
      const struct verdict_recipient **first_r)
{
	size_t n = 0;

	*first_r = NULL;
	for (size_t i = 0; i < v->recipients_n; i++)
		if (v->recipients[i].disposition == d) {
			if (n++ == 0)
				*first_r = &v->recipients[i];
		}
	return n;
}

/* True: that is all that is to be done. */
static bool
plan_answer(struct message *m, const struct verdict *v, struct plan *p)
{
	const struct verdict_recipient *first;
	size_t n;

	if (count(v, DISPOSITION_TEMPFAIL, &first) > 0) {
		answer_action(first, "451", "4.7.1", "Please try again later",
			      p);
		return true;
	}
	n = count(v, DISPOSITION_REJECT, &first);
	if (n > 0 && n == v->recipients_n) {
		answer_reject(m, first, p);
		return true;
	}
	if (n > 0) {
		plan_fail(m, TROUBLE_INTERNAL,
			  "some recipients are refused "
			  "and others are not",
			  p);
		return true;
	}
	n = count(v, DISPOSITION_DROP, &first);
	if (n > 0 && n == v->recipients_n) {
		p->result = RESULT_DROPPED;
		return true;
	}
	return false;
}

/* The actions of all recipients, each once, in the order of the rules. Sizes
 * are those of one rule set. */
static void
collect_actions(struct message *m, const struct verdict *v,
		struct plan_actions *x)
{
	const struct verdict_action **table;
	size_t rules = 0, width = 0;

	*x = (struct plan_actions){ NULL, 0 };
	for (size_t i = 0; i < v->recipients_n; i++)
		for (size_t k = 0; k < v->recipients[i].actions_n; k++) {
			const struct verdict_action *a =
				&v->recipients[i].actions[k];

			rules = a->rule_index >= rules ? a->rule_index + 1
						       : rules;
			width = a->index >= width ? a->index + 1 : width;
		}
	if (rules == 0)
		return;
	table = arena_alloc(&m->memory, rules * width * sizeof(*table));
	for (size_t i = 0; i < v->recipients_n; i++)
		for (size_t k = 0; k < v->recipients[i].actions_n; k++) {
			const struct verdict_action *a =
				&v->recipients[i].actions[k];

			table[a->rule_index * width + a->index] = a;
		}
	for (size_t i = 0; i < rules * width; i++)
		if (table[i] != NULL)
			table[x->n++] = table[i];
	x->all = table;
}

static size_t
rules_reached(const struct verdict *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->recipients_n; i++) {
		const struct verdict_recipient *r = &v->recipients[i];

		if (r->rules_n > 0 && r->rules[r->rules_n - 1].index >= n)
			n = r->rules[r->rules_n - 1].index + 1;
	}
	return n;
}

const char *const *
plan_rules(const struct verdict *v, size_t *n_r, struct arena *a)
{
	const size_t n = rules_reached(v);
	const char **names = arena_alloc(a, (n + 1) * sizeof(*names));

	*n_r = 0;
	for (size_t i = 0; i < v->recipients_n; i++)
		for (size_t k = 0; k < v->recipients[i].rules_n; k++) {
			const struct trail_step *s = &v->recipients[i].rules[k];

			if (s->matched && names[s->index] == NULL)
				names[s->index] = *s->name != '\0'
					? s->name
					: arena_printf(a, "#%zu", s->index);
		}
	for (size_t i = 0; i < n; i++)
		if (names[i] != NULL)
			names[(*n_r)++] = names[i];
	return names;
}

static void
plan_edits(struct message *m, const struct verdict *v, bool limits,
	   struct plan *p)
{
	struct plan_actions x;

	collect_actions(m, v, &x);
	plan_removals(m, &x, p);
	if (p->removals_n > MESSAGE_FORGED_MAX) {
		plan_refuse_flood(m, p);
		return;
	}
	if (!plan_fields(m, &x, p)) {
		plan_fail(m, TROUBLE_INTERNAL,
			  "a header's value cannot be "
			  "written",
			  p);
		return;
	}
	if (!plan_envelope(m, v, p)) {
		plan_refuse_address(p);
		return;
	}
	plan_hold(m, &x, p);
	plan_tag(m, limits ? trouble_words[TROUBLE_LIMITS] : NULL, p);
}

void
plan_make(struct message *m, const struct verdict *v, bool limits,
	  struct plan *p)
{
	const int *on_failure = m->snapshot->settings.on_failure;

	*p = (struct plan){ .result = RESULT_ACCEPTED, .trouble = -1 };
	if (limits) {
		plan_fail(m, TROUBLE_LIMITS,
			  "the header is larger than what "
			  "is looked at",
			  p);
		if (on_failure[TROUBLE_LIMITS] != TROUBLE_ACCEPT)
			return;
		/* What is known of it is judged; the tag tells the rest. */
		p->tag = NULL;
		p->removals_n = 0;
	}
	p->rules = plan_rules(v, &p->rules_n, &m->memory);
	if (!plan_answer(m, v, p))
		plan_edits(m, v, limits, p);
}
