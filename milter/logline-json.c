/*
 * The line as JSON.
 */
#include <config.h>

#include <arpa/inet.h>
#include <inttypes.h>

#include "logline-private.h"
#include "policy/verdict-json.h"

/* ,"KEY":"VALUE"; nothing if there is no value. */
static void
add(struct buf *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(out, ",\"%s\":", key);
	verdict_json_string(out, value);
}

static void
add_list(struct buf *out, const char *key, const char *const *all, size_t n)
{
	buf_printf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add(out, ",", 1);
		verdict_json_string(out, all[i]);
	}
	buf_add(out, "]", 1);
}

static void
add_session(struct buf *out, const struct message *m, const char *helo,
	    const struct ip *client)
{
	char text[INET6_ADDRSTRLEN];

	add(out, "ingress_point_name", m->ingress->s->name);
	add(out, "route", m->relayed ? "fallback" : "direct");
	add(out, "sender_ip_address",
	    logline_client(client, text, sizeof(text)));
	add(out, "smtp_helo", helo);
	add(out, "smtp_mail_from", m->mail_from);
	add(out, "tls_protocol", m->tls_name);
	add(out, "tls_cipher_suite", m->cipher);
	add(out, "auth_user", m->auth_user);
}

static void
add_reply(struct buf *out, const struct reply *r)
{
	if (*r->code == '\0')
		return;
	add(out, "code", r->code);
	add(out, "status", r->status);
	add(out, "text", r->text);
}

static void
add_policies(struct buf *out, const struct ingress *i)
{
	if (i->traffic != NULL)
		add(out, "traffic_policy_name",
		    policy_name(i->traffic, POLICY_TRAFFIC));
	if (i->rules != NULL)
		add(out, "rule_set_name",
		    policy_name(i->rules, POLICY_RULE_SET));
}

static void
add_verdict(struct buf *out, const char *key, const char *id,
	    const struct verdict *v)
{
	buf_printf(out, ",\"%s\":", key);
	verdict_json(out, id, v);
}

void
logline_json_end(const struct logline_end *x, struct buf *out)
{
	const struct message *m = x->message;
	const struct judgement *j = x->judgement;

	buf_printf(out, "{\"event_timestamp\":%" PRId64, x->wall_ms);
	add(out, "message_id", m->queue_id);
	add(out, "result", result_words[x->plan->result]);
	add_reply(out, &x->plan->reply);
	add(out, "reason", x->plan->because);
	add_session(out, m, x->helo, j ? &j->facts.client : &m->client);
	add_list(out, "recipients", m->recipients,
		 m->recipients_n < JUDGE_TRAIL_MAX ? m->recipients_n
						   : JUDGE_TRAIL_MAX);
	buf_printf(out, ",\"recipients_count\":%zu", m->recipients_n);
	buf_printf(out, ",\"message_size_bytes\":%" PRIu64, m->size);
	add_policies(out, m->ingress);
	add_list(out, "rules", x->plan->rules, x->plan->rules_n);
	if (x->plan->archived_n > 0)
		add_list(out, "archived",
			 (const char *const *)x->plan->archived,
			 x->plan->archived_n);
	buf_printf(out, ",\"milliseconds\":%.3f", 1e3 * x->seconds);
	if (x->plan->trouble >= 0) {
		add(out, "failure", trouble_words[x->plan->trouble]);
		add(out, "failure_reason", x->plan->why);
	}
	if (j != NULL)
		add_verdict(out, "verdict", m->queue_id, &j->verdict);
	if (j != NULL && x->shadow != NULL) {
		add(out, "shadow_result", result_words[x->shadow->result]);
		add_verdict(out, "shadow_verdict", m->queue_id, &j->shadow);
	}
	buf_add(out, "}", 1);
}

void
logline_json_refusal(const struct logline_refusal *x, struct buf *out)
{
	const struct verdict_recipient *by = x->by;
	const struct message *m = x->message;

	buf_printf(out, "{\"event_timestamp\":%" PRId64, x->wall_ms);
	add(out, "result", logline_result(x->reply));
	add_reply(out, x->reply);
	add(out, "reason", refusal_words[x->why]);
	add_session(out, m, x->helo, &m->client);
	add(out, "recipient", x->address);
	add_policies(out, m->ingress);
	if (by != NULL) {
		add(out, "traffic_policy_verdict", "REJECT");
		if (by->by == TRAFFIC_BY_STATEMENT)
			buf_printf(out, ",\"statement\":%zu", by->statement);
	}
	buf_add(out, "}", 1);
}
