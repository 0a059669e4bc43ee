#include <config.h>

#include <arpa/inet.h>

#include "filter-help.h"

#define SHADOW "{\"ingress_points\": [{\"name\": \"mx-in\", " \
	"\"traffic_policy\": \"/t\", \"rule_set\": \"/r\", " \
	"\"traffic_policy_mode\": \"shadow\", \"rule_set_mode\": \"shadow\"}]}"
#define RELAYS "{\"fallback_relays\": [\"198.51.100.0/24\"], " \
	"\"ingress_points\": [{\"name\": \"mx-in\"}]}"
#define BY_RECIPIENT CONDITION("RECIPIENT", "STARTS_WITH", "al")
#define BY_IP "{\"IpExpression\": {\"Evaluate\": {\"Attribute\": " \
	"\"SENDER_IP\"}, \"Operator\": \"CIDR_MATCHES\", \"Values\": " \
	"[\"203.0.113.0/24\"]}}"
#define RECEIVED "Received: from h (h [203.0.113.5])\n\tby relay.example " \
	"(Postfix) with ESMTPS id 1;\n\tSun, 22 Nov 2026 09:34:56 +0000\n"

#define MARK RULE("m", CONDITION("SUBJECT", "CONTAINS", "x"), ADD("X-A", "b"))

/* What becomes of recipients at RCPT: + taken, else the code. */
static const struct {
	const char *settings, *traffic, *rules, *client, *recipients;
	const char *wanted;
} rcpts[] = {
	{ "", NULL, NULL, NULL, "<al@b> <bob@b>", "+ +" },
	{ "", DENY(BY_RECIPIENT), NULL, NULL, "<al@b> <bob@b>",
	  "550 +" },
	{ SHADOW, DENY(BY_RECIPIENT), RULES(RULE("r", BY_RECIPIENT,
		ADD("X-A", "b"))), NULL, "<al@b> <bob@b>", "+ +" },
	/* Rules that would differ want messages of their own. */
	{ "", NULL, RULES(RULE("r", BY_RECIPIENT, ADD("X-A", "b"))),
	  NULL, "<al@b> <bob@b> <alice@b>", "+ 451 +" },
	{ "", NULL, RULES(RULE("r", BY_RECIPIENT, ADD("X-A", "b"))),
	  NULL, "<bob@b> <al@b> <carl@b>", "+ 451 +" },
	{ "", NULL, RULES(RULE("r", BY_RECIPIENT, DROP)), NULL,
	  "<al@b> <bob@b>", "+ +" },
	/* As fallbackmx-policy(5) tells: what is done to single
	 * recipients stands behind what is done to the message. */
	{ "", NULL, RULES(MARK ", " RULE("r", BY_RECIPIENT, DROP)),
	  NULL, "<al@b> <bob@b>", "+ +" },
	{ "", NULL, RULES(RULE("r", BY_RECIPIENT, DROP) ", " MARK),
	  NULL, "<al@b> <bob@b>", "+ 451" },
	{ "", NULL, RULES(MARK ", " RULE("r", BY_RECIPIENT,
		REPLACE("\"c@d.example\""))), NULL,
	  "<al@b> <bob@b>", "+ +" },
	{ "", NULL, RULES(RULE("r", BY_RECIPIENT,
		REPLACE("\"c@d.example\"")) ", " MARK), NULL,
	  "<al@b> <bob@b>", "+ 451" },
	{ "", NULL, RULES(RULE("r", BY_RECIPIENT, "{\"Stop\": {}}")
		", " MARK), NULL, "<al@b> <bob@b>", "+ 451" },
	/* Who was refused sets no example. */
	{ "", DENY(BY_RECIPIENT), RULES(RULE("r", CONDITION("RECIPIENT",
		"EQUALS", "alice@b.example"), ADD("X-A", "b"))), NULL,
	  "<alice@b.example> <bob@b> <carl@b>", "550 + +" },
	/* Behind a relay the policy waits; then it must not tell
	 * recipients apart. */
	{ RELAYS, DENY(BY_RECIPIENT), NULL, "198.51.100.1",
	  "<al@b> <bob@b> <alice@b>", "+ 451 +" },
	{ RELAYS, DENY(BY_IP), NULL, "198.51.100.1",
	  "<al@b> <bob@b>", "+ +" },
	{ "", DENY(CONDITION("RECIPIENT", "EQUALS",
			     "alice@b.example")), NULL, NULL,
	  "<\"alice\"@b.example> <@r:ALICE@b.example.>", "550 550" },
};

