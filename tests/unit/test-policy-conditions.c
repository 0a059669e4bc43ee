#include <config.h>

#include "policy-help.h"

/* One condition, asked about one mail: Y, N or ? (unknown). */
struct asked {
	const char *condition;
	char says;
	const char *found;	/* NULL: no matter */
};

#define RULE(condition) "{\"Rules\": [{\"Conditions\": [" condition	\
			"], \"Actions\": [{\"Drop\": {}}]}]}"
#define STRING(what, how, values) "{\"StringExpression\": {\"Evaluate\": " \
	"{" what "}, \"Operator\": \"" how "\", \"Values\": [" values "]}}"
#define ATTRIBUTE(name, how, values)					\
	STRING("\"Attribute\": \"" name "\"", how, values)
#define MIME(name, how, values)						\
	STRING("\"MimeHeaderAttribute\": \"" name "\"", how, values)
#define ANALYSIS "\"Analysis\": {\"Analyzer\": \"arn:a\", "		\
		 "\"ResultField\": \"score\"}"
#define CERTIFICATE(name, how, values)					\
	STRING("\"ClientCertificateAttribute\": \"" name "\"", how, values)
#define SIZE(how, value) "{\"NumberExpression\": {\"Evaluate\": "	\
	"{\"Attribute\": \"MESSAGE_SIZE\"}, \"Operator\": \"" how	\
	"\", \"Value\": " value "}}"
#define IP(how, values) "{\"IpExpression\": {\"Evaluate\": "		\
	"{\"Attribute\": \"SOURCE_IP\"}, \"Operator\": \"" how "\", "	\
	"\"Values\": [" values "]}}"
#define BOOLEAN(what, how) "{\"BooleanExpression\": {\"Evaluate\": {"	\
	what "}, \"Operator\": \"" how "\"}}"
#define LISTED(name, how) BOOLEAN("\"IsInAddressList\": {\"Attribute\": " \
	"\"" name "\", \"AddressLists\": [\"arn:aws:ses:eu-west-1:1:"	\
	"mailmanager-address-list/al-1\"]}", how)
#define VERDICT(what, how, values) "{\"VerdictExpression\": {\"Evaluate\": " \
	"{" what "}, \"Operator\": \"" how "\", \"Values\": [" values "]}}"
#define DMARC(how, values) "{\"DmarcExpression\": {\"Operator\": "	\
	"\"" how "\", \"Values\": [" values "]}}"
#define HEADER(name, how, values) "{\"HeaderExpression\": {\"Evaluate\": " \
	"{\"HeaderName\": \"" name "\"}, \"Operator\": \"" how "\", "	\
	"\"Values\": [" values "]}}"
#define LOGIN(how, values) "{\"AuthExpression\": {\"Evaluate\": "	\
	"{\"Attribute\": \"AUTH_USER\"}, \"Operator\": \"" how "\", "	\
	"\"Values\": [" values "]}}"

static char
letter(enum answer a)
{
	return a == ANSWER_YES ? 'Y' : a == ANSWER_NO ? 'N' : '?';
}

/* Asks with the facts of *with, in a policy of its own. */
static void
ask(const struct world *with, const struct asked *x)
{
	static const char list[] = "{\"AddressListName\": \"friends\", "
		"\"AddressListId\": \"al-1\", \"items\": [{\"address\": "
		"\"bob@example.net\"}, {\"address\": \"*@example.org\"}]}";
	const struct trail_condition *t;
	struct world w;

	ROW(x->condition);
	world_begin(&w);
	w.f = with->f;
	world_load(&w, NULL, x->condition);
	world_load(&w, NULL, list);
	world_judge(&w, 0);
	t = w.v.recipients[0].rules[0].conditions;
	assert_int_equal(letter(t->answer), x->says);
	assert_int_equal(w.v.recipients[0].rules[0].matched, x->says == 'Y');
	if (x->found != NULL)
		assert_string_equal(t->found, x->found);
	world_end(&w);
}

static void
ask_all(const struct world *with, const struct asked *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ask(with, &x[i]);
}

