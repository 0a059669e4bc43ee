/*
 * verdict - what a policy says of a message: plain data, and the trail of how
 * it came to it. Nothing has been done yet.
 *
 * Semantics (fallbackmx-policy(5) has them with examples): the traffic policy
 * for each recipient: DENY statements first, then ALLOW, then DefaultAction,
 * then MaxMessageSizeBytes. Then the rules in order, for each recipient: all
 * of Conditions and none of Unless; its actions in order. Drop, Bounce, Reject,
 * TempFail and Stop end a recipient; ReplaceRecipient changes it for later
 * rules too.
 *
 * A condition whose fact is unknown holds neither with an operator nor with
 * its negation: ANSWER_UNKNOWN, which counts as "does not hold" in Conditions
 * and Unless alike, and is shown in the trail.
 */
#ifndef FALLBACKMX_VERDICT_H
#define FALLBACKMX_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "policy.h"

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN,
};

/* What becomes of a recipient: what its last action says that says anything,
 * else ACCEPT. All but QUARANTINE and ACCEPT end it. */
enum disposition {
	DISPOSITION_ACCEPT,
	DISPOSITION_DROP,
	DISPOSITION_QUARANTINE,
	DISPOSITION_REJECT,
	DISPOSITION_TEMPFAIL,
};

enum traffic_by {
	TRAFFIC_BY_STATEMENT,
	TRAFFIC_BY_DEFAULT,	/* also: there is no traffic policy */
	TRAFFIC_BY_SIZE,
};

struct condition;	/* of the policy; lives as long as that */

/* One condition that was looked at. */
struct trail_condition {
	const struct condition *condition;	/* see trail_text() */
	const char *found;	/* what it was compared with, "": nothing or
				 * unknown; several values: the one that
				 * decided, else the first. Foreign text:
				 * shown only through text_quote() */
	enum answer answer;
	bool unless;
};

/* One statement or rule that was looked at. */
struct trail_step {
	const char *name;	/* of a rule, "": it has none; NULL: a
				 * statement */
	size_t index;		/* position in the document */
	bool matched;
	struct trail_condition *conditions;	/* up to the first that
						 * decided, all with
						 * VERDICT_FULL */
	size_t conditions_n;
	const char *const *actions;	/* names: of a rule those that were
					 * carried out; of a statement ALLOW or
					 * DENY, matched or not */
	size_t actions_n;
};

/* An action to be carried out, with its parameters as the document has them.
 */
struct action;

struct verdict_action {
	const struct action *action;
	const char *rule;	/* name */
	size_t rule_index, index;
};

struct verdict_recipient {
	const char *recipient;
	bool allowed;		/* by the traffic policy */
	enum traffic_by by;
	size_t statement;	/* of TRAFFIC_BY_STATEMENT */
	struct trail_step *statements, *rules;	/* evaluated, in order */
	size_t statements_n, rules_n;
	enum disposition disposition;
	const struct verdict_action *actions;
	size_t actions_n;
	const char *const *after;	/* recipients left in the envelope;
					 * none once it was handed on */
	size_t after_n;
	const char *const *reached;	/* those that it stood for when the
					 * rules ended, also when it was handed
					 * on or ended: `after` without what
					 * takes it away */
	size_t reached_n;
};

struct verdict {
	struct verdict_recipient *recipients;	/* in the order of the facts */
	size_t recipients_n;
	bool limits;	/* the header was larger than what is looked at */
};

/* Flags. */
#define VERDICT_FULL 1	/* look at every condition, for showing */
#define VERDICT_TRAFFIC 2	/* the traffic policy only: no rules */
#define VERDICT_BRIEF 4	/* the trail has only what matched, and no conditions:
			 * for a message with a thousand recipients */

/* Memory is the arena's. decode_init() was called. */
void verdict_make(const struct policy *p, const struct facts *f, int flags,
		  struct verdict *v_r, struct arena *a);

/* `SUBJECT CONTAINS "invoice", "offer"`: the condition as the document has it,
 * printable ASCII, at most some 64 KiB. Made only when it is asked for. */
const char *trail_text(const struct trail_condition *t, struct arena *a);

/* policy_missing_targets() of the actions that are to be carried out; p is the
 * policy of v. */
void verdict_missing_targets(const struct policy *p, const struct verdict *v,
			     struct buf *lines);

/* What an action is called and what it does when it fails. */
const char *action_name(const struct action *x);
bool action_drops_on_failure(const struct action *x);

/*
 * The answers of all RECIPIENT conditions that can make recipients of one
 * message differ in what is done to the message as a whole, one character
 * each ('0', '1'): a milter accepts in one transaction only recipients whose
 * vectors are equal. Known at RCPT. The arena's.
 *
 * Those of the rules; and those of a traffic policy that asks for an Analysis,
 * which can refuse only the whole message. flags: with VERDICT_TRAFFIC those of
 * any traffic policy and none of the rules, for whoever can judge the session
 * at the end of the message only.
 */
const char *verdict_vector(const struct policy *p, const char *recipient,
			   int flags, struct arena *a);

#endif
