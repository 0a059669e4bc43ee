#include <config.h>

#include "policy-help.h"

struct wrong {
	const char *text;
	const char *says[4];	/* the lines, without "f: " */
};

#define RULES(inside) "{\"Rules\": [" inside "]}"
#define RULE(inside) RULES("{" inside ", \"Actions\": [{\"Drop\": {}}]}")
#define CONDITION(inside) RULE("\"Conditions\": [" inside "]")
#define STRING(inside) CONDITION("{\"StringExpression\": {" inside "}}")
#define ACTION(inside) RULES("{\"Actions\": [" inside "]}")
#define STATEMENTS(inside) "{\"DefaultAction\": \"DENY\", "		\
			   "\"PolicyStatements\": [" inside "]}"
#define STATEMENT(inside) STATEMENTS("{\"Action\": \"DENY\", "		\
				     "\"Conditions\": [" inside "]}")
#define S "\"Evaluate\": {\"Attribute\": \"SUBJECT\"}"
#define C0 "Rules[0].Conditions[0]"
#define A0 "Rules[0].Actions[0]"
#define OPERATORS "EQUALS, NOT_EQUALS, STARTS_WITH, ENDS_WITH or CONTAINS"
#define OURS "Drop, Relay, Archive, WriteToS3, Send, AddHeader, "	\
	"ReplaceRecipient, DeliverToMailbox, DeliverToQBusiness, "	\
	"PublishToSns, Bounce, InvokeLambda, Reject, TempFail, "	\
	"Quarantine, Stop or RemoveHeader"

