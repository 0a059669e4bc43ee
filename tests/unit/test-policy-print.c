#include <config.h>

#include <jansson.h>

#include "policy-help.h"


#define ROLE "\"RoleArn\": \"arn:aws:iam::111122223333:role/mail\""
#define AFP "\"ActionFailurePolicy\": \"DROP\""
#define ANSWER "\"Tags\": [], \"ClientToken\": \"t\", "			\
	"\"ResponseMetadata\": {\"RetryAttempts\": 0}"
#define STRING(what, how, values) "{\"StringExpression\": {\"Evaluate\": " \
	"{" what "}, \"Operator\": \"" how "\", \"Values\": [" values "]}}"
#define BOOLEAN(what, how) "{\"BooleanExpression\": {\"Evaluate\": {"	\
	what "}, \"Operator\": \"" how "\"}}"
#define ANALYSIS "\"Analysis\": {\"Analyzer\": \"arn:a\", "		\
	"\"ResultField\": \"f\"}"

static const char rules[] =
	"{\"RuleSetName\": \"set\", \"Rules\": [{\"Name\": \"all\", "
	"\"Conditions\": ["
	STRING("\"Attribute\": \"SUBJECT\"", "CONTAINS", "\"a\", \"\xc3\xa4\"")
	", " STRING("\"MimeHeaderAttribute\": \"X-A\"", "EQUALS", "\"b\"")
	", " STRING(ANALYSIS, "EQUALS", "\"b\"")
	", " STRING("\"ClientCertificateAttribute\": \"CN\"", "EQUALS",
		    "\"b\"")
	", {\"NumberExpression\": {\"Evaluate\": {\"Attribute\": "
	"\"MESSAGE_SIZE\"}, \"Operator\": \"LESS_THAN\", \"Value\": 1000}}"
	", {\"IpExpression\": {\"Evaluate\": {\"Attribute\": \"SOURCE_IP\"}, "
	"\"Operator\": \"CIDR_MATCHES\", \"Values\": [\"192.0.2.0/24\"]}}"
	", {\"VerdictExpression\": {\"Evaluate\": {\"Attribute\": \"SPF\"}, "
	"\"Operator\": \"EQUALS\", \"Values\": [\"FAIL\", \"GRAY\"]}}"
	", {\"DmarcExpression\": {\"Operator\": \"NOT_EQUALS\", \"Values\": "
	"[\"NONE\"]}}], \"Unless\": ["
	BOOLEAN("\"Attribute\": \"TLS\"", "IS_TRUE") ", "
	BOOLEAN("\"IsInAddressList\": {\"Attribute\": \"FROM\", "
		"\"AddressLists\": [\"arn:l\"]}", "IS_FALSE")
	"], \"Actions\": [{\"AddHeader\": {\"HeaderName\": \"X-B\", "
	"\"HeaderValue\": \"c\"}}, {\"Archive\": {" AFP ", "
	"\"TargetArchive\": \"a-1\"}}, {\"DeliverToMailbox\": {" AFP ", "
	"\"MailboxArn\": \"arn:m\", " ROLE "}}, {\"DeliverToQBusiness\": {" AFP
	", \"ApplicationId\": \"00000000-0000-0000-0000-000000000000\", "
	"\"IndexId\": \"00000000-0000-0000-0000-000000000001\", " ROLE "}}, "
	"{\"PublishToSns\": {" AFP ", \"TopicArn\": "
	"\"arn:aws:sns:eu-west-1:111122223333:t\", " ROLE ", \"Encoding\": "
	"\"BASE64\", \"PayloadType\": \"HEADERS\"}}, {\"Relay\": {" AFP ", "
	"\"Relay\": \"r\", \"MailFrom\": \"PRESERVE\"}}, "
	"{\"ReplaceRecipient\": {\"ReplaceWith\": [\"a@b\", \"c@d\"]}}, "
	"{\"Send\": {" AFP ", " ROLE "}}, {\"InvokeLambda\": {" AFP ", "
	"\"FunctionArn\": \"arn:aws:lambda:eu-west-1:1:f\", "
	"\"InvocationType\": \"REQUEST_RESPONSE\", " ROLE ", "
	"\"RetryTimeMinutes\": 0}}, {\"WriteToS3\": {" AFP ", " ROLE ", "
	"\"S3Bucket\": \"b\", \"S3Prefix\": \"p/\", \"S3SseKmsKeyId\": "
	"\"12345678901234567890\"}}]}, {\"Conditions\": [], \"Unless\": [], "
	"\"Actions\": [{\"Bounce\": {" AFP ", " ROLE ", \"Sender\": "
	"\"a@b\", \"StatusCode\": \"5.1.1\", \"SmtpReplyCode\": \"550\", "
	"\"DiagnosticMessage\": \"no\", \"Message\": \"none\\r\\n\"}}, "
	"{\"Drop\": {}}]}]}";

