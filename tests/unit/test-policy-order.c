#include <config.h>

#include "policy-help.h"

#define RECIPIENT(how, value) "{\"StringExpression\": {\"Evaluate\": "	\
	"{\"Attribute\": \"RECIPIENT\"}, \"Operator\": \"" how "\", "	\
	"\"Values\": [\"" value "\"]}}"
#define SUBJECT(value) "{\"StringExpression\": {\"Evaluate\": "		\
	"{\"Attribute\": \"SUBJECT\"}, \"Operator\": \"CONTAINS\", "	\
	"\"Values\": [\"" value "\"]}}"
#define STATEMENT(action, condition) "{\"Action\": \"" action "\", "	\
	"\"Conditions\": [" condition "]}"
#define TRAFFIC(statements, more) "{\"PolicyStatements\": [" statements	\
	"], " more "}"
#define RULES(rules) "{\"Rules\": [" rules "]}"
#define RULE(name, conditions, actions) "{\"Name\": \"" name "\", "	\
	"\"Conditions\": [" conditions "], \"Actions\": [" actions "]}"
#define ADD "{\"AddHeader\": {\"HeaderName\": \"X-A\", "		\
	"\"HeaderValue\": \"b\"}}"
#define ROLE "\"RoleArn\": \"arn:aws:iam::1:role/mail\""
#define SEND "{\"Send\": {" ROLE "}}"
#define TO(addresses) "{\"ReplaceRecipient\": {\"ReplaceWith\": ["	\
	addresses "]}}"

static const struct {
	const char *policy;
	bool allowed;
	enum traffic_by by;
	size_t statement, looked_at;
} traffic_rows[] = {
	{ TRAFFIC("", "\"DefaultAction\": \"ALLOW\""), true,
	  TRAFFIC_BY_DEFAULT, 0, 0 },
	{ TRAFFIC("", "\"DefaultAction\": \"DENY\""), false,
	  TRAFFIC_BY_DEFAULT, 0, 0 },
	/* DENY comes first, wherever it stands. */
	{ TRAFFIC(STATEMENT("ALLOW", RECIPIENT("CONTAINS", "alice"))
		  ", " STATEMENT("DENY", RECIPIENT("ENDS_WITH",
						   ".com")),
		  "\"DefaultAction\": \"ALLOW\""), false,
	  TRAFFIC_BY_STATEMENT, 1, 1 },
	{ TRAFFIC(STATEMENT("ALLOW", RECIPIENT("CONTAINS", "alice"))
		  ", " STATEMENT("DENY", RECIPIENT("ENDS_WITH",
						   ".org")),
		  "\"DefaultAction\": \"DENY\""), true,
	  TRAFFIC_BY_STATEMENT, 0, 2 },
	{ TRAFFIC(STATEMENT("ALLOW", RECIPIENT("CONTAINS", "zz")),
		  "\"DefaultAction\": \"DENY\""), false,
	  TRAFFIC_BY_DEFAULT, 0, 1 },
	{ TRAFFIC(STATEMENT("ALLOW", RECIPIENT("CONTAINS", "alice")),
		  "\"DefaultAction\": \"DENY\", "
		  "\"MaxMessageSizeBytes\": 10"), false,
	  TRAFFIC_BY_SIZE, 0, 1 },
	{ TRAFFIC("", "\"DefaultAction\": \"ALLOW\", "
		  "\"MaxMessageSizeBytes\": 10000"), true,
	  TRAFFIC_BY_DEFAULT, 0, 0 },
	/* A statement is told before the size. */
	{ TRAFFIC(STATEMENT("DENY", RECIPIENT("CONTAINS", "alice")),
		  "\"DefaultAction\": \"ALLOW\", "
		  "\"MaxMessageSizeBytes\": 10"), false,
	  TRAFFIC_BY_STATEMENT, 0, 1 },
};

static void
traffic(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(traffic_rows); i++) {
		const struct verdict_recipient *r;
		struct world w;

		ROW(traffic_rows[i].policy);
		world_begin(&w);
		world_load(&w, NULL, traffic_rows[i].policy);
		world_load(&w, NULL, RULES(RULE("r", "", ADD)));
		world_judge(&w, 0);
		r = w.v.recipients;
		assert_int_equal(r->allowed, traffic_rows[i].allowed);
		assert_int_equal(r->by, traffic_rows[i].by);
		assert_int_equal(r->statement, traffic_rows[i].statement);
		assert_int_equal(r->statements_n, traffic_rows[i].looked_at);
		assert_int_equal(r->rules_n, traffic_rows[i].allowed);
		assert_int_equal(r->disposition, traffic_rows[i].allowed ?
				 DISPOSITION_ACCEPT : DISPOSITION_REJECT);
		assert_string_equal(world_after(&w, 0),
				    traffic_rows[i].allowed ?
				    "alice@example.com" : "");
		world_end(&w);
	}
}

