#include <config.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "input.h"
#include "lib/base/text.h"
#include "policy/verdict-json.h"
#include "verdict-show.h"

/* A header field may be 100 KiB long: its begin must do. */
#define SHOWN_MAX 600

static const char *const origins[] = {
	[ORIGIN_NONE] = "",
	[ORIGIN_GIVEN] = "given",
	[ORIGIN_RETURN_PATH] = "from Return-Path",
	[ORIGIN_SES] = "from the Received line of SES",
};

static const char *const tls_names[] = {
	[TLS_UNKNOWN] = "", [TLS_WITHOUT] = "none",
	[TLS_OLDER] = "older than 1.2", [TLS_1_2] = "1.2", [TLS_1_3] = "1.3",
};

static const char *const verdict_names[] = {
	[AUTH_PROCESSING_FAILED] = "PROCESSING_FAILED",
	[AUTH_GRAY] = "GRAY", [AUTH_FAIL] = "FAIL", [AUTH_PASS] = "PASS",
};

static const char *const dmarc_names[] = {
	[DMARC_UNKNOWN] = "not known", [DMARC_NONE] = "NONE",
	[DMARC_QUARANTINE] = "QUARANTINE", [DMARC_REJECT] = "REJECT",
};

static const char *const dispositions[] = {
	[DISPOSITION_ACCEPT] = "",
	[DISPOSITION_DROP] = "taken, and then thrown away",
	[DISPOSITION_QUARANTINE] = "held back until somebody has looked at it",
	[DISPOSITION_REJECT] = "refused for good (5xx)",
	[DISPOSITION_TEMPFAIL] = "refused for now (451)",
};

static void
print_fact(const char *name, const char *value, enum origin from)
{
	printf("  %s %s (%s)\n", name, text_show(value), origins[from]);
}

static void
print_client(const struct session *s)
{
	char text[INET6_ADDRSTRLEN];

	if (s->client != ORIGIN_NONE &&
	    inet_ntop(s->facts.client.family, s->facts.client.bytes, text,
		      sizeof(text)) != NULL)
		print_fact("client", text, s->client);
}

static void
print_tls(const struct facts *f)
{
	if (f->tls != TLS_UNKNOWN)
		printf("  TLS %s%s (given)\n", tls_names[f->tls],
		       f->tls_wrapped == FACT_YES ? ", before SMTP" : "");
	else if (f->tls_wrapped == FACT_YES)
		printf("  TLS before SMTP (given)\n");
}

static void
print_authres(const struct session *s)
{
	const struct authres *x = &s->facts.auth;

	if (s->authserv_id == NULL && s->authres_n == 0) {
		printf("  Authentication-Results: none in the message\n");
		return;
	}
	if (s->authserv_id == NULL) {
		printf("  Authentication-Results: %zu in the message, not "
		       "believed: --authserv-id ID says by whom\n",
		       s->authres_n);
		return;
	}
	printf("  Authentication-Results of %s: ", text_show(s->authserv_id));
	if (x->seen)
		printf("SPF %s, DKIM %s, DMARC policy %s\n",
		       verdict_names[x->spf], verdict_names[x->dkim],
		       dmarc_names[x->dmarc]);
	else
		printf("none among the %zu in the message: SPF and DKIM "
		       "PROCESSING_FAILED\n", s->authres_n);
	if (x->forged)
		printf("  (one that bears this name is not believed: its "
		       "syntax is wrong, or it is of another message)\n");
}

/* What nobody has said, and how to say it. */
static void
print_unknown(const struct session *s)
{
	const struct {
		bool unknown;
		const char *words;
	} all[] = {
		{ s->client == ORIGIN_NONE, "client (--client-ip)" },
		{ s->helo == ORIGIN_NONE, "HELO (--helo)" },
		{ s->mail_from == ORIGIN_NONE, "sender (--mail-from)" },
		{ s->facts.tls == TLS_UNKNOWN, "TLS (--tls-version)" },
		{ s->facts.tls_wrapped == FACT_UNKNOWN,
		  "TLS before SMTP (--tls-wrapped)" },
	};
	const char *glue = "  not known: ";

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!all[i].unknown)
			continue;
		printf("%s%s", glue, all[i].words);
		glue = ", ";
	}
	if (*glue == ',')
		putchar('\n');
}

static void
print_facts(const char *message, const struct session *s, bool limits)
{
	const struct facts *f = &s->facts;

	printf("%s: %" PRIu64 " bytes\n", input_name(message), f->size);
	if (s->imported)
		printf("  without the lines that fallbackmx put on top\n");
	print_client(s);
	if (s->helo != ORIGIN_NONE)
		print_fact("HELO", f->helo, s->helo);
	if (s->mail_from != ORIGIN_NONE)
		print_fact("sender", *f->mail_from ? f->mail_from : "<>",
			   s->mail_from);
	for (size_t i = 0; i < f->recipients_n; i++)
		print_fact("recipient", f->recipients[i], s->recipients);
	print_tls(f);
	if (f->auth_user != NULL)
		print_fact("login", f->auth_user, ORIGIN_GIVEN);
	if (f->cert_cn != NULL)
		print_fact("client certificate of", f->cert_cn, ORIGIN_GIVEN);
	for (size_t i = 0; i < f->analyses_n; i++) {
		const struct facts_analysis *x = &f->analyses[i];

		printf("  %s.%s %s (given)\n", text_show(x->analyzer),
		       text_show(x->field), text_show(x->value));
	}
	print_authres(s);
	print_unknown(s);
	if (limits)
		printf("  the header is larger than what is looked at: what "
		       "the rest says is not known\n");
}

