#include <config.h>

#include "filter-help.h"

#define TAG " tag=route=direct; ingress=mx-in"
#define BOUNCE(code, status, text) "{\"Bounce\": {\"RoleArn\": " \
	"\"arn:aws:iam::123456789012:role/x\", \"Sender\": \"a@b.example\", " \
	"\"StatusCode\": \"" status "\", \"SmtpReplyCode\": \"" code "\", " \
	"\"DiagnosticMessage\": \"" text "\"}}"

struct row {
	const char *rules;
	const char *recipients;	/* with blanks between */
	const char *header;
	enum result result;
	const char *wanted;	/* edits, or the reply */
};

static void
send_mail(struct stage *t, const struct row *r)
{
	char *copy = strdup(r->recipients), *rest = copy, *one;

	assert_non_null(copy);
	stage_rules(t, r->rules);
	stage_mail(t, NULL, NULL);
	while ((one = strsep(&rest, " ")) != NULL)
		assert_true(stage_rcpt(t, one));
	stage_header(t, r->header);
	stage_finish(t);
	free(copy);
}

static const char *
shown(struct stage *t)
{
	if (*t->p.reply.code != '\0')
		return arena_printf(&t->a, "%s %s %s", t->p.reply.code,
				    t->p.reply.status, t->p.reply.text);
	return arena_printf(&t->a, " %s", stage_edits(t));
}

static void
assert_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct stage t;

		ROW(rows[i].rules);
		stage_begin(&t, "");
		send_mail(&t, &rows[i]);
		assert_string_equal(shown(&t), rows[i].wanted);
		assert_int_equal(t.p.result, rows[i].result);
		stage_end(&t);
	}
}