static void
at_rcpt(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rcpts); i++) {
		char *copy = strdup(rcpts[i].recipients), *rest = copy, *one;
		char shown[64] = "";
		struct stage t;

		ROW(rcpts[i].wanted);
		assert_non_null(copy);
		stage_begin(&t, rcpts[i].settings);
		if (rcpts[i].traffic != NULL)
			stage_traffic(&t, rcpts[i].traffic);
		if (rcpts[i].rules != NULL)
			stage_rules(&t, rcpts[i].rules);
		stage_mail(&t, rcpts[i].client, NULL);
		while ((one = strsep(&rest, " ")) != NULL) {
			const size_t n = strlen(shown);

			snprintf(shown + n, sizeof(shown) - n, "%s%s",
				 n > 0 ? " " : "", stage_rcpt(&t, one) ? "+" :
				 t.reply.code);
		}
		assert_string_equal(shown, rcpts[i].wanted);
		stage_end(&t);
		free(copy);
	}
}

static void
by_whom(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, "");
	stage_traffic(&t, DENY(BY_RECIPIENT));
	stage_mail(&t, NULL, NULL);
	assert_false(stage_rcpt(&t, "<al@b>"));
	assert_int_equal(t.why, REFUSAL_POLICY);
	assert_int_equal(t.by.by, TRAFFIC_BY_STATEMENT);
	assert_int_equal(t.by.statement, 0);
	assert_string_equal(t.reply.text, t.m.ingress->s->deny_text);
	stage_end(&t);
}

static void
send_mail(struct stage *t, const char *header)
{
	stage_mail(t, NULL, NULL);
	assert_true(stage_rcpt(t, "<al@b>"));
	stage_header(t, header);
	stage_finish(t);
}

static void
behind_a_relay(void **state)
{
	char ip[INET6_ADDRSTRLEN];
	struct stage t;

	(void)state;
	stage_begin(&t, RELAYS);
	stage_traffic(&t, DENY(BY_IP));
	facts_ip("198.51.100.1", &t.client);
	send_mail(&t, RECEIVED "Received: from x ([192.0.2.9]) by y\n");
	assert_true(t.m.relayed);
	assert_non_null(inet_ntop(AF_INET, t.j.facts.client.bytes, ip,
				  sizeof(ip)));
	assert_string_equal(ip, "203.0.113.5");
	assert_string_equal(t.j.facts.helo, "h");
	assert_int_equal(t.j.facts.tls, TLS_UNKNOWN);
	assert_int_equal(t.p.result, RESULT_REJECTED);
	assert_string_equal(t.p.reply.status, "5.7.1");
	/* Nothing that can be read, nothing is guessed. */
	send_mail(&t, "Received: by y\n" RECEIVED);
	assert_int_equal(t.p.result, RESULT_TEMPFAILED);
	assert_int_equal(t.p.trouble, TROUBLE_INTERNAL);
	/* From elsewhere nobody believes it. */
	facts_ip("192.0.2.1", &t.client);
	send_mail(&t, RECEIVED);
	assert_int_equal(t.p.result, RESULT_ACCEPTED);
	assert_string_equal(t.p.tag, "route=direct; ingress=mx-in");
	stage_end(&t);
}

static void
in_shadow(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, SHADOW);
	stage_traffic(&t, DENY(CONDITION("RECIPIENT", "EQUALS", "x@y")));
	stage_rules(&t, RULES(RULE("r", "", DROP)));
	send_mail(&t, "Subject: x\n");
	assert_true(t.j.has_shadow);
	assert_int_equal(t.p.result, RESULT_ACCEPTED);
	assert_int_equal(t.p.rules_n, 0);
	assert_int_equal(t.j.shadow.recipients[0].disposition,
			 DISPOSITION_DROP);
	assert_false(t.j.limits);
	stage_end(&t);
}

