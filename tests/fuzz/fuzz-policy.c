#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/mail/decode.h"
#include "policy/policy.h"
#include "policy/verdict.h"

static const char mail[] =
	"From: Bob <bob@example.net>\r\nTo: alice@example.com, g: c@d.e;\r\n"
	"Subject: =?utf-8?q?=C3=A4?= b\r\nSubject: two\r\nX-A: b\r\n"
	"Disposition-Notification-To: x@y.z\r\n\r\n";

static void
printable(const struct buf *lines)
{
	for (size_t i = 0; i < lines->len; i++)
		PROMISE(lines->data[i] == '\n' ||
			(lines->data[i] >= ' ' && lines->data[i] < 127));
}

/* Nothing that a policy says depends on what nobody has said. */
static void
evaluate(const struct policy *p)
{
	static const char *const to[] = { "alice@example.com", "" };
	struct arena a = { 0 };
	struct head h;
	struct facts f = { .recipients = to, .recipients_n = 2,
			   .mail_from = "bob@example.net", .head = &h };
	struct verdict v;

	head_read(&h, mail, sizeof(mail) - 1, &a);
	for (int flags = 0; flags <= VERDICT_FULL; flags++) {
		verdict_make(p, &f, flags, &v, &a);
		PROMISE(v.recipients_n == 2);
		for (size_t i = 0; i < v.recipients[0].rules_n; i++) {
			const struct trail_step *s = &v.recipients[0].rules[i];

			for (size_t j = 0; j < s->conditions_n; j++)
				trail_text(&s->conditions[j], &a);
		}
	}
	verdict_vector(p, to[0], 0, &a);
	verdict_vector(p, to[0], VERDICT_TRAFFIC, &a);
	f.head = NULL;
	verdict_make(p, &f, 0, &v, &a);
	arena_free(&a);
}

/* What is printed reads as the same, and prints the same. */
static void
print_again(const struct policy *p, enum policy_kind kind)
{
	struct config_mistakes m = { .file = "p" };
	struct policy *again = policy_new();
	struct buf lines, out, out2;

	buf_init(&lines, 65536);
	buf_init(&out, POLICY_MAX);
	buf_init(&out2, POLICY_MAX);
	m.lines = &lines;
	PROMISE(policy_print(p, kind, &out));
	PROMISE(policy_add(again, kind, NULL, out.data, out.len, false, &m) ==
		kind);
	PROMISE(m.n == 0);
	PROMISE(policy_print(again, kind, &out2));
	PROMISE(strcmp(out.data, out2.data) == 0);
	policy_free(again);
	buf_free(&lines);
	buf_free(&out);
	buf_free(&out2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_mistakes m = { .file = "f" };
	struct policy *p = policy_new();
	struct buf lines;
	enum policy_kind kind;

	decode_init();
	buf_init(&lines, 1 << 20);
	m.lines = &lines;
	kind = policy_add(p, POLICY_UNKNOWN, NULL, (const char *)data, size,
			  false, &m);
	PROMISE((m.n > 0) == (lines.len > 0));
	PROMISE(kind != POLICY_UNKNOWN || m.n > 0);
	printable(&lines);
	if (m.n == 0) {
		policy_missing_facts(p, &lines);
		policy_missing_targets(p, &lines);
		policy_explain(p, &lines);
		printable(&lines);
		evaluate(p);
		print_again(p, kind);
	}
	policy_free(p);
	buf_free(&lines);
	return 0;
}
