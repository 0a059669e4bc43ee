#include <config.h>

#include "policy-private.h"
#include "survey.h"

size_t
survey_statements(const struct policy *p)
{
	return p->traffic ? p->traffic->n : 0;
}

bool
survey_denies(const struct policy *p, size_t statement)
{
	return p->traffic->statements[statement].deny;
}

bool
survey_default_denies(const struct policy *p)
{
	return p->traffic != NULL && p->traffic->default_deny;
}

size_t
survey_rules(const struct policy *p)
{
	return p->rule_set ? p->rule_set->n : 0;
}

const char *
survey_rule(const struct policy *p, size_t rule)
{
	return p->rule_set->rules[rule].name;
}

const struct action *
survey_actions(const struct policy *p, size_t rule, size_t *n_r)
{
	*n_r = p->rule_set->rules[rule].actions_n;
	return p->rule_set->rules[rule].actions;
}

bool
survey_analysis(const struct policy *p, size_t i, const char **analyzer_r,
		const char **field_r)
{
	for (size_t k = 0; k < p->slots_n; k++) {
		if (p->slots[k].kind != SLOT_ANALYSIS || i-- > 0)
			continue;
		*analyzer_r = p->slots[k].name;
		*field_r = p->slots[k].field;
		return true;
	}
	return false;
}

static bool
asks_lists(const struct condition *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].list_name != NULL)
			return true;
	return false;
}

bool
survey_asks_lists(const struct policy *p)
{
	for (size_t i = 0; p->traffic && i < p->traffic->n; i++)
		if (asks_lists(p->traffic->statements[i].conditions,
			       p->traffic->statements[i].conditions_n))
			return true;
	for (size_t i = 0; p->rule_set && i < p->rule_set->n; i++)
		if (asks_lists(p->rule_set->rules[i].conditions,
			       p->rule_set->rules[i].conditions_n))
			return true;
	return false;
}

const char *
survey_target(const struct action *x, const char **member_r)
{
	const struct action_kind *kind = x->kind;

	*member_r = "";
	if (kind == &action_send)
		return action_name(x);
	if (kind == &action_relay) {
		*member_r = "Relay";
		return ((const struct action_relay *)x->of)->relay;
	}
	if (kind == &action_mailbox) {
		*member_r = "MailboxArn";
		return ((const struct action_deliver *)x->of)->mailbox;
	}
	if (kind == &action_qbusiness) {
		*member_r = "ApplicationId";
		return ((const struct action_deliver *)x->of)->application;
	}
	if (kind == &action_archive) {
		*member_r = "TargetArchive";
		return ((const struct action_archive *)x->of)->archive;
	}
	if (kind == &action_s3) {
		*member_r = "S3Bucket";
		return ((const struct action_s3 *)x->of)->bucket;
	}
	if (kind == &action_sns) {
		*member_r = "TopicArn";
		return ((const struct action_sns *)x->of)->topic;
	}
	if (kind == &action_lambda) {
		*member_r = "FunctionArn";
		return ((const struct action_lambda *)x->of)->function;
	}
	return NULL;
}

const char *
survey_header(const struct action *x)
{
	if (x->kind != &action_add_header && x->kind != &action_remove_header)
		return NULL;
	return ((const struct action_header *)x->of)->name;
}

bool
survey_same_target(const char *a, const char *b)
{
	return policy_same_name(a, b);
}
