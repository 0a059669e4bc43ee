#include <config.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "logline-private.h"
#include "policy/action.h"

#define SHOWN_RECIPIENTS 5
#define SHOWN_VALUE 256 /* bytes of one value */

/* " KEY=VALUE"; nothing if there is no value. */
static void
add(struct buf *out, const char *key, const char *value)
{
	size_t shown = 0;

	if (value == NULL)
		return;
	buf_printf(out, " %s=", key);
	for (; *value != '\0' && shown < SHOWN_VALUE; value++, shown++)
		if (*value > ' ' && *value <= '~' && *value != '\\' &&
		    *value != '"')
			buf_add(out, value, 1);
		else
			buf_printf(out, "\\x%02x", (unsigned char)*value);
	if (*value != '\0')
		buf_add(out, "...", 3);
}

const char *
logline_client(const struct ip *ip, char *text, size_t room)
{
	if (ip->family == 0 ||
	    inet_ntop(ip->family, ip->bytes, text, (socklen_t)room) == NULL)
		return NULL;
	return text;
}

static void
add_client(struct buf *out, const char *key, const struct ip *ip)
{
	char text[INET6_ADDRSTRLEN];

	add(out, key, logline_client(ip, text, sizeof(text)));
}

static void
add_list(struct buf *out, const char *key, const char *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i == 0)
			add(out, key, all[i]);
		else
			buf_printf(out, ",%s", all[i]);
}

static void
add_session(struct buf *out, const struct message *m, const char *helo)
{
	add(out, "ingress", m->ingress->s->name);
	add(out, "route", m->relayed ? "fallback" : "direct");
	add_client(out, "client", &m->client);
	add(out, "helo", helo);
	add(out, "from", *m->mail_from != '\0' ? m->mail_from : "<>");
}

static void
add_recipients(struct buf *out, const struct message *m)
{
	buf_printf(out, " nrcpt=%zu", m->recipients_n);
	for (size_t i = 0; i < m->recipients_n && i < SHOWN_RECIPIENTS; i++)
		add(out, "to", m->recipients[i]);
}

/* What decided the first recipient; the others have JSON. */
static void
add_traffic(struct buf *out, const struct verdict *v)
{
	const struct verdict_recipient *r = v->recipients;

	if (v->recipients_n > 0 && r->by == TRAFFIC_BY_STATEMENT)
		buf_printf(out, " statement=%zu", r->statement);
}

/* Names of what was done, in order, each once. */
static void
add_actions(struct buf *out, const struct verdict *v)
{
	const char *glue = " actions=";
	const char *seen[64];
	size_t n = 0, k;

	for (size_t i = 0; i < v->recipients_n; i++)
		for (size_t j = 0; j < v->recipients[i].actions_n; j++) {
			const char *name = action_name(
				v->recipients[i].actions[j].action);

			for (k = 0; k < n && seen[k] != name; k++)
				;
			if (k < n || n == sizeof(seen) / sizeof(seen[0]))
				continue;
			seen[n++] = name;
			buf_printf(out, "%s%s", glue, name);
			glue = ",";
		}
}

/* The code and the status of an answer. */
static void
add_reply(struct buf *out, const struct reply *r)
{
	if (*r->code != '\0')
		buf_printf(out, " code=%s status=%s", r->code, r->status);
}

static void
add_shadow(struct buf *out, const struct plan *p)
{
	if (p == NULL)
		return;
	add(out, "shadow", result_words[p->result]);
	add_list(out, "shadow_rules", p->rules, p->rules_n);
}

static void
add_trouble(struct buf *out, const struct plan *p)
{
	if (p->trouble < 0)
		return;
	add(out, "failure", trouble_words[p->trouble]);
	buf_printf(out, " reason=\"%s\"", p->why ? p->why : "");
}

static void
write_end(const struct logline_end *x, struct buf *out)
{
	const struct message *m = x->message;
	const struct judgement *j = x->judgement;

	buf_printf(out, "%s: result=%s", *m->queue_id ? m->queue_id : "NOQUEUE",
		   result_words[x->plan->result]);
	add_reply(out, &x->plan->reply);
	add(out, "reason", x->plan->because);
	add_session(out, m, x->helo);
	if (m->relayed && j != NULL)
		add_client(out, "origin", &j->facts.client);
	add_recipients(out, m);
	buf_printf(out, " size=%" PRIu64, m->size);
	add(out, "tls", m->tls_name);
	add(out, "auth", m->auth_user);
	if (j != NULL)
		add_traffic(out, &j->verdict);
	add_list(out, "rules", x->plan->rules, x->plan->rules_n);
	if (j != NULL)
		add_actions(out, &j->verdict);
	add_list(out, "archived", (const char *const *)x->plan->archived,
		 x->plan->archived_n);
	add_shadow(out, x->shadow);
	buf_printf(out, " ms=%.2f", 1e3 * x->seconds);
	add_trouble(out, x->plan);
}

void
logline_end(const struct logline_end *x, bool json, struct buf *out)
{
	if (json)
		logline_json_end(x, out);
	else
		write_end(x, out);
}

static void
write_refusal(const struct logline_refusal *x, struct buf *out)
{
	const struct verdict_recipient *by = x->by;

	buf_printf(out, "NOQUEUE: result=%s", logline_result(x->reply));
	add_reply(out, x->reply);
	add(out, "reason", refusal_words[x->why]);
	add_session(out, x->message, x->helo);
	add(out, "to", x->address);
	if (by != NULL && by->by == TRAFFIC_BY_STATEMENT)
		buf_printf(out, " statement=%zu", by->statement);
	add(out, "tls", x->message->tls_name);
	add(out, "auth", x->message->auth_user);
}

const char *
logline_result(const struct reply *r)
{
	return result_words[reply_is_permanent(r) ? RESULT_REJECTED
						  : RESULT_TEMPFAILED];
}

void
logline_refusal(const struct logline_refusal *x, bool json, struct buf *out)
{
	if (json)
		logline_json_refusal(x, out);
	else
		write_refusal(x, out);
}