/* Both policies of an ingress point are one verdict, as `policy test` has it.
 */
static void
both_policies(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, "");
	stage_traffic(&t, "{\"DefaultAction\": \"DENY\", "
		      "\"PolicyStatements\": [{\"Action\": \"ALLOW\", "
		      "\"Conditions\": [" BY_RECIPIENT "]}], "
		      "\"MaxMessageSizeBytes\": 30}");
	stage_rules(&t, RULES(RULE("r", "", DROP)));
	send_mail(&t, "Subject: x\n");
	assert_int_equal(t.j.verdict.recipients[0].by, TRAFFIC_BY_STATEMENT);
	assert_int_equal(t.j.verdict.recipients[0].statements_n, 1);
	assert_int_equal(t.j.verdict.recipients[0].rules_n, 1);
	assert_int_equal(t.p.result, RESULT_DROPPED);
	send_mail(&t, "Subject: x x x x x x x x x x x x\n");
	assert_int_equal(t.j.verdict.recipients[0].by, TRAFFIC_BY_SIZE);
	assert_int_equal(t.j.verdict.recipients[0].rules_n, 0);
	assert_string_equal(t.p.reply.code, "552");
	stage_end(&t);
}

/* Name: value CR LF, folds with CR LF, the empty line, the body. */
static void
size_by_count(void **state)
{
	struct stage t;

	(void)state;
	stage_begin(&t, "");
	stage_rules(&t, RULES(RULE("r", "", DROP)));
	stage_mail(&t, NULL, NULL);
	stage_header(&t, "A: b\nB: c\n d\n");
	assert_int_equal(t.m.size, strlen("A: b\r\nB: c\r\n d\r\n\r\n"));
	message_add_body(&t.m, "0123456789", 10);
	message_add_body(&t.m, "", 0);
	assert_int_equal(t.m.size, strlen("A: b\r\nB: c\r\n d\r\n\r\n") + 10);
	message_add_header(&t.m, "A", "b", true);
	assert_int_equal(t.m.size,
			 strlen("A: b\r\nB: c\r\n d\r\n\r\nA: b\r\n") + 10);
	stage_end(&t);
}

/* An analyzer of an earlier milter; a second value may be the sender's. */
static void
analyses(void **state)
{
#define ANALYZER "arn:aws:ses:us-east-1:123456789012:addon-instance/a-1"
	static const char rules[] = RULES(RULE("r", "{\"StringExpression\": "
		"{\"Evaluate\": {\"Analysis\": {\"Analyzer\": \"" ANALYZER
		"\", \"ResultField\": \"spam\"}}, \"Operator\": \"EQUALS\", "
		"\"Values\": [\"yes\"]}}", DROP));
	static const struct {
		const char *header;
		enum result result;
	} rows[] = {
		{ "X-Spam-Flag: yes\n", RESULT_DROPPED },
		{ "X-Spam-Flag: no\n", RESULT_ACCEPTED },
		{ "Subject: yes\n", RESULT_ACCEPTED },
		{ "X-Spam-Flag: no\nx-spam-flag: YES\n", RESULT_DROPPED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage t;

		ROW(rows[i].header);
		stage_begin(&t, "{\"ingress_points\": [{\"name\": \"mx-in\"}], "
			    "\"analyses\": [{\"analyzer\": \"" ANALYZER "\", "
			    "\"result_field\": \"spam\", "
			    "\"header\": \"X-Spam-Flag\"}]}");
		stage_rules(&t, rules);
		send_mail(&t, rows[i].header);
		assert_int_equal(t.p.result, rows[i].result);
		stage_end(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_rcpt),
		cmocka_unit_test(by_whom),
		cmocka_unit_test(behind_a_relay),
		cmocka_unit_test(in_shadow),
		cmocka_unit_test(both_policies),
		cmocka_unit_test(size_by_count),
		cmocka_unit_test(analyses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