static const struct wrong wrongs[] = {
	{ "", { ":1:0: cannot read JSON: '[' or '{' expected near end of "
		"file" } },
	{ "[]", { "found no object, expected a traffic policy, a rule set, a "
		  "relay, an archive or an address list" } },
	{ "{}", { "found an object of another kind, expected a traffic "
		  "policy, a rule set, a relay, an archive or an address "
		  "list" } },
	{ "{\"Rules\": 1}", { "Rules: found 1, expected rules (a list of 0 to "
			      "40)" } },
	{ "{\"RuleSetName\": \"a b\"}",
	  { "Rules: found nothing, expected rules (a list of 0 to 40)",
	    "RuleSetName: found \"a b\", expected a rule set's name (1 to 100 "
	    "characters, [a-zA-Z0-9_.-]+)" } },
	{ "{\"Rules\": [], \"Rulez\": []}",
	  { "Rulez: found an unknown key, expected RuleSetName or Rules (did "
	    "you mean \"Rules\"?)" } },
	{ RULES("1, {}"), { "Rules[0]: found 1, expected a rule (an object)",
			    "Rules[1].Actions: found nothing, expected "
			    "actions (a list of 1 to 10)" } },
	{ RULES("{\"Actions\": []}"),
	  { "Rules[0].Actions: found a list of 0, expected actions (a list "
	    "of 1 to 10)" } },
	{ RULE("\"Name\": \"123456789012345678901234567890123\""),
	  { "Rules[0].Name: found \"123456789012345678901234567890123\", "
	    "expected a rule's name (1 to 32 characters, "
	    "[a-zA-Z0-9_.-]+)" } },
	{ ACTION("{}"), { A0 ": found nothing, expected one of " OURS } },
	{ ACTION("{\"Drop\": {}, \"Stop\": {}}"),
	  { A0 ": found several members, expected one of " OURS } },
	{ ACTION("{\"Dropp\": {}}"),
	  { A0 ".Dropp: found an unknown key, expected " OURS " (did you mean "
	    "\"Drop\"?)" } },
	{ ACTION("{\"Drop\": []}"),
	  { A0 ".Drop: found a list, expected an empty object (an object)" } },
	{ ACTION("{\"Drop\": {\"x\": 1}}"),
	  { A0 ".Drop.x: found an unknown key, expected nothing" } },
	{ ACTION("{\"AddHeader\": {\"HeaderName\": \"Subject\", "
		 "\"HeaderValue\": \"a\\r\\nb\"}}"),
	  { A0 ".AddHeader.HeaderName: found \"Subject\", expected the name "
	    "of an X- header (1 to 64 characters, [xX]\\-[a-zA-Z0-9\\-]+)",
	    A0 ".AddHeader.HeaderValue: found \"a\\x0d\\x0ab\", expected a "
	    "header's value without control bytes (1 to 128 characters, "
	    "[^\\x00-\\x08\\x0a-\\x1f\\x7f]+)" } },
	{ ACTION("{\"ReplaceRecipient\": {\"ReplaceWith\": [\"a@b\", "
		 "\"a\"]}}"),
	  { A0 ".ReplaceRecipient.ReplaceWith[1]: found \"a\", expected a "
	    "mail address (0 to 254 characters, "
	    "[a-zA-Z0-9._+-]+@[a-zA-Z0-9.-]+)" } },
	{ ACTION("{\"InvokeLambda\": {\"FunctionArn\": \"arn:aws:lambda:x:1:"
		 "f\", \"RoleArn\": \"arn:aws:iam::1:role/r\", "
		 "\"InvocationType\": \"event\", \"RetryTimeMinutes\": "
		 "2161}}"),
	  { A0 ".InvokeLambda.InvocationType: found \"event\", expected EVENT "
	    "or REQUEST_RESPONSE",
	    A0 ".InvokeLambda.RetryTimeMinutes: found 2161, expected minutes "
	    "(an integer from 0 to 2160)" } },
	{ ACTION("{\"Relay\": {\"Relay\": \"r\", \"ActionFailurePolicy\": "
		 "\"STOP\"}}"),
	  { A0 ".Relay.ActionFailurePolicy: found \"STOP\", expected CONTINUE "
	    "or DROP (did you mean \"DROP\"?)" } },
	{ CONDITION("{\"TlsExpression\": {}}"),
	  { C0 ".TlsExpression: found an unknown key, expected "
	    "BooleanExpression, StringExpression, NumberExpression, "
	    "IpExpression, VerdictExpression, DmarcExpression, "
	    "HeaderExpression or AuthExpression (did you mean "
	    "\"IpExpression\"?)" } },
	{ STRING(S ", \"Operator\": \"CONTAIN\", \"Values\": [\"a\"]"),
	  { C0 ".StringExpression.Operator: found \"CONTAIN\", expected "
	    OPERATORS " (did you mean \"CONTAINS\"?)" } },
	{ STRING(S ", \"Operator\": \"EQUALS\", \"Values\": []"),
	  { C0 ".StringExpression.Values: found a list of 0, expected values "
	    "(a list of 1 to 10)" } },
	{ STRING(S ", \"Operator\": \"EQUALS\", \"Values\": [\"a\", \"\"]"),
	  { C0 ".StringExpression.Values[1]: found \"\", expected a value (1 "
	    "to 4096 characters)" } },
	{ STRING("\"Evaluate\": {}, \"Operator\": \"EQUALS\", \"Values\": "
		 "[\"a\"]"),
	  { C0 ".StringExpression.Evaluate: found nothing, expected one of "
	    "Attribute, MimeHeaderAttribute, Analysis or "
	    "ClientCertificateAttribute" } },
	{ STRING("\"Evaluate\": {\"MimeHeaderAttribute\": \"Subject\"}, "
		 "\"Operator\": \"EQUALS\", \"Values\": [\"a\"]"),
	  { C0 ".StringExpression.Evaluate.MimeHeaderAttribute: found "
	    "\"Subject\", expected the name of an X- header "
	    "(X-[a-zA-Z0-9-]{1,256})" } },
	{ CONDITION("{\"IpExpression\": {\"Evaluate\": {\"Attribute\": "
		    "\"SOURCE_IP\"}, \"Operator\": \"CIDR_MATCHES\", "
		    "\"Values\": [\"10.0.0.1\", \"10.0.0.0/33\"]}}"),
	  { C0 ".IpExpression.Values[0]: found \"10.0.0.1\", expected a range "
	    "such as 192.0.2.0/24 or 2001:db8::/32 (1 to 43 characters)",
	    C0 ".IpExpression.Values[1]: found \"10.0.0.0/33\", expected a "
	    "range such as 192.0.2.0/24 or 2001:db8::/32 (1 to 43 "
	    "characters)" } },
	{ CONDITION("{\"NumberExpression\": {\"Evaluate\": {\"Attribute\": "
		    "\"MESSAGE_SIZE\"}, \"Operator\": \"EQUALS\", \"Value\": "
		    "\"1\"}}"),
	  { C0 ".NumberExpression.Value: found \"1\", expected a number of "
	    "bytes (a number)" } },
	{ CONDITION("{\"HeaderExpression\": {\"Evaluate\": {\"HeaderName\": "
		    "\"A\"}, \"Operator\": \"MATCHES\", \"Values\": "
		    "[\"a\", \"(\"]}}"),
	  { C0 ".HeaderExpression.Values[1]: found \"(\", expected a regular "
	    "expression (missing closing parenthesis)" } },
	{ "{\"DefaultAction\": \"MAYBE\", \"PolicyStatements\": [], "
	  "\"MaxMessageSizeBytes\": 0}",
	  { "DefaultAction: found \"MAYBE\", expected ALLOW or DENY",
	    "MaxMessageSizeBytes: found 0, expected a number of bytes (an "
	    "integer from 1 to 2147483647)" } },
	{ STATEMENTS("{\"Action\": \"DENY\", \"Conditions\": []}"),
	  { "PolicyStatements[0].Conditions: found a list of 0, expected "
	    "conditions (a list of 1 to 10)" } },
	{ STATEMENT("{\"StringExpression\": {" S ", \"Operator\": \"EQUALS\", "
		    "\"Values\": [\"a\"]}}"),
	  { "PolicyStatements[0].Conditions[0].StringExpression.Evaluate."
	    "Attribute: found \"SUBJECT\", expected RECIPIENT" } },
	{ STATEMENT("{\"Ipv6Expression\": {\"Evaluate\": {\"Attribute\": "
		    "\"SENDER_IPV6\"}, \"Operator\": \"CIDR_MATCHES\", "
		    "\"Values\": [\"10.0.0.0/8\"]}}"),
	  { "PolicyStatements[0].Conditions[0].Ipv6Expression.Values[0]: "
	    "found \"10.0.0.0/8\", expected an IPv6 range such as "
	    "2001:db8::/32 (0 to 49 characters)" } },
	{ "{\"ServerName\": \"a b\", \"ServerPort\": 65536, "
	  "\"Authentication\": {}}",
	  { "ServerName: found \"a b\", expected a host (1 to 100 characters, "
	    "[a-zA-Z0-9-\\.]+)",
	    "ServerPort: found 65536, expected a port (an integer from 1 to "
	    "65535)",
	    "Authentication: found nothing, expected one of SecretArn or "
	    "NoAuthentication" } },
	{ "{\"ArchiveName\": \"-\", \"Retention\": {\"RetentionPeriod\": "
	  "\"TWO_YEAR\"}}",
	  { "ArchiveName: found \"-\", expected an archive's name (1 to 64 "
	    "characters, [a-zA-Z0-9][a-zA-Z0-9_-]*[a-zA-Z0-9])",
	    "Retention.RetentionPeriod: found \"TWO_YEAR\", expected "
	    "THREE_MONTHS, SIX_MONTHS, NINE_MONTHS, ONE_YEAR, "
	    "EIGHTEEN_MONTHS, TWO_YEARS, THIRTY_MONTHS, THREE_YEARS, "
	    "FOUR_YEARS, FIVE_YEARS, SIX_YEARS, SEVEN_YEARS, EIGHT_YEARS, "
	    "NINE_YEARS, TEN_YEARS or PERMANENT (did you mean "
	    "\"TWO_YEARS\"?)" } },
	{ "{\"AddressListName\": \"a\"}",
	  { "found nothing, expected Addresses or items" } },
	{ "{\"items\": [{\"address\": \"a@b\"}, {\"Address\": \"a@b\"}]}",
	  { "items[1].address: found nothing, expected an address or a "
	    "domain, with one * at most: *@d, pre*@d, *suf@d, l@*.d, *.d (3 "
	    "to 320 characters)",
	    "items[1].Address: found an unknown key, expected address (did "
	    "you mean \"address\"?)" } },
	{ "address\na@b\nnot one\n\"c@d\"\n",
	  { "line 3: found \"not one\", expected an address or a domain, with "
	    "one * at most: *@d, pre*@d, *suf@d, l@*.d, *.d (3 to 320 "
	    "characters)" } },
	{ "address\na@b\n\xff@b\n",
	  { "line 3: found bytes that are no text, expected UTF-8 without "
	    "NUL" } },
};

