#include <config.h>

#include <string.h>

#include "judge.h"
#include "lib/mail/relayed.h"

void
judge_facts(const struct message *m, const char *helo, struct facts *f_r)
{
	*f_r = (struct facts){
		.client = m->client,
		.helo = helo,
		.mail_from = m->mail_from,
		.auth_user = m->auth_user,
		.cert_cn = m->cert_cn,
		.tls = m->tls,
		.tls_wrapped = m->tls_wrapped ? FACT_YES : FACT_NO,
		.auth = m->auth,
	};
}

static bool
enforces_traffic(const struct ingress *i)
{
	return i->traffic != NULL && i->s->traffic_mode == MODE_ENFORCE;
}

static bool
enforces_rules(const struct ingress *i)
{
	return i->rules != NULL && i->s->rule_set_mode == MODE_ENFORCE;
}

/* The traffic policy can only be asked at the end of the message. */
static bool
asks_later(const struct message *m)
{
	return enforces_traffic(m->ingress) &&
		(m->relayed || policy_asks_analysis(m->ingress->traffic));
}

static bool
is_denied(struct message *m, const char *helo, const char *address,
	  struct verdict_recipient *by_r)
{
	const char *const recipients[] = { address };
	struct arena work = { NULL };
	struct verdict v;
	struct facts f;

	judge_facts(m, helo, &f);
	f.recipients = recipients;
	f.recipients_n = 1;
	verdict_make(m->ingress->traffic, &f, VERDICT_TRAFFIC | VERDICT_BRIEF,
		     &v, &work);
	*by_r = (struct verdict_recipient){
		.allowed = v.recipients->allowed,
		.by = v.recipients->by,
		.statement = v.recipients->statement,
	};
	arena_free(&work);
	return !by_r->allowed;
}

/* True: what is done to the message as a whole may differ between this one and
 * the first. */
static bool
is_apart(struct message *m, const struct policy *p, int flags,
	 const char *address, const char **first)
{
	struct arena work = { NULL };
	bool apart = false;
	const char *vector;

	if (m->recipients_n == 0) {
		*first = verdict_vector(p, address, flags, &m->memory);
		return false;
	}
	if (**first != '\0') {
		vector = verdict_vector(p, address, flags, &work);
		apart = strcmp(vector, *first) != 0;
	}
	arena_free(&work);
	return apart;
}

static bool
wants_own_message(struct message *m, const char *address)
{
	const struct ingress *i = m->ingress;

	if (asks_later(m) &&
	    is_apart(m, i->traffic, VERDICT_TRAFFIC, address,
		     &m->traffic_vector))
		return true;
	return enforces_rules(i) &&
		is_apart(m, i->rules, 0, address, &m->rules_vector);
}

static bool
refuse_denied(const struct message *m, enum refusal *why_r,
	      struct reply *reply_r)
{
	*why_r = REFUSAL_POLICY;
	reply_set(reply_r, "550", "5.7.1", m->ingress->s->deny_text);
	return false;
}

static bool
refuse_split(enum refusal *why_r, struct reply *reply_r)
{
	*why_r = REFUSAL_SPLIT;
	reply_set(reply_r, "451", "4.5.3",
		  "Please send to this recipient in a message of its own");
	return false;
}

bool
judge_recipient(struct message *m, const char *helo, const char *text,
		const char *address, enum refusal *why_r,
		struct reply *reply_r, struct verdict_recipient *by_r)
{
	bool ok = false;

	if (enforces_traffic(m->ingress) && !asks_later(m) &&
	    is_denied(m, helo, address, by_r))
		refuse_denied(m, why_r, reply_r);
	else if (wants_own_message(m, address))
		refuse_split(why_r, reply_r);
	else if (message_add_recipient(m, text, address))
		ok = true;
	else {
		*why_r = REFUSAL_SPLIT;
		reply_set(reply_r, "452", "4.5.3", "Too many recipients");
	}
	return ok;
}

/* The client that the relay recorded in its own line, the top one: this
 * server's is hidden from milters. What it says of TLS is not the version. */
static int
use_relayed(struct message *m, struct facts *f, const char **why_r)
{
	struct relayed *line = arena_alloc(&m->memory, sizeof(*line));

	if (!relayed_read(&m->head, line) ||
	    facts_ip(line->ip, &f->client) < 0) {
		*why_r = "cannot read the Received line of the fallback relay";
		return -1;
	}
	f->helo = line->helo;
	f->tls = TLS_UNKNOWN;
	f->tls_wrapped = FACT_UNKNOWN;
	return 0;
}

