/*
 * survey - what stands in a policy, for who checks and counts it before any
 * mail comes: the milter when it loads one. Indices are those of the document.
 * Pure.
 */
#ifndef FALLBACKMX_SURVEY_H
#define FALLBACKMX_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "action.h"
#include "policy.h"

#define SURVEY_RULES_MAX 40	/* of a rule set */
#define SURVEY_ACTIONS_MAX 10	/* of a rule */

/* Statements of the traffic policy, and its DefaultAction. */
size_t survey_statements(const struct policy *p);
bool survey_denies(const struct policy *p, size_t statement);
bool survey_default_denies(const struct policy *p);

/* Rules of the rule set: their names ("": none) and actions. */
size_t survey_rules(const struct policy *p);
const char *survey_rule(const struct policy *p, size_t rule);
const struct action *survey_actions(const struct policy *p, size_t rule,
				    size_t *n_r);

/* What conditions ask of analyzers, the i-th of them; false: no more. */
bool survey_analysis(const struct policy *p, size_t i, const char **analyzer_r,
		     const char **field_r);

/* Whether any condition asks for an address list. */
bool survey_asks_lists(const struct policy *p);

/* The thing outside that an action names: an archive, a relay, a bucket ...
 * NULL: it names none. *member_r: what names it ("S3Bucket"); "" for Send,
 * whose target is called after itself. */
const char *survey_target(const struct action *x, const char **member_r);

/* The header that an action adds or removes; NULL: it does neither. */
const char *survey_header(const struct action *x);

/* Whether an id, an ARN that ends in "/ID" or a name mean the same. */
bool survey_same_target(const char *a, const char *b);

#endif