static const struct asked string_rows[] = {
	{ RULE(ATTRIBUTE("SUBJECT", "EQUALS",
			 "\"your INVOICE 4711\"")), 'Y',
	  "Your invoice 4711" },
	{ RULE(ATTRIBUTE("SUBJECT", "EQUALS", "\"invoice\"")), 'N',
	  NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "NOT_EQUALS", "\"a\", \"b\"")),
	  'Y', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "NOT_EQUALS",
			 "\"a\", \"Your invoice 4711\"")), 'N', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "STARTS_WITH", "\"x\", \"YOUR\"")),
	  'Y', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "STARTS_WITH",
			 "\"Your invoice 4\"")), 'Y', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "STARTS_WITH",
			 "\"Your invoice 5\"")), 'N', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "STARTS_WITH",
			 "\"Your invoice 4711!\"")), 'N', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "ENDS_WITH", "\"4711\"")), 'Y',
	  NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "ENDS_WITH",
			 "\"our Invoice 4711\"")), 'Y', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "ENDS_WITH",
			 "\"xur Invoice 4711\"")), 'N', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "CONTAINS", "\"offer\", "
			 "\"VOICE\"")), 'Y', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "CONTAINS", "\"i\"")), 'Y', NULL },
	{ RULE(ATTRIBUTE("SUBJECT", "CONTAINS", "\"eciovni\"")), 'N',
	  NULL },
	{ RULE(ATTRIBUTE("MAIL_FROM", "ENDS_WITH", "\"@EXAMPLE.net\"")),
	  'Y', "bob@example.net" },
	{ RULE(ATTRIBUTE("HELO", "EQUALS", "\"mail.example.net\"")),
	  'Y', "mail.example.net" },
	{ RULE(ATTRIBUTE("RECIPIENT", "EQUALS",
			 "\"alice@example.com\"")), 'Y',
	  "alice@example.com" },
	{ RULE(ATTRIBUTE("FROM", "EQUALS", "\"bob@example.net\"")),
	  'Y', "bob@example.net" },
	{ RULE(ATTRIBUTE("FROM", "EQUALS",
			 "\"Bob <bob@example.net>\"")), 'Y',
	  "Bob <bob@example.net>" },
	{ RULE(ATTRIBUTE("FROM", "NOT_EQUALS", "\"bob@example.net\"")),
	  'N', NULL },
	{ RULE(ATTRIBUTE("TO", "EQUALS", "\"carol@example.org\"")),
	  'Y', "carol@example.org" },
	{ RULE(ATTRIBUTE("TO", "CONTAINS", "\"alice a.\"")), 'Y',
	  NULL },
	{ RULE(ATTRIBUTE("CC", "NOT_EQUALS", "\"x\"")), 'Y', "" },
	{ RULE(ATTRIBUTE("CC", "CONTAINS", "\"x\"")), 'N', "" },
	{ RULE(ATTRIBUTE("SENDER", "STARTS_WITH", "\"x\"")), 'N', "" },
	{ RULE(MIME("X-Spam", "EQUALS", "\"yes\"")), 'Y', "Yes" },
	{ RULE(MIME("X-spam", "EQUALS", "\"no\"")), 'N', "Yes" },
	{ RULE(MIME("X-Other", "NOT_EQUALS", "\"no\"")), 'Y', "" },
};

static void
strings(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	ask_all(&w, string_rows, COUNT(string_rows));
	world_end(&w);
}