static size_t
add_values(struct message *m, const struct analysis_settings *s,
	   struct facts_analysis *out)
{
	const struct head_field *f = NULL;
	size_t n = 0;

	while ((f = head_next(&m->head, s->header, f)) != NULL) {
		if (out != NULL)
			out[n] = (struct facts_analysis){
				.analyzer = s->analyzer,
				.field = s->field,
				.value = head_value(f, &m->memory),
			};
		n++;
	}
	return n;
}

/* What earlier milters found stands in headers. Which of several is theirs
 * cannot be known, so all count. */
static void
use_analyses(struct message *m, struct facts *f)
{
	const struct filter_settings *s = &m->snapshot->settings;
	struct facts_analysis *all;
	size_t n = 0;

	for (size_t i = 0; i < s->analyses_n; i++)
		n += add_values(m, &s->analyses[i], NULL);
	if (n == 0)
		return;
	all = arena_alloc(&m->memory, n * sizeof(*all));
	for (size_t i = 0; i < s->analyses_n; i++)
		f->analyses_n += add_values(m, &s->analyses[i],
					    all + f->analyses_n);
	f->analyses = all;
}

/* Rules where the traffic policy allows; both with their trails. */
static void
merge(struct verdict *v, const struct verdict *traffic)
{
	for (size_t i = 0; i < v->recipients_n; i++) {
		struct verdict_recipient *r = &v->recipients[i];
		const struct verdict_recipient *t = &traffic->recipients[i];

		if (!t->allowed) {
			*r = *t;
			continue;
		}
		r->allowed = true;
		r->by = t->by;
		r->statement = t->statement;
		r->statements = t->statements;
		r->statements_n = t->statements_n;
	}
}

static void
ask_both(const struct policy *traffic, const struct policy *rules,
	 const struct facts *f, int flags, struct verdict *v_r, struct arena *a)
{
	struct verdict first;

	if (rules != NULL)
		verdict_make(rules, f, flags, v_r, a);
	if (traffic != NULL) {
		verdict_make(traffic, f, flags | VERDICT_TRAFFIC, &first, a);
		if (rules != NULL)
			merge(v_r, &first);
		else
			*v_r = first;
	}
}

/* Without any policy everybody is accepted. */
static void
accept_all(const struct facts *f, struct verdict *v_r, struct arena *a)
{
	*v_r = (struct verdict){ .recipients_n = f->recipients_n };
	v_r->recipients = arena_alloc(
		a, f->recipients_n * sizeof(*v_r->recipients));
	for (size_t i = 0; i < f->recipients_n; i++)
		v_r->recipients[i] = (struct verdict_recipient){
			.recipient = f->recipients[i],
			.allowed = true,
			.by = TRAFFIC_BY_DEFAULT,
			.after = &f->recipients[i],
			.after_n = 1,
			.reached = &f->recipients[i],
			.reached_n = 1,
		};
}

int
judge_message(struct message *m, const char *helo, bool trail,
	      struct judgement *j_r, const char **why_r)
{
	const struct ingress *i = m->ingress;
	const struct policy *traffic = enforces_traffic(i) ? i->traffic : NULL;
	const struct policy *rules = enforces_rules(i) ? i->rules : NULL;
	const int flags = trail && m->recipients_n < JUDGE_TRAIL_MAX
		? 0
		: VERDICT_BRIEF;
	struct facts *f = &j_r->facts;

	*j_r = (struct judgement){ .has_shadow = i->traffic != traffic ||
					   i->rules != rules };
	judge_facts(m, helo, f);
	f->recipients = m->recipients;
	f->recipients_n = m->recipients_n;
	f->head = &m->head;
	f->size = m->size;
	if (m->relayed && use_relayed(m, f, why_r) < 0)
		return -1;
	use_analyses(m, f);
	j_r->limits = m->head.limits && (traffic != NULL || rules != NULL);
	if (traffic != NULL || rules != NULL)
		ask_both(traffic, rules, f, flags, &j_r->verdict, &m->memory);
	else
		accept_all(f, &j_r->verdict, &m->memory);
	if (j_r->has_shadow)
		ask_both(i->traffic, i->rules, f, flags, &j_r->shadow,
			 &m->memory);
	return 0;
}