static const char ours[] = "{\"Rules\": [{\"Name\": \"x\", \"Conditions\": ["
	"{\"HeaderExpression\": {\"Evaluate\": {\"HeaderName\": \"List-Id\"}, "
	"\"Operator\": \"MATCHES\", \"Values\": [\"a+\"]}}, "
	"{\"AuthExpression\": {\"Evaluate\": {\"Attribute\": \"AUTH_USER\"}, "
	"\"Operator\": \"EQUALS\", \"Values\": [\"\"]}}], \"Actions\": ["
	"{\"RemoveHeader\": {\"HeaderName\": \"List-Id\"}}, {\"Quarantine\": "
	"{\"Reason\": \"odd\"}}, {\"TempFail\": {\"DiagnosticMessage\": "
	"\"later\"}}, {\"Reject\": {\"StatusCode\": \"5.7.1\", "
	"\"SmtpReplyCode\": \"550\", \"DiagnosticMessage\": \"no\"}}, "
	"{\"Stop\": {}}]}]}";

static const char traffic[] =
	"{\"TrafficPolicyName\": \"abc\", \"PolicyStatements\": ["
	"{\"Conditions\": ["
	STRING("\"Attribute\": \"RECIPIENT\"", "ENDS_WITH", "\"@a\"") ", "
	"{\"IpExpression\": {\"Evaluate\": {\"Attribute\": \"SENDER_IP\"}, "
	"\"Operator\": \"CIDR_MATCHES\", \"Values\": [\"192.0.2.0/24\"]}}, "
	"{\"Ipv6Expression\": {\"Evaluate\": {\"Attribute\": "
	"\"SENDER_IPV6\"}, \"Operator\": \"NOT_CIDR_MATCHES\", \"Values\": "
	"[\"2001:db8::/32\"]}}, {\"TlsExpression\": {\"Evaluate\": "
	"{\"Attribute\": \"TLS_PROTOCOL\"}, \"Operator\": \"IS\", \"Value\": "
	"\"TLS1_3\"}}, " BOOLEAN(ANALYSIS, "IS_TRUE")
	"], \"Action\": \"ALLOW\"}], \"DefaultAction\": \"DENY\", "
	"\"MaxMessageSizeBytes\": 1000}";

/* The same as the export of AWS has it. */
static const char export[] =
	"{\"TrafficPolicyId\": \"tp-1\", \"MaxMessageSizeBytes\": 1000, "
	"\"TrafficPolicyArn\": \"arn:t\", \"CreatedTimestamp\": "
	"\"2024-05-29T10:00:00+00:00\", \"LastUpdatedTimestamp\": 1717000000.1,"
	" " ANSWER ", \"DefaultAction\": \"DENY\", \"PolicyStatements\": [], "
	"\"TrafficPolicyName\": \"abc\"}";

static void
round_trip(void **state)
{
	static const char *const texts[] = {
		rules, ours, traffic,
		"{\"RelayName\": \"r\", \"ServerName\": \"s\", \"ServerPort\":"
		" 25, \"Authentication\": {\"NoAuthentication\": {}}}",
		"{\"RelayName\": \"r\", \"ServerName\": \"s\", \"ServerPort\":"
		" 25, \"Authentication\": {\"SecretArn\": \"arn:aws:"
		"secretsmanager:eu-west-1:111122223333:secret:s\"}}",
		"{\"ArchiveName\": \"aa\", \"Retention\": "
		"{\"RetentionPeriod\": \"ONE_YEAR\"}, \"KmsKeyArn\": "
		"\"arn:aws:kms:eu-west-1:111122223333:key/k\"}",
		"{\"AddressListName\": \"l\", \"items\": [{\"address\": "
		"\"A@b\"}, {\"address\": \"*.c.d\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		enum policy_kind kind;
		struct world w;
		struct buf out, again;
		json_t *v, *u;

		ROW(texts[i]);
		buf_init(&out, 1 << 20);
		buf_init(&again, 1 << 20);
		world_begin(&w);
		kind = world_add(&w, POLICY_UNKNOWN, NULL, texts[i]);
		assert_int_equal(w.mistakes, 0);
		assert_true(policy_print(w.p, kind, &out));
		world_end(&w);
		/* Nothing is lost, the order is the same; and once more. */
		v = json_loads(texts[i], 0, NULL);
		u = json_loads(out.data, 0, NULL);
		assert_true(json_equal(v, u));
		world_begin(&w);
		world_load(&w, NULL, out.data);
		assert_true(policy_print(w.p, kind, &again));
		assert_string_equal(again.data, out.data);
		world_end(&w);
		json_decref(v);
		json_decref(u);
		buf_free(&out);
		buf_free(&again);
	}
}