static void
headers(void **state)
{
	static const struct row rows[] = {
		{ RULES(RULE("r", "", ADD("X-A", "b"))), "<a@b>",
		  "Subject: x\n", RESULT_ACCEPTED, " +X-A: b "
		  "tag=route=direct; ingress=mx-in; rules=r" },
		/* Copies of our tag, whoever wrote them and how. */
		{ RULES(RULE("r", CONDITION("SUBJECT", "EQUALS", "no"), DROP)),
		  "<a@b>", "X-FallbackMX: a\nSubject: x\nx-fallbackmx : b\n"
		  "X-FALLBACKMX\t: c\n d\nX-FallbackMXX: e\n", RESULT_ACCEPTED,
		  " -X-FallbackMX:3 -X-FallbackMX:2 -X-FallbackMX:1"
		  TAG },
		/* From the last to the first, each name once. */
		{ RULES(RULE("r", "", REMOVE("x-spam")) ", "
			RULE("s", "", REMOVE("X-Spam"))), "<a@b>",
		  "X-Spam: 1\nA: b\nX-SPAM: 2\n", RESULT_ACCEPTED,
		  " -x-spam:2 -x-spam:1 tag=route=direct; ingress=mx-in; "
		  "rules=r,s" },
		/* What a later rule removes is not added; in the other order
		 * ours replaces what came. */
		{ RULES(RULE("r", "", ADD("X-A", "b")) ", "
			RULE("s", "", REMOVE("X-A"))), "<a@b>", "X-A: 1\n",
		  RESULT_ACCEPTED, " -X-A:1 tag=route=direct; ingress=mx-in; "
		  "rules=r,s" },
		{ RULES(RULE("r", "", REMOVE("X-A") ", " ADD("X-A", "b"))),
		  "<a@b>", "X-A: 1\nX-A: 2\n", RESULT_ACCEPTED, " -X-A:2 "
		  "-X-A:1 +X-A: b tag=route=direct; ingress=mx-in; rules=r" },
		/* Our tag is nobody's to write. */
		{ RULES(RULE("r", "", ADD("X-FallbackMX", "b") ", "
			     REMOVE("X-FallbackMX"))), "<a@b>",
		  "X-FallbackMX: 1\n", RESULT_ACCEPTED, " -X-FallbackMX:1 "
		  "tag=route=direct; ingress=mx-in; rules=r" },
		/* Once for all recipients. */
		{ RULES(RULE("r", "", ADD("X-A", "b") ", " ADD("X-A", "c"))),
		  "<a@b> <c@d>", "", RESULT_ACCEPTED, " +X-A: b +X-A: c "
		  "tag=route=direct; ingress=mx-in; rules=r" },
		{ RULES(RULE("r", "", "{\"Quarantine\": {\"Reason\": "
			     "\"why not\"}}")), "<a@b>", "", RESULT_QUARANTINED,
		  TAG "; rules=r hold=why not" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void
envelopes(void **state)
{
#define AWAY(who, with) RULES(RULE("r", CONDITION("RECIPIENT", \
	"STARTS_WITH", who), REPLACE(with)))
	static const struct row rows[] = {
		{ AWAY("al", "\"c@d.example\""), "<Alice@B>", "",
		  RESULT_ACCEPTED, TAG "; rules=r gone=<Alice@B> "
		  "come=<c@d.example>" },
		{ AWAY("x", "\"c@d.example\""), "<Alice@B>", "",
		  RESULT_ACCEPTED, TAG },
		/* Itself among the new ones: it stays. */
		{ AWAY("al", "\"c@d.example\", \"ALICE@b.example\""),
		  "<alice@b.example>", "", RESULT_ACCEPTED,
		  TAG "; rules=r come=<c@d.example>" },
		/* Nothing but itself: untouched. */
		{ AWAY("al", "\"Alice@b.example\""), "<alice@b.example>", "",
		  RESULT_ACCEPTED, TAG "; rules=r" },
		/* To one that is there already, and the same for two. */
		{ AWAY("al", "\"bob@b.example\""),
		  "<alice@b> <bob@b.example> <al@b>", "", RESULT_ACCEPTED,
		  TAG "; rules=r gone=<al@b> gone=<alice@b>" },
		{ AWAY("al", "\"c@d.example\""), "<alice@b> <al@b> <alice@b>",
		  "", RESULT_ACCEPTED, TAG "; rules=r gone=<al@b> "
		  "gone=<alice@b> come=<c@d.example>" },
		/* Each text of RCPT for the same mailbox, without route, and
		 * what it means. */
		{ AWAY("al", "\"c@d.example\""),
		  "<\"alice\"@b> <@r:alice@b> alice@b", "", RESULT_ACCEPTED,
		  TAG "; rules=r gone=<\"alice\"@b> gone=<alice@b> "
		  "gone=alice@b come=<c@d.example>" },
		/* One that Postfix would not find again, where it has to go. */
		{ AWAY("al", "\"c@d.example\""), "<@q:@r:bob@b>", "",
		  RESULT_ACCEPTED, TAG },
		{ AWAY("@r", "\"c@d.example\""), "<@q:@r:bob@b>", "",
		  RESULT_REJECTED, "553 5.1.3 Recipient with a source route "
		  "inside of its address" },
		{ RULES(RULE("r", CONDITION("RECIPIENT", "STARTS_WITH", "al"),
			     DROP)), "<alice@b> <bob@b> <al@b>", "",
		  RESULT_ACCEPTED, TAG "; rules=r gone=<al@b> "
		  "gone=<alice@b>" },
		/* Dropped here, wanted there. */
		{ RULES(RULE("r", CONDITION("RECIPIENT", "EQUALS",
					    "alice@b.example"), DROP) ", "
			RULE("s", CONDITION("RECIPIENT", "STARTS_WITH", "bob"),
			     REPLACE("\"alice@b.example\""))),
		  "<alice@b.example> <bob@b>", "", RESULT_ACCEPTED,
		  TAG "; rules=r,s gone=<bob@b>" },
		{ RULES(RULE("r", "", DROP)), "<alice@b> <bob@b>", "",
		  RESULT_DROPPED, " " },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void
answers(void **state)
{
	static const struct row rows[] = {
		{ RULES(RULE("r", "", BOUNCE("550", "5.1.1", "gone"))),
		  "<a@b> <c@d>", "X-FallbackMX: 1\n", RESULT_REJECTED,
		  "550 5.1.1 gone" },
		{ RULES(RULE("r", "", BOUNCE("450", "4.2.1", "later"))),
		  "<a@b>", "", RESULT_TEMPFAILED, "450 4.2.1 later" },
		/* Classes that differ. */
		{ RULES(RULE("r", "", BOUNCE("450", "5.2.1", "x"))),
		  "<a@b>", "", RESULT_REJECTED, "550 5.7.1 x" },
		{ RULES(RULE("r", "", "{\"Reject\": {}}")), "<a@b>", "",
		  RESULT_REJECTED, "550 5.7.1 Message refused" },
		{ RULES(RULE("r", "", "{\"TempFail\": {}}")), "<a@b>", "",
		  RESULT_TEMPFAILED, "451 4.7.1 Please try again later" },
		{ RULES(RULE("r", "", "{\"TempFail\": {\"DiagnosticMessage\": "
			     "\"not 100%\"}}")), "<a@b>", "",
		  RESULT_TEMPFAILED, "451 4.7.1 not 100%" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* Recipients that do not agree were kept apart at RCPT; if it happens all the
 * same nothing is done. */
static void
some_are_refused(void **state)
{
	struct verdict_recipient r[2] = {
		{ .recipient = "a@b", .allowed = true,
		  .disposition = DISPOSITION_REJECT },
		{ .recipient = "c@d", .allowed = true },
	};
	const struct verdict v = { .recipients = r, .recipients_n = 2 };
	struct stage t;

	(void)state;
	stage_begin(&t, "");
	stage_mail(&t, NULL, NULL);
	stage_rcpt(&t, "<a@b>");
	stage_rcpt(&t, "<c@d>");
	plan_make(&t.m, &v, false, &t.p);
	assert_int_equal(t.p.result, RESULT_TEMPFAILED);
	assert_int_equal(t.p.trouble, TROUBLE_INTERNAL);
	assert_string_equal(t.p.reply.code, "451");
	assert_string_equal(stage_edits(&t), "");
	stage_end(&t);
}

/* Any TEMPFAIL is one for all, whatever else would have been done. */
static void
one_temporary_failure(void **state)
{
	struct verdict_recipient r[3] = {
		{ .recipient = "a@b", .disposition = DISPOSITION_REJECT },
		{ .recipient = "c@d", .disposition = DISPOSITION_TEMPFAIL },
		{ .recipient = "e@f", .disposition = DISPOSITION_DROP },
	};
	const struct verdict v = { .recipients = r, .recipients_n = 3 };
	struct stage t;

	(void)state;
	stage_begin(&t, "");
	stage_mail(&t, NULL, NULL);
	plan_make(&t.m, &v, false, &t.p);
	assert_int_equal(t.p.result, RESULT_TEMPFAILED);
	assert_int_equal(t.p.trouble, -1);
	stage_end(&t);
}

static void
failures(void **state)
{
#define ON(answer) "{\"ingress_points\": [{\"name\": \"mx-in\"}], " \
	"\"on_failure\": {\"limits\": \"" answer "\"}}"
	static const struct {
		const char *settings;
		enum result result;
		const char *wanted;
	} rows[] = {
		{ "", RESULT_TEMPFAILED, "451 4.3.0 Temporary failure, please "
		  "try again later" },
		{ ON("reject"), RESULT_REJECTED,
		  "552 5.3.4 Message header is too large" },
		{ ON("accept"), RESULT_ACCEPTED,
		  " -X-FallbackMX:2 -X-FallbackMX:1" TAG
		  "; failure=limits" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage t;

		ROW(rows[i].settings);
		stage_begin(&t, rows[i].settings);
		stage_mail(&t, NULL, NULL);
		stage_rcpt(&t, "<a@b>");
		stage_header(&t, "X-FallbackMX: 1\nX-FallbackMX: 2\n");
		plan_fail(&t.m, TROUBLE_LIMITS, "x", &t.p);
		assert_int_equal(t.p.result, rows[i].result);
		assert_int_equal(t.p.trouble, TROUBLE_LIMITS);
		assert_string_equal(shown(&t), rows[i].wanted);
		stage_end(&t);
	}
}

/* Half of an envelope may be lost: such mail is never accepted. */
static void
an_edit_is_not_taken(void **state)
{
	static const struct {
		const char *actions;
		enum result result;
	} rows[] = {
		{ ADD("X-A", "b"), RESULT_ACCEPTED },
		{ REPLACE("\"c@d\""), RESULT_TEMPFAILED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char rules[512];
		struct stage t;

		ROW(rows[i].actions);
		snprintf(rules, sizeof(rules), RULES(RULE("r", "", "%s")),
			 rows[i].actions);
		stage_begin(&t, "{\"ingress_points\": [{\"name\": \"mx-in\"}], "
			    "\"on_failure\": {\"edit\": \"accept\"}}");
		stage_rules(&t, rules);
		stage_mail(&t, NULL, NULL);
		stage_rcpt(&t, "<a@b>");
		stage_finish(&t);
		assert_int_equal(t.p.result, RESULT_ACCEPTED);
		plan_fail_edit(&t.m, "x", &t.p);
		assert_int_equal(t.p.result, rows[i].result);
		assert_int_equal(t.p.trouble, TROUBLE_EDIT);
		stage_end(&t);
	}
}

/* Beyond what policies look at, what we remove is counted all the same. */
static void
more_header_than_is_looked_at(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, ON("accept"));
	stage_rules(&t, RULES(RULE("r", "", REMOVE("X-Spam"))));
	stage_mail(&t, NULL, NULL);
	stage_rcpt(&t, "<a@b>");
	for (size_t i = 0; i < HEAD_FIELDS_MAX; i++)
		stage_header(&t, i < 2 ? "X-Spam: 1\n" : "X-Other: 1\n");
	stage_header(&t, "x-spam: 1\nX-FallbackMX: 1\nX-Unknown: 1\n");
	assert_true(t.m.head.limits);
	stage_finish(&t);
	assert_true(t.j.limits);
	assert_int_equal(t.p.trouble, TROUBLE_LIMITS);
	assert_string_equal(shown(&t), " -X-FallbackMX:1 -X-Spam:3 -X-Spam:2 "
			    "-X-Spam:1" TAG "; rules=r; failure=limits");
	stage_end(&t);
}

static void
flood(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, ON("accept"));
	stage_mail(&t, NULL, NULL);
	for (size_t i = 0; i <= MESSAGE_FORGED_MAX; i++)
		stage_header(&t, "X-FallbackMX: 1\n");
	assert_true(plan_is_flood(&t.m));
	plan_refuse_flood(&t.m, &t.p);
	assert_int_equal(t.p.result, RESULT_REJECTED);
	stage_end(&t);
}

/* What a rule removes is as dear to the MTA as what we do. */
static void
flood_for_a_rule(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, ON("accept"));
	stage_rules(&t, RULES(RULE("r", "", REMOVE("X-Spam"))));
	stage_mail(&t, NULL, NULL);
	stage_rcpt(&t, "<a@b>");
	for (size_t i = 0; i <= MESSAGE_FORGED_MAX; i++)
		stage_header(&t, "X-Spam: 1\n");
	stage_finish(&t);
	assert_int_equal(t.p.result, RESULT_REJECTED);
	assert_int_equal(t.p.removals_n, 0);
	stage_end(&t);
}

/* Results that bear our name and are not believed go, the others stay. */
static void
forged_results(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, "{\"authserv_id\": \"mx.example\", "
		    "\"ingress_points\": [{\"name\": \"mx-in\"}]}");
	stage_mail(&t, NULL, NULL);
	stage_rcpt(&t, "<a@b>");
	stage_header(&t,
		     "Authentication-Results: mx.example; spf=pass\n"
		     "authentication-results: mx.example/other; dkim=pass\n"
		     "Authentication-Results: other.example; spf=fail\n"
		     "Authentication-Results: mx.example; =\n"
		     "Received: from x\n"
		     "Authentication-Results:\n mx.example; spf=pass\n"
		     "Authentication-Results : MX.EXAMPLE 1; spf=pass\n"
		     "Authentication-Results: mx.example.org; spf=pass\n");
	stage_finish(&t);
	assert_string_equal(shown(&t), " -Authentication-Results:6 "
			    "-Authentication-Results:5 "
			    "-Authentication-Results:4 "
			    "-Authentication-Results:2" TAG);
	assert_int_equal(t.m.auth.spf, AUTH_PASS);
	assert_int_equal(t.m.auth.dkim, AUTH_PROCESSING_FAILED);
	stage_end(&t);
}

/* Fifty thousand recipients cost no square of time. */
static void
many_recipients(void **state)
{
	char text[64];
	struct stage t;

	(void)state;
	stage_begin(&t, "");
	stage_rules(&t, RULES(RULE("r", CONDITION("RECIPIENT", "CONTAINS",
						  "7@"), DROP) ", "
			      RULE("s", CONDITION("RECIPIENT", "CONTAINS",
						  "8@"),
				   REPLACE("\"a@b.example\""))));
	stage_mail(&t, NULL, NULL);
	for (size_t i = 0; i < MESSAGE_RECIPIENTS_MAX; i++) {
		snprintf(text, sizeof(text), "<user%zu@b.example>", i);
		assert_true(stage_rcpt(&t, text));
	}
	assert_false(stage_rcpt(&t, "<one-more@b.example>"));
	assert_string_equal(t.reply.code, "452");
	stage_finish(&t);
	assert_int_equal(t.p.gone_n, MESSAGE_RECIPIENTS_MAX / 5);
	assert_int_equal(t.p.come_n, 1);
	stage_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(envelopes),
		cmocka_unit_test(answers),
		cmocka_unit_test(some_are_refused),
		cmocka_unit_test(one_temporary_failure),
		cmocka_unit_test(failures),
		cmocka_unit_test(an_edit_is_not_taken),
		cmocka_unit_test(more_header_than_is_looked_at),
		cmocka_unit_test(flood),
		cmocka_unit_test(flood_for_a_rule),
		cmocka_unit_test(forged_results),
		cmocka_unit_test(many_recipients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
