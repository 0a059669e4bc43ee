/*
 * plan-private - the parts of a plan, for plan.c.
 */
#ifndef FALLBACKMX_MILTER_PLAN_PRIVATE_H
#define FALLBACKMX_MILTER_PLAN_PRIVATE_H

#include "plan.h"

/* The actions of all recipients, each once, in the order of the rules. */
struct plan_actions {
	const struct verdict_action **all;
	size_t n;
};

/* Fields that go: copies of our tag, results that are not believed, what rules
 * remove. */
void plan_removals(struct message *m, const struct plan_actions *x,
		   struct plan *p);

/* Fields that come. False: a value cannot be written. */
bool plan_fields(struct message *m, const struct plan_actions *x,
		 struct plan *p);

/* failure: what the tag says of it, or NULL. */
void plan_tag(struct message *m, const char *failure, struct plan *p);

/*
 * Recipients that go and come. Those that a recipient stood for when the rules
 * ended are wanted, unless it was dropped. Who is wanted and in the envelope
 * stays untouched, who is not goes once for each way to write it, who is
 * missing comes once. Addresses are the same regardless of ASCII case, as in
 * the MTA's own search for duplicates. False: one that goes is written so that
 * the MTA would not find it.
 */
bool plan_envelope(struct message *m, const struct verdict *v,
		   struct plan *p);

#endif