static void
print(const char *text, enum policy_kind kind, const char *printed)
{
	struct world w;
	struct buf out;

	buf_init(&out, 65536);
	world_begin(&w);
	assert_false(policy_print(w.p, kind, &out));
	world_load(&w, NULL, text);
	assert_true(policy_print(w.p, kind, &out));
	assert_string_equal(out.data, printed);
	world_end(&w);
	buf_free(&out);
}

static void
canonical(void **state)
{
	(void)state;
	print(export, POLICY_TRAFFIC,
	      "{\n  \"TrafficPolicyName\": \"abc\",\n"
	      "  \"PolicyStatements\": [],\n  \"DefaultAction\": \"DENY\",\n"
	      "  \"MaxMessageSizeBytes\": 1000\n}\n");
	print("{\"Rules\": [], \"RuleSetId\": \"rs-1\", \"RuleSetArn\": \"a\","
	      " \"CreatedDate\": 1.5, \"LastModificationDate\": \"x\", "
	      ANSWER "}", POLICY_RULE_SET, "{\n  \"Rules\": []\n}\n");
	print("{\"ServerPort\": 587, \"ServerName\": \"s.example\", "
	      "\"RelayName\": \"r\", \"RelayId\": \"re-1\", \"RelayArn\": "
	      "\"a\", \"CreatedTimestamp\": 1, \"LastModifiedTimestamp\": 2, "
	      "\"Authentication\": {\"NoAuthentication\": {}}, " ANSWER "}",
	      POLICY_RELAY,
	      "{\n  \"RelayName\": \"r\",\n  \"ServerName\": \"s.example\",\n"
	      "  \"ServerPort\": 587,\n  \"Authentication\": {\n"
	      "    \"NoAuthentication\": {}\n  }\n}\n");
	print("{\"ArchiveId\": \"a-1\", \"ArchiveArn\": \"a\", "
	      "\"ArchiveState\": \"ACTIVE\", \"CreatedTimestamp\": 1, "
	      "\"LastUpdatedTimestamp\": 2, \"ArchiveName\": \"mail\", "
	      "\"Retention\": {\"RetentionPeriod\": \"TEN_YEARS\"}, " ANSWER
	      "}", POLICY_ARCHIVE,
	      "{\n  \"ArchiveName\": \"mail\",\n  \"Retention\": {\n"
	      "    \"RetentionPeriod\": \"TEN_YEARS\"\n  }\n}\n");
	print("{\"AddressListId\": \"al-1\", \"AddressListArn\": \"a\", "
	      "\"AddressListName\": \"l\", \"CreatedTimestamp\": 1, "
	      "\"LastUpdatedTimestamp\": 2, " ANSWER ", \"Addresses\": "
	      "[{\"Address\": \"a@b\", \"CreatedTimestamp\": 1}]}",
	      POLICY_ADDRESS_LIST,
	      "{\n  \"AddressListName\": \"l\",\n  \"items\": [\n    {\n"
	      "      \"address\": \"a@b\"\n    }\n  ]\n}\n");
	print("address\na@b\n", POLICY_ADDRESS_LIST,
	      "{\n  \"items\": [\n    {\n      \"address\": \"a@b\"\n    }\n"
	      "  ]\n}\n");
}

static void
words(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	world_begin(&w);
	world_load(&w, NULL, traffic);
	world_load(&w, NULL, ours);
	world_load(&w, "friends", "address\na@b\n");
	policy_explain(w.p, &out);
	assert_string_equal(out.data,
		"Traffic policy abc, for each recipient; the first statement "
		"that matches decides:\n"
		"  PolicyStatements[0] ALLOW if RECIPIENT ENDS_WITH \"@a\" and "
		"SENDER_IP CIDR_MATCHES 192.0.2.0/24 and SENDER_IPV6 "
		"NOT_CIDR_MATCHES 2001:db8::/32 and TLS_PROTOCOL IS TLS1_3 and "
		"Analysis(arn:a, f) IS_TRUE\n"
		"  otherwise DENY\n"
		"  DENY what is allowed and larger than 1000 bytes\n"
		"Rule set, for each recipient, in this order:\n"
		"  Rules[0] \"x\" if List-Id: MATCHES \"a+\" and AUTH_USER "
		"EQUALS \"\": RemoveHeader (HeaderName \"List-Id\"); "
		"Quarantine (Reason \"odd\"); TempFail (DiagnosticMessage "
		"\"later\"); Reject (StatusCode \"5.7.1\", SmtpReplyCode "
		"\"550\", DiagnosticMessage \"no\"); Stop\n"
		"Address list \"friends\": 1 address\n");
	world_end(&w);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(canonical),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
