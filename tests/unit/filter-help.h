/*
 * filter-help - an ingress point with its policies and a message on its way,
 * for the tests of milter/. What is not given is what an ordinary mail has.
 */
#ifndef FALLBACKMX_FILTER_HELP_H
#define FALLBACKMX_FILTER_HELP_H

#include "milter/envelope.h"
#include "milter/judge.h"
#include "milter/plan.h"
#include "unit.h"

#define STAGE_MACROS 8

struct stage {
	struct filter_settings *settings;
	struct snapshot snapshot;
	struct ingress ingresses[8];
	struct policy *traffic, *rules;
	struct ip client;
	struct { const char *name, *value; } macros[STAGE_MACROS];
	struct message m;
	struct judgement j;
	struct plan p;
	/* of the last recipient that was refused */
	enum refusal why;
	struct reply reply;
	struct verdict_recipient by;
	struct arena a;
};

/* settings: the object "milter"; "" stands for one ingress point `mx`. */
void stage_begin(struct stage *t, const char *settings);
void stage_end(struct stage *t);

/* A document of the first ingress point. */
void stage_traffic(struct stage *t, const char *text);
void stage_rules(struct stage *t, const char *text);

void stage_macro(struct stage *t, const char *name, const char *value);

/* MAIL; client NULL: as before. arguments: "<a@b>" and parameters, or NULL. */
void stage_mail(struct stage *t, const char *client, char *const *arguments);

/* RCPT. */
bool stage_rcpt(struct stage *t, const char *text);

/* The header, lines as in a mail with LF, each field as a milter gets it. */
void stage_header(struct stage *t, const char *text);

/* The end: the plan is made. */
void stage_finish(struct stage *t);

/* What a plan does, in words: "-X-Spam:2 -X-Spam:1 +X-A: b tag=... gone=...".
 */
const char *stage_edits(struct stage *t);

#define ADD(name, value) "{\"AddHeader\": {\"HeaderName\": \"" name \
	"\", \"HeaderValue\": \"" value "\"}}"
#define REMOVE(name) "{\"RemoveHeader\": {\"HeaderName\": \"" name "\"}}"
#define REPLACE(with) "{\"ReplaceRecipient\": {\"ReplaceWith\": [" with "]}}"
#define DROP "{\"Drop\": {}}"
#define CONDITION(attribute, how, value) "{\"StringExpression\": " \
	"{\"Evaluate\": {\"Attribute\": \"" attribute "\"}, \"Operator\": \"" \
	how "\", \"Values\": [\"" value "\"]}}"
#define RULE(name, conditions, actions) "{\"Name\": \"" name "\", " \
	"\"Conditions\": [" conditions "], \"Actions\": [" actions "]}"
#define RULES(rules) "{\"RuleSetName\": \"rs-one\", \"Rules\": [" rules "]}"
#define DENY(condition) "{\"DefaultAction\": \"ALLOW\", " \
	"\"PolicyStatements\": [{\"Action\": \"DENY\", \"Conditions\": [" \
	condition "]}]}"

#endif