static void
size_is_not_known_at_rcpt(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	world_load(&w, NULL, TRAFFIC("", "\"DefaultAction\": \"ALLOW\", "
				     "\"MaxMessageSizeBytes\": 1"));
	world_mail(&w, NULL);
	world_judge(&w, 0);
	assert_true(w.v.recipients[0].allowed);
	world_end(&w);
}

/* Expressions of traffic policies only. */
static void
traffic_conditions(void **state)
{
#define EXPRESSION(kind, name, how, value) "{\"" kind "\": {\"Evaluate\": " \
	"{\"Attribute\": \"" name "\"}, \"Operator\": \"" how "\", " value "}}"
#define V4(how) EXPRESSION("IpExpression", "SENDER_IP", how,		\
			   "\"Values\": [\"192.0.2.0/24\"]")
#define V6(how) EXPRESSION("Ipv6Expression", "SENDER_IPV6", how,	\
			   "\"Values\": [\"2001:db8::/32\"]")
#define TLS(how, version) EXPRESSION("TlsExpression", "TLS_PROTOCOL", how, \
				     "\"Value\": \"" version "\"")
	static const struct {
		const char *condition, *client;
		enum tls_version tls;
		enum answer says;
	} rows[] = {
		{ V4("CIDR_MATCHES"), "192.0.2.9", TLS_1_2, ANSWER_YES },
		{ V4("NOT_CIDR_MATCHES"), "192.0.2.9", TLS_1_2, ANSWER_NO },
		{ V4("NOT_CIDR_MATCHES"), "192.0.3.9", TLS_1_2, ANSWER_YES },
		{ V4("CIDR_MATCHES"), "2001:db8::1", TLS_1_2,
		  ANSWER_UNKNOWN },
		{ V4("NOT_CIDR_MATCHES"), "2001:db8::1", TLS_1_2,
		  ANSWER_UNKNOWN },
		{ V6("CIDR_MATCHES"), "2001:db8::1", TLS_1_2, ANSWER_YES },
		{ V6("NOT_CIDR_MATCHES"), "2001:db9::1", TLS_1_2,
		  ANSWER_YES },
		{ V6("NOT_CIDR_MATCHES"), "192.0.2.1", TLS_1_2,
		  ANSWER_UNKNOWN },
		{ TLS("IS", "TLS1_2"), "192.0.2.1", TLS_1_2, ANSWER_YES },
		{ TLS("IS", "TLS1_2"), "192.0.2.1", TLS_1_3, ANSWER_NO },
		{ TLS("MINIMUM_TLS_VERSION", "TLS1_2"), "192.0.2.1", TLS_1_3,
		  ANSWER_YES },
		{ TLS("MINIMUM_TLS_VERSION", "TLS1_3"), "192.0.2.1", TLS_1_2,
		  ANSWER_NO },
		{ TLS("MINIMUM_TLS_VERSION", "TLS1_2"), "192.0.2.1",
		  TLS_OLDER, ANSWER_NO },
		{ TLS("MINIMUM_TLS_VERSION", "TLS1_2"), "192.0.2.1",
		  TLS_WITHOUT, ANSWER_UNKNOWN },
		{ TLS("IS", "TLS1_3"), "192.0.2.1", TLS_UNKNOWN,
		  ANSWER_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		const char *policy;

		ROW(rows[i].condition);
		world_begin(&w);
		policy = arena_printf(&w.a, TRAFFIC(STATEMENT("ALLOW", "%s"),
				      "\"DefaultAction\": \"DENY\""),
				      rows[i].condition);
		world_load(&w, NULL, policy);
		facts_ip(rows[i].client, &w.f.client);
		w.f.tls = rows[i].tls;
		world_judge(&w, 0);
		assert_int_equal(w.v.recipients[0].statements[0].conditions[0]
				 .answer, rows[i].says);
		assert_int_equal(w.v.recipients[0].allowed,
				 rows[i].says == ANSWER_YES);
		world_end(&w);
	}
}

struct course {
	const char *rules, *actions, *after;
	enum disposition disposition;
	size_t looked_at;
};

