/*
 * One policy serves many threads: each judges mails of its own, and all of them
 * hear what a single one was told. Built with --enable-sanitizers=thread and
 * run with G_SLICE=always-malloc (GLib's own allocator has locks that the
 * sanitizer does not see) the test also finds what two of them would write to.
 */
#include <config.h>

#include <pthread.h>

#include "policy-help.h"

#define THREADS 4
#define ROUNDS 50

static const char rules[] = "{\"Rules\": ["
	"{\"Name\": \"text\", \"Conditions\": [{\"StringExpression\": "
	"{\"Evaluate\": {\"Attribute\": \"SUBJECT\"}, \"Operator\": "
	"\"CONTAINS\", \"Values\": [\"rechnung\", \"\\u8acb\"]}}], "
	"\"Actions\": [{\"ReplaceRecipient\": {\"ReplaceWith\": "
	"[\"bob@example.com\"]}}]},"
	"{\"Name\": \"list\", \"Conditions\": [{\"BooleanExpression\": "
	"{\"Evaluate\": {\"IsInAddressList\": {\"Attribute\": \"FROM\", "
	"\"AddressLists\": [\"list\"]}}, \"Operator\": \"IS_TRUE\"}}], "
	"\"Actions\": [{\"AddHeader\": {\"HeaderName\": \"X-A\", "
	"\"HeaderValue\": \"b\"}}]},"
	"{\"Name\": \"regex\", \"Conditions\": [{\"HeaderExpression\": "
	"{\"Evaluate\": {\"HeaderName\": \"X-Long\"}, \"Operator\": "
	"\"NOT_MATCHES\", \"Values\": [\"(a+)+$\", \"(b).*\\\\1{3}\"]}}], "
	"\"Actions\": [{\"Quarantine\": {}}]},"
	"{\"Name\": \"rest\", \"Unless\": [{\"IpExpression\": {\"Evaluate\": "
	"{\"Attribute\": \"SOURCE_IP\"}, \"Operator\": \"CIDR_MATCHES\", "
	"\"Values\": [\"192.0.2.0/24\"]}}], \"Actions\": [{\"Drop\": {}}]}]}";

static const char *const mails[] = {
	"From: Bob <bob@example.net>\nSubject: =?iso-8859-1?q?Rechnung_f=FCr"
	"?= Sie\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n\n",
	"From: =?koi8-r?q?=F0?= <a@xn--bcher-kva.example>, b@c\n"
	"Subject: =?iso-2022-jp?b?GyRCQEE=?=\nX-Long: bbbb\n\n",
	"From: broken <\nX-Long: c\n\n",
	"Subject: =?big5?q?=BD=D0?= =?utf-8?q?x?=\nX-Long: b bb\n\n",
};

struct said {
	const char *trail, *after;
};

struct part {
	struct world *w;	/* of which only the policy is shared */
	const struct said *wanted;	/* of each mail */
	size_t wrong;
	pthread_t thread;
};

/* All that a verdict tells, as text. */
static struct said
judge(const struct policy *p, const struct facts *given, const char *mail,
      struct arena *a)
{
	const char *const rcpt[] = { "alice@example.com" };
	struct facts f = *given;
	struct said said = { "", "" };
	struct head head = { 0 };
	struct verdict v;

	head_read(&head, mail, strlen(mail), a);
	f.head = &head;
	f.recipients = rcpt;
	verdict_make(p, &f, VERDICT_FULL, &v, a);
	for (size_t i = 0; i < v.recipients[0].rules_n; i++) {
		const struct trail_step *s = &v.recipients[0].rules[i];

		for (size_t j = 0; j < s->conditions_n; j++)
			said.trail = arena_printf(
				a, "%s%d %s %s; ", said.trail,
				s->conditions[j].answer, s->conditions[j].found,
				trail_text(&s->conditions[j], a));
	}
	said.after = v.recipients[0].after_n > 0 ? v.recipients[0].after[0] :
		"";
	said.after = arena_printf(a, "%s %s", said.after, verdict_vector(
		p, rcpt[0], 0, a));
	return said;
}

static void *
work(void *data)
{
	struct part *part = data;

	for (size_t i = 0; i < ROUNDS * COUNT(mails); i++) {
		const size_t k = i % COUNT(mails);
		struct arena a = { NULL };
		const struct said said = judge(part->w->p, &part->w->f,
					       mails[k], &a);

		part->wrong += strcmp(said.trail, part->wanted[k].trail) != 0 ||
			strcmp(said.after, part->wanted[k].after) != 0;
		arena_free(&a);
	}
	return NULL;
}

static void
shared(void **state)
{
	struct part parts[THREADS];
	struct said wanted[COUNT(mails)];
	struct world w;

	(void)state;
	world_begin(&w);
	world_load(&w, NULL, rules);
	world_load(&w, "list", "address\nbob@example.net\n*@c\n");
	for (size_t i = 0; i < COUNT(mails); i++)
		wanted[i] = judge(w.p, &w.f, mails[i], &w.a);
	assert_string_not_equal(wanted[0].trail, wanted[1].trail);
	for (size_t i = 0; i < THREADS; i++) {
		parts[i] = (struct part){ .w = &w, .wanted = wanted };
		assert_int_equal(pthread_create(&parts[i].thread, NULL, work,
						&parts[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(parts[i].thread, NULL), 0);
		assert_int_equal(parts[i].wrong, 0);
	}
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared),
	};

	return cmocka_run_group_tests_name("policy-threads", tests, NULL,
					   NULL);
}