/* The lines of *w are exactly these. */
static void
check_lines(const struct world *w, const char *const *says, size_t most)
{
	char want[4096] = "";
	size_t n = 0;

	for (; n < most && says[n] != NULL; n++) {
		const size_t at = strlen(want);

		snprintf(want + at, sizeof(want) - at, "f%s%s\n",
			 says[n][0] == ':' ? "" : ": ", says[n]);
	}
	assert_non_null(w->lines.data);
	assert_string_equal(w->lines.data, want);
	assert_int_equal(w->mistakes, n);
}

static void
mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		struct world w;

		ROW(wrongs[i].text);
		world_begin(&w);
		world_add(&w, POLICY_UNKNOWN, NULL, wrongs[i].text);
		check_lines(&w, wrongs[i].says, 4);
		/* Nothing of it stays. */
		buf_clear(&w.lines);
		policy_explain(w.p, &w.lines);
		assert_int_equal(w.lines.len, 0);
		world_end(&w);
	}
}

static void
extensions(void **state)
{
	static const struct wrong rows[] = {
		{ ACTION("{\"Stop\": {}}"),
		  { A0 ".Stop: found an extension of fallbackmx, expected "
		    "Drop, Relay, Archive, WriteToS3, Send, AddHeader, "
		    "ReplaceRecipient, DeliverToMailbox, DeliverToQBusiness, "
		    "PublishToSns, Bounce or InvokeLambda" } },
		{ CONDITION("{\"AuthExpression\": {}}"),
		  { C0 ".AuthExpression: found an extension of fallbackmx, "
		    "expected BooleanExpression, StringExpression, "
		    "NumberExpression, IpExpression, VerdictExpression or "
		    "DmarcExpression" } },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].text);
		world_begin(&w);
		w.aws = true;
		world_add(&w, POLICY_RULE_SET, NULL, rows[i].text);
		check_lines(&w, rows[i].says, 4);
		world_end(&w);
	}
	world_begin(&w);
	world_load(&w, NULL, rows[0].text);
	world_end(&w);
}