static const struct course courses[] = {
	{ RULES(""), "", "alice@example.com", DISPOSITION_ACCEPT, 0 },
	{ RULES(RULE("a", "", ADD)), "AddHeader", "alice@example.com",
	  DISPOSITION_ACCEPT, 1 },
	{ RULES(RULE("a", SUBJECT("nothing"), "{\"Drop\": {}}") ", "
		RULE("b", SUBJECT("Invoice"), ADD)),
	  "AddHeader", "alice@example.com", DISPOSITION_ACCEPT, 2 },
	/* Drop ends the recipient, at once. */
	{ RULES(RULE("a", "", ADD ", {\"Drop\": {}}, " ADD) ", "
		RULE("b", "", ADD)), "AddHeader Drop", "", DISPOSITION_DROP,
	  1 },
	{ RULES(RULE("a", "", "{\"Reject\": {}}, " ADD) ", "
		RULE("b", "", ADD)), "Reject", "", DISPOSITION_REJECT, 1 },
	{ RULES(RULE("a", "", "{\"TempFail\": {}}, " ADD) ", "
		RULE("b", "", ADD)), "TempFail", "", DISPOSITION_TEMPFAIL, 1 },
	{ RULES(RULE("a", "", "{\"Stop\": {}}, " ADD) ", "
		RULE("b", "", ADD)), "Stop", "alice@example.com",
	  DISPOSITION_ACCEPT, 1 },
	{ RULES(RULE("a", "", "{\"Bounce\": {" ROLE ", \"Sender\": "
		     "\"a@b.example\", \"StatusCode\": \"5.1.1\", "
		     "\"SmtpReplyCode\": \"550\", \"DiagnosticMessage\": "
		     "\"no\"}}") ", " RULE("b", "", ADD)),
	  "Bounce", "", DISPOSITION_REJECT, 1 },
	/* Quarantine goes on, and worse may come. */
	{ RULES(RULE("a", "", "{\"Quarantine\": {}}") ", "
		RULE("b", "", ADD)), "Quarantine AddHeader",
	  "alice@example.com", DISPOSITION_QUARANTINE, 2 },
	{ RULES(RULE("a", "", "{\"Quarantine\": {}}, {\"Stop\": {}}")),
	  "Quarantine Stop", "alice@example.com", DISPOSITION_QUARANTINE, 1 },
	{ RULES(RULE("a", "", "{\"Quarantine\": {}}, {\"Drop\": {}}")),
	  "Quarantine Drop", "", DISPOSITION_DROP, 1 },
	/* Handed on: the envelope is empty, the rules go on. */
	{ RULES(RULE("a", "", SEND) ", " RULE("b", "", ADD)),
	  "Send AddHeader", "", DISPOSITION_ACCEPT, 2 },
	{ RULES(RULE("a", "", SEND ", " TO("\"c@d.example\""))),
	  "Send ReplaceRecipient", "", DISPOSITION_ACCEPT, 1 },
	/* Replaced: later rules see any of the new ones. */
	{ RULES(RULE("a", "", TO("\"c@d.example\", \"e@f.example\"")) ", "
		RULE("b", RECIPIENT("EQUALS", "E@f.example"), ADD) ", "
		RULE("c", RECIPIENT("NOT_EQUALS", "e@f.example"), ADD) ", "
		RULE("d", RECIPIENT("CONTAINS", "alice"), ADD)),
	  "ReplaceRecipient AddHeader", "c@d.example e@f.example",
	  DISPOSITION_ACCEPT, 4 },
	{ RULES(RULE("a", "", TO("\"c@d.example\"")) ", "
		RULE("b", "", TO("\"e@f.example\""))),
	  "ReplaceRecipient ReplaceRecipient", "e@f.example",
	  DISPOSITION_ACCEPT, 2 },
};

static void
rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(courses); i++) {
		const struct course *x = &courses[i];
		struct world w;

		ROW(x->rules);
		world_begin(&w);
		world_load(&w, NULL, x->rules);
		world_judge(&w, 0);
		assert_string_equal(world_actions(&w, 0), x->actions);
		assert_string_equal(world_after(&w, 0), x->after);
		assert_int_equal(w.v.recipients[0].disposition,
				 x->disposition);
		assert_int_equal(w.v.recipients[0].rules_n, x->looked_at);
		world_end(&w);
	}
}