static void
print_condition(const struct trail_condition *c, struct arena *a)
{
	static const char *const answers[] = {
		[ANSWER_NO] = "no", [ANSWER_YES] = "yes",
		[ANSWER_UNKNOWN] = "unknown",
	};
	char found[SHOWN_MAX];

	printf("      %-8s%s%s; ", answers[c->answer],
	       c->unless ? "unless " : "", trail_text(c, a));
	text_quote(found, sizeof(found), c->found, strlen(c->found));
	if (*found != '\0')
		printf("found \"%s\"\n", found);
	else if (c->answer == ANSWER_UNKNOWN)
		printf("not known, so it does not hold\n");
	else
		printf("found nothing\n");
}

/* Why a step does not match, in a word. */
static const char *
reason(const struct trail_step *step)
{
	if (step->matched)
		return "matches";
	for (size_t i = 0; i < step->conditions_n; i++)
		if (!step->conditions[i].unless &&
		    step->conditions[i].answer != ANSWER_YES)
			return "does not match";
	return "does not match, because of its Unless";
}

static void
print_conditions(const struct trail_step *step, struct arena *a)
{
	for (size_t i = 0; i < step->conditions_n; i++)
		print_condition(&step->conditions[i], a);
	if (step->conditions_n == 0)
		printf("      %-8sit has no conditions\n", "always");
}

static void
print_traffic(const struct verdict_recipient *r, struct arena *a)
{
	const char *verb = r->allowed ? "allowed" : "denied";

	if (r->by == TRAFFIC_BY_STATEMENT)
		printf("  traffic policy: %s by statement %zu\n", verb,
		       r->statement);
	else if (r->by == TRAFFIC_BY_SIZE)
		printf("  traffic policy: %s by MaxMessageSizeBytes\n", verb);
	else
		printf("  traffic policy: %s by default%s\n", verb,
		       r->statements_n > 0 ? ", no statement matches" : "");
	for (size_t i = 0; i < r->statements_n; i++) {
		const struct trail_step *step = &r->statements[i];

		printf("    statement %zu %s %s\n", step->index,
		       step->actions_n > 0 ? step->actions[0] : "",
		       reason(step));
		print_conditions(step, a);
	}
}

static void
print_rule(const struct trail_step *rule, struct arena *a)
{
	const char *glue = ": ";

	printf("  rule %zu \"%s\" %s", rule->index, text_show(rule->name),
	       reason(rule));
	for (size_t i = 0; i < rule->actions_n; i++, glue = ", ")
		printf("%s%s", glue, rule->actions[i]);
	putchar('\n');
	print_conditions(rule, a);
}

/* After these nothing more is done for a recipient (fallbackmx-policy(5)). */
static bool
is_end(const char *action)
{
	static const char *const ends[] = {
		"Drop", "Bounce", "Reject", "TempFail", "Stop",
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(action, ends[i]) == 0)
			return true;
	return false;
}

/* What somebody has to carry out; an end is the result itself. */
static void
print_actions(const struct verdict_recipient *r)
{
	for (size_t i = 0; i < r->actions_n; i++) {
		const struct verdict_action *x = &r->actions[i];

		if (is_end(action_name(x->action)))
			continue;
		printf("  to do: %s (rule %zu \"%s\")%s\n",
		       action_name(x->action), x->rule_index,
		       text_show(x->rule), action_drops_on_failure(x->action) ?
		       "; where it fails, the recipient is dropped" : "");
	}
}

/* Where the mail goes, in words. */
static void
print_result(const struct verdict_recipient *r)
{
	const char *glue = "";

	printf("  %s, ", disposition_names[r->disposition]);
	if (r->disposition != DISPOSITION_ACCEPT) {
		printf("%s%s\n", dispositions[r->disposition], r->allowed ?
		       "" : ", by the traffic policy");
		return;
	}
	fputs(r->after_n > 0 ? "delivered to " :
	      "handed on, nothing is left to deliver here", stdout);
	for (size_t i = 0; i < r->after_n; i++, glue = ", ")
		printf("%s%s", glue, text_show(r->after[i]));
	putchar('\n');
}

static void
print_recipient(const struct verdict_recipient *r, struct arena *a)
{
	const struct trail_step *last;

	printf("\n%s:\n", text_show(r->recipient));
	print_result(r);
	print_actions(r);
	print_traffic(r, a);
	for (size_t i = 0; i < r->rules_n; i++)
		print_rule(&r->rules[i], a);
	if (r->allowed && r->rules_n == 0)
		printf("  no rules\n");
	else if (!r->allowed)
		printf("  rules are not looked at\n");
	last = r->rules_n > 0 ? &r->rules[r->rules_n - 1] : NULL;
	if (last != NULL && last->actions_n > 0 &&
	    is_end(last->actions[last->actions_n - 1]))
		printf("  rules behind this one are not looked at\n");
}

void
verdict_explain(const char *message, const struct session *s,
		const struct verdict *v, struct arena *a)
{
	print_facts(message, s, v->limits);
	for (size_t i = 0; i < v->recipients_n; i++)
		print_recipient(&v->recipients[i], a);
}