static void
kinds(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_add(&w, POLICY_RULE_SET, NULL,
				   STATEMENTS("")), POLICY_UNKNOWN);
	assert_string_equal(w.lines.data, "f: found a traffic policy, "
			    "expected a rule set\n");
	assert_int_equal(world_add(&w, POLICY_RULE_SET, NULL, RULES("")),
			 POLICY_RULE_SET);
	assert_int_equal(world_add(&w, POLICY_UNKNOWN, NULL, RULES("")),
			 POLICY_RULE_SET);
	assert_string_equal(w.lines.data, "f: found a second one, expected a "
			    "rule set only once\n");
	assert_int_equal(world_add(&w, POLICY_UNKNOWN, NULL, "Address\r\n"
				   "a@b.example\r\n\r\n"),
			 POLICY_ADDRESS_LIST);
	assert_int_equal(w.mistakes, 0);
	assert_int_equal(world_add(&w, POLICY_ADDRESS_LIST, NULL,
				   "a@b.example\n"), POLICY_ADDRESS_LIST);
	assert_string_equal(w.lines.data, "f: line 1: found "
			    "\"a@b.example\", expected the header line "
			    "address\n");
	assert_int_equal(world_add(&w, POLICY_UNKNOWN, NULL,
				   "a@b.example\n"), POLICY_UNKNOWN);
	world_end(&w);
}

static void
quotas(void **state)
{
	struct world w;
	const char *actions = "", *rules = "";

	(void)state;
	world_begin(&w);
	for (int i = 0; i < 10; i++)
		actions = arena_printf(&w.a, "%s%s{\"Relay\": {\"Relay\": "
				       "\"r\"}}", actions, i ? ", " : "");
	for (int i = 0; i < 2; i++)
		rules = arena_printf(&w.a, "%s%s{\"Actions\": [%s]}", rules,
				     i ? ", " : "", i ? "{\"Send\": "
				     "{\"RoleArn\": \"arn:aws:iam::1:role/"
				     "r\"}}" : actions);
	world_add(&w, POLICY_UNKNOWN, NULL,
		  arena_printf(&w.a, RULES("%s"), rules));
	assert_string_equal(w.lines.data, "f: Rules: found 11, expected at "
			    "most 10 Relay and Send actions\n");
	world_end(&w);
}