static void
unless(void **state)
{
#define UNLESS(conditions, unless) RULES("{\"Conditions\": ["		\
	conditions "], \"Unless\": [" unless "], \"Actions\": [" ADD "]}")
	static const struct {
		const char *rules;
		bool matched;
		size_t looked_at, all;
	} rows[] = {
		{ UNLESS("", ""), true, 0, 0 },
		{ UNLESS("", SUBJECT("invoice")), false, 1, 1 },
		{ UNLESS("", SUBJECT("x")), true, 1, 1 },
		{ UNLESS(SUBJECT("invoice"), SUBJECT("x") ", "
			 SUBJECT("your")), false, 3, 3 },
		{ UNLESS(SUBJECT("x"), SUBJECT("y")), false, 1, 2 },
		{ UNLESS(SUBJECT("your"), SUBJECT("invoice") ", "
			 SUBJECT("x")), false, 2, 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int flags = 0; flags <= VERDICT_FULL;
		     flags += VERDICT_FULL) {
			const struct trail_step *s;
			struct world w;

			ROW(rows[i].rules);
			world_begin(&w);
			world_load(&w, NULL, rows[i].rules);
			world_judge(&w, flags);
			s = w.v.recipients[0].rules;
			assert_int_equal(s->matched, rows[i].matched);
			assert_int_equal(s->conditions_n, flags ?
					 rows[i].all : rows[i].looked_at);
			assert_string_equal(s->name, "");
			world_end(&w);
		}
}

static void
each_recipient_by_itself(void **state)
{
	static const char *const to[] = { "alice@example.com",
					  "BOB@example.com", "" };
	struct world w;

	(void)state;
	world_begin(&w);
	world_load(&w, NULL, RULES(RULE("r", RECIPIENT("STARTS_WITH", "bob"),
				   "{\"Drop\": {}}") ", "
				   RULE("s", SUBJECT("invoice"), ADD)));
	world_rcpt(&w, to, COUNT(to));
	world_judge(&w, 0);
	assert_int_equal(w.v.recipients_n, 3);
	assert_string_equal(world_actions(&w, 0), "AddHeader");
	assert_string_equal(world_actions(&w, 1), "Drop");
	assert_string_equal(world_actions(&w, 2), "AddHeader");
	assert_string_equal(world_after(&w, 0), "alice@example.com");
	assert_string_equal(world_after(&w, 1), "");
	world_end(&w);
}

static void
trail(void **state)
{
	const struct trail_condition *t;
	struct world w;

	(void)state;
	world_begin(&w);
	world_load(&w, NULL, RULES(RULE("r", SUBJECT("in\\\"v\\u00f6"),
					"{\"Drop\": {}}")));
	world_judge(&w, 0);
	t = w.v.recipients[0].rules[0].conditions;
	assert_string_equal(trail_text(t, &w.a),
			    "SUBJECT CONTAINS \"in\"v\\xc3\\xb6\"");
	assert_string_equal(t->found, "Your invoice 4711");
	world_end(&w);
}

static void
vector(void **state)
{
	static const char set[] = RULES(
		RULE("copy", RECIPIENT("CONTAINS", "x"), "{\"Archive\": "
		     "{\"TargetArchive\": \"a-1\"}}") ", "
		RULE("away", RECIPIENT("STARTS_WITH", "al"),
		     TO("\"c@d.example\"")) ", "
		RULE("mark", SUBJECT("a") ", " RECIPIENT("EQUALS",
			"b@example.com") ", " RECIPIENT("NOT_EQUALS", "c"),
		     ADD) ", "
		RULE("drop", RECIPIENT("EQUALS", "z"), "{\"Drop\": {}}"));
	struct world w;

	(void)state;
	world_begin(&w);
	assert_string_equal(verdict_vector(w.p, "a", 0, &w.a), "");
	world_load(&w, NULL, set);
	assert_string_equal(verdict_vector(w.p, "alice@x", 0, &w.a), "101");
	assert_string_equal(verdict_vector(w.p, "B@example.com", 0, &w.a),
			    "011");
	assert_string_equal(verdict_vector(w.p, "c", 0, &w.a), "000");
	world_end(&w);
}

/* A milter that asks for the traffic policy at the end of the message. */
static void
vector_of_traffic(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	world_load(&w, NULL, "{\"DefaultAction\": \"ALLOW\", "
		   "\"PolicyStatements\": [{\"Action\": \"DENY\", "
		   "\"Conditions\": [{\"StringExpression\": {\"Evaluate\": "
		   "{\"Attribute\": \"RECIPIENT\"}, \"Operator\": "
		   "\"STARTS_WITH\", \"Values\": [\"al\"]}}]}]}");
	assert_string_equal(verdict_vector(w.p, "alice@x", VERDICT_TRAFFIC,
					   &w.a), "1");
	assert_string_equal(verdict_vector(w.p, "bob@x", VERDICT_TRAFFIC,
					   &w.a), "0");
	assert_string_equal(verdict_vector(w.p, "alice@x", 0, &w.a), "");
	assert_false(policy_asks_analysis(w.p));
	world_end(&w);
}