static void
several_fields(void **state)
{
	static const struct asked asked[] = {
		{ RULE(ATTRIBUTE("SUBJECT", "EQUALS", "\"two\"")), 'Y',
		  "two" },
		{ RULE(ATTRIBUTE("SUBJECT", "NOT_EQUALS", "\"two\"")), 'N',
		  "two" },
		{ RULE(ATTRIBUTE("SUBJECT", "NOT_EQUALS", "\"three\"")), 'Y',
		  "one" },
		{ RULE(ATTRIBUTE("TO", "EQUALS", "\"b@x.example\"")), 'Y',
		  NULL },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	world_mail(&w, "Subject: one\nTo: a@x.example\nSubject: two\n"
		   "To: g: b@x.example;\n\n");
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

static void
unknown(void **state)
{
	static const struct asked asked[] = {
		{ RULE(ATTRIBUTE("MAIL_FROM", "EQUALS", "\"x\"")), '?', "" },
		{ RULE(ATTRIBUTE("MAIL_FROM", "NOT_EQUALS", "\"x\"")), '?',
		  "" },
		{ RULE(ATTRIBUTE("HELO", "NOT_EQUALS", "\"x\"")), '?', "" },
		{ RULE(ATTRIBUTE("SUBJECT", "NOT_EQUALS", "\"x\"")), '?', "" },
		{ RULE(CERTIFICATE("CN", "NOT_EQUALS", "\"x\"")), '?', "" },
		{ RULE(CERTIFICATE("SERIAL_NUMBER", "NOT_EQUALS", "\"x\"")),
		  '?', "" },
		{ RULE(STRING(ANALYSIS, "NOT_EQUALS", "\"x\"")), '?', "" },
		{ RULE(BOOLEAN(ANALYSIS, "IS_FALSE")), '?', "" },
		{ RULE(VERDICT(ANALYSIS, "NOT_EQUALS", "\"PASS\"")), '?', "" },
		{ RULE(SIZE("NOT_EQUALS", "1")), '?', "" },
		{ RULE(IP("NOT_CIDR_MATCHES", "\"10.0.0.0/8\"")), '?', "" },
		{ RULE(BOOLEAN("\"Attribute\": \"TLS\"", "IS_FALSE")), '?',
		  "" },
		{ RULE(BOOLEAN("\"Attribute\": \"TLS_WRAPPED\"", "IS_FALSE")),
		  '?', "" },
		{ RULE(BOOLEAN("\"Attribute\": \"READ_RECEIPT_REQUESTED\"",
			       "IS_FALSE")), '?', "" },
		{ RULE(DMARC("NOT_EQUALS", "\"NONE\"")), '?', "" },
		{ RULE(VERDICT("\"Attribute\": \"SPF\"", "NOT_EQUALS",
			       "\"PASS\"")), '?', "" },
		{ RULE(LISTED("MAIL_FROM", "IS_FALSE")), '?', "" },
		{ RULE(LISTED("FROM", "IS_FALSE")), '?', "" },
		{ RULE(LOGIN("EQUALS", "\"\"")), 'Y', "" },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	w.f = (struct facts){ .recipients = w.f.recipients,
			      .recipients_n = 1 };
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

static void
numbers(void **state)
{
	static const struct asked asked[] = {
		{ RULE(SIZE("EQUALS", "10")), 'Y', "10" },
		{ RULE(SIZE("EQUALS", "10.5")), 'N', "10" },
		{ RULE(SIZE("NOT_EQUALS", "10")), 'N', "10" },
		{ RULE(SIZE("NOT_EQUALS", "1e1")), 'N', "10" },
		{ RULE(SIZE("LESS_THAN", "10")), 'N', "10" },
		{ RULE(SIZE("LESS_THAN", "10.5")), 'Y', "10" },
		{ RULE(SIZE("GREATER_THAN", "10")), 'N', "10" },
		{ RULE(SIZE("GREATER_THAN", "-1")), 'Y', "10" },
		{ RULE(SIZE("LESS_THAN_OR_EQUAL", "10")), 'Y', "10" },
		{ RULE(SIZE("LESS_THAN_OR_EQUAL", "9")), 'N', "10" },
		{ RULE(SIZE("GREATER_THAN_OR_EQUAL", "10")), 'Y', "10" },
		{ RULE(SIZE("GREATER_THAN_OR_EQUAL", "11")), 'N', "10" },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	world_mail(&w, "A: b\n\nx\r\n");
	assert_int_equal(w.f.size, 11);
	w.f.size = 10;
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

static void
addresses_of_clients(void **state)
{
	static const struct {
		const char *client;
		struct asked asked;
	} rows[] = {
		{ "192.0.2.1", { RULE(IP("CIDR_MATCHES", "\"10.0.0.0/8\", "
			"\"192.0.2.99/24\"")), 'Y', "192.0.2.1" } },
		{ "192.0.2.1", { RULE(IP("NOT_CIDR_MATCHES",
			"\"192.0.2.0/31\"")), 'N', NULL } },
		{ "192.0.2.1", { RULE(IP("CIDR_MATCHES",
			"\"192.0.2.0/32\"")), 'N', NULL } },
		{ "192.0.2.1", { RULE(IP("NOT_CIDR_MATCHES",
			"\"::/0\"")), 'Y', NULL } },
		{ "2001:db8::1", { RULE(IP("CIDR_MATCHES",
			"\"10.0.0.0/8\", \"2001:db8::/33\"")), 'Y',
			"2001:db8::1" } },
		{ "2001:db8::1", { RULE(IP("CIDR_MATCHES",
			"\"0.0.0.0/0\"")), 'N', NULL } },
		{ "::ffff:192.0.2.1", { RULE(IP("CIDR_MATCHES",
			"\"192.0.2.1/32\"")), 'Y', "192.0.2.1" } },
		{ "IPv6:2001:db8:8000::1", { RULE(IP("CIDR_MATCHES",
			"\"2001:db8::/33\"")), 'N', NULL } },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(facts_ip(rows[i].client, &w.f.client), 0);
		ask(&w, &rows[i].asked);
	}
	assert_int_equal(facts_ip("192.0.2", &w.f.client), -1);
	assert_int_equal(facts_ip("IPv6:192.0.2.1", &w.f.client), -1);
	assert_int_equal(w.f.client.family, 0);
	world_end(&w);
}

static void
facts_that_are_true_or_not(void **state)
{
	static const struct facts_analysis values[] = {
		{ "arn:a", "score", "Yes" }, { "arn:a", "addon.x", "gray" },
	};
	static const struct asked asked[] = {
		{ RULE(BOOLEAN("\"Attribute\": \"TLS\"", "IS_TRUE")), 'Y',
		  "true" },
		{ RULE(BOOLEAN("\"Attribute\": \"TLS\"", "IS_FALSE")), 'N',
		  NULL },
		{ RULE(BOOLEAN("\"Attribute\": \"TLS_WRAPPED\"", "IS_FALSE")),
		  'Y', "false" },
		{ RULE(BOOLEAN("\"Attribute\": \"READ_RECEIPT_REQUESTED\"",
			       "IS_TRUE")), 'Y', "true" },
		{ RULE(BOOLEAN(ANALYSIS, "IS_TRUE")), 'Y', "Yes" },
		{ RULE(BOOLEAN(ANALYSIS, "IS_FALSE")), 'N', "Yes" },
		{ RULE(STRING(ANALYSIS, "EQUALS", "\"yes\"")), 'Y', "Yes" },
		{ RULE(VERDICT("\"Analysis\": {\"Analyzer\": \"arn:a\", "
			       "\"ResultField\": \"addon.x\"}", "EQUALS",
			       "\"FAIL\", \"GRAY\"")), 'Y', "gray" },
		{ RULE(VERDICT("\"Attribute\": \"SPF\"", "EQUALS",
			       "\"PASS\"")), 'Y', "PASS" },
		{ RULE(VERDICT("\"Attribute\": \"DKIM\"", "EQUALS",
			       "\"PROCESSING_FAILED\"")), 'Y', NULL },
		{ RULE(VERDICT("\"Attribute\": \"DKIM\"", "NOT_EQUALS",
			       "\"PASS\", \"FAIL\"")), 'Y', NULL },
		{ RULE(DMARC("EQUALS", "\"NONE\", \"REJECT\"")), 'Y',
		  "REJECT" },
		{ RULE(DMARC("NOT_EQUALS", "\"QUARANTINE\"")), 'Y', NULL },
		{ RULE(DMARC("NOT_EQUALS", "\"REJECT\"")), 'N', NULL },
		{ RULE(CERTIFICATE("CN", "EQUALS", "\"Relay 1\"")), 'Y',
		  "relay 1" },
		{ RULE(LOGIN("STARTS_WITH", "\"joe\"")), 'Y', "joe@d" },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	world_mail(&w, "Disposition-Notification-To: bob@example.net\n\n");
	w.f.analyses = values;
	w.f.analyses_n = COUNT(values);
	w.f.auth.spf = AUTH_PASS;
	w.f.auth.dmarc = DMARC_REJECT;
	w.f.cert_cn = "relay 1";
	w.f.auth_user = "joe@d";
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

static void
lists(void **state)
{
	static const struct asked asked[] = {
		{ RULE(LISTED("MAIL_FROM", "IS_TRUE")), 'Y',
		  "bob@example.net" },
		{ RULE(LISTED("FROM", "IS_TRUE")), 'Y', "bob@example.net" },
		{ RULE(LISTED("TO", "IS_TRUE")), 'Y', "carol@example.org" },
		{ RULE(LISTED("TO", "IS_FALSE")), 'N', NULL },
		{ RULE(LISTED("RECIPIENT", "IS_FALSE")), 'Y',
		  "alice@example.com" },
		{ RULE(LISTED("CC", "IS_FALSE")), 'Y', "" },
		{ RULE(BOOLEAN("\"IsInAddressList\": {\"Attribute\": \"TO\", "
			       "\"AddressLists\": [\"others\"]}",
			       "IS_FALSE")), '?', "" },
		{ RULE(BOOLEAN("\"IsInAddressList\": {\"Attribute\": \"TO\", "
			       "\"AddressLists\": [\"friends\"]}",
			       "IS_TRUE")), 'Y', NULL },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

/* F49: what cannot be read is not taken for absent. */
static void
malformed(void **state)
{
	static const struct asked asked[] = {
		{ RULE(ATTRIBUTE("FROM", "NOT_EQUALS", "\"x@y.example\"")),
		  '?', NULL },
		{ RULE(ATTRIBUTE("FROM", "EQUALS", "\"x@y.example\"")), '?',
		  NULL },
		{ RULE(ATTRIBUTE("FROM", "CONTAINS", "\"BOB@\"")), 'Y', NULL },
		{ RULE(LISTED("FROM", "IS_FALSE")), '?', NULL },
		{ RULE(ATTRIBUTE("SUBJECT", "NOT_EQUALS", "\"x\"")), 'Y',
		  NULL },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	world_mail(&w, "From: \"unended <bob@example\n\n");
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

static void
headers(void **state)
{
	static const struct asked asked[] = {
		{ RULE(HEADER("List-Id", "CONTAINS", "\"news\"")), 'Y',
		  "<News.example>" },
		{ RULE(HEADER("list-id", "MATCHES", "\"^<new[s]\\\\.\"")),
		  'Y', NULL },
		{ RULE(HEADER("List-Id", "MATCHES", "\"^x$\", \"\\u00c4\"")),
		  'N', NULL },
		{ RULE(HEADER("List-Id", "NOT_MATCHES", "\"^x$\"")), 'Y',
		  NULL },
		{ RULE(HEADER("List-Id", "NOT_MATCHES", "\"exam\"")), 'N',
		  NULL },
		{ RULE(HEADER("Subject", "MATCHES", "\"\\u00e4RGER\"")), 'Y',
		  "\xc3\x84rger" },
		{ RULE(HEADER("None", "MATCHES", "\"^$\"")), 'Y', "" },
		{ RULE(HEADER("Long", "MATCHES", "\"(a+)+$\"")), '?', NULL },
		{ RULE(HEADER("Long", "NOT_MATCHES", "\"(a+)+$\"")), '?',
		  NULL },
		{ RULE(HEADER("Long", "MATCHES", "\"(a+)+$\", \"b\"")), 'Y',
		  NULL },
	};
	struct world w;

	(void)state;
	world_begin(&w);
	world_mail(&w, "List-Id: <News.example>\nSubject: =?utf-8?q?"
		   "=C3=84rger?=\nLong: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"
		   "\n\n");
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

/* F46: what was cut off is not known, and so is how a text ends. */
static void
cut(void **state)
{
	static const struct asked asked[] = {
		{ RULE(ATTRIBUTE("SUBJECT", "STARTS_WITH", "\"begin\"")), 'Y',
		  NULL },
		{ RULE(ATTRIBUTE("SUBJECT", "CONTAINS", "\"gin\"")), 'Y',
		  NULL },
		{ RULE(ATTRIBUTE("SUBJECT", "CONTAINS", "\"end\"")), '?',
		  NULL },
		{ RULE(ATTRIBUTE("SUBJECT", "EQUALS", "\"begin\"")), '?',
		  NULL },
		{ RULE(ATTRIBUTE("SUBJECT", "NOT_EQUALS", "\"begin\"")), '?',
		  NULL },
		{ RULE(ATTRIBUTE("SUBJECT", "ENDS_WITH", "\"begin\"")), '?',
		  NULL },
		{ RULE(HEADER("Subject", "MATCHES", "\"^begin$\"")), '?',
		  NULL },
		{ RULE(HEADER("Subject", "NOT_MATCHES", "\"end\"")), '?',
		  NULL },
		{ RULE(ATTRIBUTE("TO", "EQUALS", "\"b@c.example\"")), 'Y',
		  NULL },
		{ RULE(ATTRIBUTE("TO", "EQUALS", "\"bob@example.net\"")), '?',
		  NULL },
		{ RULE(ATTRIBUTE("TO", "ENDS_WITH", "\"@example.net\"")), '?',
		  NULL },
		{ RULE(LISTED("TO", "IS_TRUE")), '?', NULL },
	};
	struct world w;
	char *mail;

	(void)state;
	world_begin(&w);
	/* "bob@example.net", cut out of a longer one, stands at the limit. */
	mail = arena_printf(&w.a, "Subject: begin%*s\nTo: b@c.example,%*s%s"
			    "work.example\n\n", (int)HEAD_FIELD_MAX, "end",
			    (int)HEAD_FIELD_MAX - 30, "", "bob@example.net");
	world_mail(&w, mail);
	assert_true(w.head.limits);
	assert_memory_equal(w.head.fields[1].value +
			    w.head.fields[1].value_n - 15, "bob@example.net",
			    15);
	ask_all(&w, asked, COUNT(asked));
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(several_fields),
		cmocka_unit_test(unknown),
		cmocka_unit_test(numbers),
		cmocka_unit_test(addresses_of_clients),
		cmocka_unit_test(facts_that_are_true_or_not),
		cmocka_unit_test(lists),
		cmocka_unit_test(malformed),
		cmocka_unit_test(cut),
		cmocka_unit_test(headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