static void
missing(void **state)
{
	static const char set[] = RULES("{\"Conditions\": ["
		"{\"StringExpression\": {\"Evaluate\": "
		"{\"ClientCertificateAttribute\": \"SERIAL_NUMBER\"}, "
		"\"Operator\": \"EQUALS\", \"Values\": [\"1\"]}}, "
		"{\"BooleanExpression\": {\"Evaluate\": {\"IsInAddressList\": "
		"{\"Attribute\": \"TO\", \"AddressLists\": [\"arn:x/al-1\"]}},"
		" \"Operator\": \"IS_TRUE\"}}], \"Actions\": ["
		"{\"Relay\": {\"Relay\": \"re-1\"}}, "
		"{\"Archive\": {\"TargetArchive\": \"a-1\"}}, "
		"{\"Archive\": {\"TargetArchive\": \"a-1\"}}]}");
	struct world w;
	struct buf lines;

	(void)state;
	world_begin(&w);
	buf_init(&lines, 4096);
	world_load(&w, NULL, set);
	policy_missing_facts(w.p, &lines);
	policy_missing_targets(w.p, &lines);
	assert_string_equal(lines.data,
		"client certificates: Postfix does not tell SERIAL_NUMBER; "
		"conditions on it never hold\n"
		"address list \"arn:x/al-1\" is not loaded; conditions on it "
		"never hold\n"
		"relay re-1 is not loaded\n"
		"archive a-1 is not loaded\n");
	/* A name that is given goes before the document's own. */
	world_load(&w, "al-2", "{\"AddressListId\": \"al-1\", "
		   "\"items\": []}");
	policy_missing_facts(w.p, &lines);
	assert_non_null(strstr(lines.data, "address list \"arn:x/al-1\""));
	world_load(&w, "al-1", "address\na@b.example\n");
	world_load(&w, NULL, "{\"RelayId\": \"re-1\", \"ServerName\": \"s\", "
		   "\"ServerPort\": 25, \"Authentication\": "
		   "{\"NoAuthentication\": {}}}");
	world_load(&w, NULL, "{\"ArchiveId\": \"a-1\", \"ArchiveName\": "
		   "\"mail\", \"Retention\": {\"RetentionPeriod\": "
		   "\"PERMANENT\"}}");
	buf_clear(&lines);
	policy_missing_facts(w.p, &lines);
	policy_missing_targets(w.p, &lines);
	assert_string_equal(lines.data, "client certificates: Postfix does "
			    "not tell SERIAL_NUMBER; conditions on it never "
			    "hold\n");
	buf_free(&lines);
	world_end(&w);
}

/* Of what is to be done only, and once for all messages. */
static void
missing_of_a_verdict(void **state)
{
	static const char set[] = RULES("{\"Conditions\": ["
		"{\"StringExpression\": {\"Evaluate\": {\"Attribute\": "
		"\"SUBJECT\"}, \"Operator\": \"EQUALS\", \"Values\": "
		"[\"x\"]}}], \"Actions\": [{\"Relay\": {\"Relay\": "
		"\"re-1\"}}]}, "
		"{\"Actions\": [{\"Archive\": {\"TargetArchive\": "
		"\"a-1\"}}]}");
	struct world w;
	struct buf lines;

	(void)state;
	world_begin(&w);
	buf_init(&lines, 4096);
	world_load(&w, NULL, set);
	world_judge(&w, 0);
	verdict_missing_targets(w.p, &w.v, &lines);
	assert_string_equal(lines.data, "archive a-1 is not loaded\n");
	world_mail(&w, "Subject: x\n\n");
	world_judge(&w, 0);
	verdict_missing_targets(w.p, &w.v, &lines);
	assert_string_equal(lines.data, "archive a-1 is not loaded\n"
			    "relay re-1 is not loaded\n");
	buf_free(&lines);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(extensions),
		cmocka_unit_test(kinds),
		cmocka_unit_test(quotas),
		cmocka_unit_test(missing),
		cmocka_unit_test(missing_of_a_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