/* In brief: the same result, and of the trail what matched. */
static void
brief(void **state)
{
	static const char *const to[] = { "alice@example.com",
					  "bob@example.com" };
	static const char set[] = RULES(
		RULE("no", SUBJECT("never"), ADD) ", "
		RULE("away", RECIPIENT("STARTS_WITH", "al"),
		     TO("\"c@d.example\"")) ", "
		RULE("mark", SUBJECT("invoice"), ADD) ", "
		RULE("bob", RECIPIENT("STARTS_WITH", "bob"),
		     "{\"Drop\": {}}") ", "
		RULE("neither", SUBJECT("never"), ADD));
	const struct verdict_recipient *r;
	struct world w;

	(void)state;
	world_begin(&w);
	world_load(&w, NULL, set);
	world_rcpt(&w, to, COUNT(to));
	world_judge(&w, VERDICT_BRIEF);
	r = w.v.recipients;
	assert_int_equal(r[0].rules_n, 2);
	assert_string_equal(r[0].rules[0].name, "away");
	assert_int_equal(r[0].rules[1].index, 2);
	assert_string_equal(world_actions(&w, 0),
			    "ReplaceRecipient AddHeader");
	assert_string_equal(world_after(&w, 0), "c@d.example");
	assert_int_equal(r[1].rules_n, 2);
	assert_string_equal(r[1].rules[1].name, "bob");
	assert_string_equal(world_actions(&w, 1), "AddHeader Drop");
	assert_int_equal(r[1].after_n, 0);
	assert_int_equal(r[1].reached_n, 1);
	assert_string_equal(r[1].reached[0], "bob@example.com");
	world_judge(&w, VERDICT_TRAFFIC);
	assert_int_equal(w.v.recipients[0].rules_n, 0);
	assert_int_equal(w.v.recipients[1].disposition, DISPOSITION_ACCEPT);
	assert_false(policy_removes(w.p, "x"));
	world_end(&w);
}

#define LISTED(how) "{\"BooleanExpression\": {\"Evaluate\": {"		\
	"\"Analysis\": {\"Analyzer\": \"arn:a\", \"ResultField\": \"x\"}}, " \
	"\"Operator\": \"" how "\"}}"

/* What it says at RCPT is final, unless it waits for the message. */
static void
vector_of_analysis(void **state)
{
	static const struct {
		const char *policy, *alice, *bob;
	} rows[] = {
		{ TRAFFIC(STATEMENT("DENY", RECIPIENT("STARTS_WITH", "bob")),
			  "\"DefaultAction\": \"ALLOW\""), "", "" },
		{ TRAFFIC(STATEMENT("DENY", LISTED("IS_TRUE")),
			  "\"DefaultAction\": \"ALLOW\""), "", "" },
		{ TRAFFIC(STATEMENT("DENY", LISTED("IS_TRUE") ", "
				    RECIPIENT("STARTS_WITH", "bob")),
			  "\"DefaultAction\": \"ALLOW\""), "0", "1" },
		{ TRAFFIC(STATEMENT("DENY", LISTED("IS_TRUE")) ", "
			  STATEMENT("ALLOW", RECIPIENT("STARTS_WITH", "bob")),
			  "\"DefaultAction\": \"DENY\""), "0", "1" },
		{ TRAFFIC(STATEMENT("ALLOW", RECIPIENT("STARTS_WITH", "bob"))
			  ", " STATEMENT("ALLOW",
			"{\"StringExpression\": {\"Evaluate\": {\"Analysis\": "
			"{\"Analyzer\": \"a\", \"ResultField\": \"x\"}}, "
			"\"Operator\": \"EQUALS\", \"Values\": [\"y\"]}}"),
			  "\"DefaultAction\": \"DENY\""), "0", "1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;

		ROW(rows[i].policy);
		world_begin(&w);
		world_load(&w, NULL, rows[i].policy);
		assert_string_equal(verdict_vector(w.p, "alice@x", 0, &w.a),
				    rows[i].alice);
		assert_string_equal(verdict_vector(w.p, "bob@x", 0, &w.a),
				    rows[i].bob);
		world_end(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traffic),
		cmocka_unit_test(size_is_not_known_at_rcpt),
		cmocka_unit_test(traffic_conditions),
		cmocka_unit_test(rules),
		cmocka_unit_test(unless),
		cmocka_unit_test(each_recipient_by_itself),
		cmocka_unit_test(trail),
		cmocka_unit_test(vector),
		cmocka_unit_test(vector_of_traffic),
		cmocka_unit_test(vector_of_analysis),
		cmocka_unit_test(brief),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
