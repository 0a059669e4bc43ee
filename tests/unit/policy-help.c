#include <config.h>

#include "lib/mail/decode.h"
#include "policy-help.h"

#define LINES_MAX ((size_t)1048576)

static const char *const alice[] = { "alice@example.com" };

void
world_begin(struct world *w)
{
	*w = (struct world){ .p = policy_new() };
	decode_init();
	buf_init(&w->lines, LINES_MAX);
	w->f = (struct facts){
		.helo = "mail.example.net", .mail_from = "bob@example.net",
		.tls = TLS_1_3, .tls_wrapped = FACT_NO,
		.recipients = alice, .recipients_n = 1,
	};
	facts_ip("192.0.2.1", &w->f.client);
	world_mail(w, "From: Bob <bob@example.net>\n"
		   "To: \"Alice A.\" <alice@example.com>, carol@example.org\n"
		   "Subject: =?utf-8?q?Your_invoice?= 4711\n"
		   "X-Spam: Yes\n\n");
}

void
world_end(struct world *w)
{
	policy_free(w->p);
	buf_free(&w->lines);
	arena_free(&w->a);
}

enum policy_kind
world_add(struct world *w, enum policy_kind kind, const char *name,
	  const char *text)
{
	struct config_mistakes m = { "f", &w->lines, 0 };
	enum policy_kind found;

	buf_clear(&w->lines);
	found = policy_add(w->p, kind, name, text, strlen(text), w->aws, &m);
	w->mistakes = m.n;
	return found;
}

void
world_load(struct world *w, const char *name, const char *text)
{
	world_add(w, POLICY_UNKNOWN, name, text);
	if (w->mistakes > 0)
		fail_msg("%s", w->lines.data);
}

void
world_mail(struct world *w, const char *head)
{
	w->f.head = NULL;
	w->f.size = 0;
	w->head = (struct head){ 0 };
	if (head == NULL)
		return;
	head_read(&w->head, head, strlen(head), &w->a);
	w->f.head = &w->head;
	w->f.size = facts_size(head, strlen(head));
}

void
world_rcpt(struct world *w, const char *const *recipients, size_t n)
{
	w->f.recipients = recipients;
	w->f.recipients_n = n;
}

void
world_judge(struct world *w, int flags)
{
	verdict_make(w->p, &w->f, flags, &w->v, &w->a);
}

const char *
world_after(struct world *w, size_t recipient)
{
	const struct verdict_recipient *r = &w->v.recipients[recipient];
	const char *text = "";

	for (size_t i = 0; i < r->after_n; i++)
		text = arena_printf(&w->a, "%s%s%s", text, i ? " " : "",
				    r->after[i]);
	return text;
}

const char *
world_actions(struct world *w, size_t recipient)
{
	const struct verdict_recipient *r = &w->v.recipients[recipient];
	const char *text = "";

	for (size_t i = 0; i < r->actions_n; i++)
		text = arena_printf(&w->a, "%s%s%s", text, i ? " " : "",
				    action_name(r->actions[i].action));
	return text;
}
