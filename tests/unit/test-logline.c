#include <config.h>

#include "filter-help.h"
#include "milter/logline.h"

#define LINE_MAX_ ((size_t)65536)

static struct buf out;

static const char *
line_of(struct stage *t, const char *helo, bool json, bool shadow)
{
	const struct logline_end x = {
		.message = &t->m, .helo = helo, .judgement = &t->j,
		.plan = &t->p, .shadow = shadow ? &t->p : NULL,
		.seconds = 0.00125, .wall_ms = 1795340000123,
	};

	buf_clear(&out);
	logline_end(&x, json, &out);
	assert_false(out.cut);
	return out.data;
}

static void
send_mail(struct stage *t, const char *from)
{
	char text[400];
	char *arguments[] = { text, NULL };

	snprintf(text, sizeof(text), "%s", from);
	stage_mail(t, NULL, arguments);
	stage_rcpt(t, "<alice@b.example>");
	stage_header(t, "Subject: x\n");
	stage_finish(t);
}

static void
accepted(void **state)
{
	struct stage t;

	(void)state;
	buf_init(&out, LINE_MAX_);
	stage_begin(&t, "");
	stage_rules(&t, RULES(RULE("mark", "", ADD("X-A", "b")) ", "
			      RULE("not", CONDITION("SUBJECT", "EQUALS", "y"),
				   DROP)));
	stage_macro(&t, "{tls_version}", "TLSv1.3");
	stage_macro(&t, "{auth_authen}", NULL);
	send_mail(&t, "<bob@a.example>");
	assert_string_equal(line_of(&t, "helo.example", false, false),
		"4bXyz1: result=accepted ingress=mx-in route=direct "
		"client=192.0.2.1 helo=helo.example from=bob@a.example nrcpt=1 "
		"to=alice@b.example size=14 tls=TLSv1.3 rules=mark "
		"actions=AddHeader ms=1.25");
	assert_string_equal(line_of(&t, NULL, true, false),
		"{\"event_timestamp\":1795340000123,\"message_id\":\"4bXyz1\","
		"\"result\":\"accepted\",\"ingress_point_name\":\"mx-in\","
		"\"route\":\"direct\",\"sender_ip_address\":\"192.0.2.1\","
		"\"smtp_mail_from\":\"bob@a.example\","
		"\"tls_protocol\":\"TLSv1.3\","
		"\"recipients\":[\"alice@b.example\"],"
		"\"recipients_count\":1,\"message_size_bytes\":14,"
		"\"rule_set_name\":\"rs-one\",\"rules\":[\"mark\"],"
		"\"milliseconds\":1.250,\"verdict\":{\"message\":\"4bXyz1\","
		"\"recipients\":[{\"recipient\":\"alice@b.example\","
		"\"traffic\":{\"verdict\":\"ALLOW\",\"by\":\"DEFAULT\","
		"\"statement\":null},\"rules\":[{\"name\":\"mark\","
		"\"index\":0,\"matched\":true,\"actions\":[\"AddHeader\"]},"
		"{\"name\":\"not\",\"index\":1,\"matched\":false,"
		"\"actions\":[]}],\"disposition\":\"ACCEPT\","
		"\"recipients_after\":[\"alice@b.example\"]}]}}");
	stage_end(&t);
	buf_free(&out);
}

/* No byte of a stranger's ends a value, a line or a terminal's patience. */
static void
foreign_bytes(void **state)
{
	const char *line;
	struct stage t;

	(void)state;
	buf_init(&out, LINE_MAX_);
	stage_begin(&t, "");
	send_mail(&t, "<a b\"=\\\n\x1b[31m\xff@x>");
	line = line_of(&t, "h result=rejected\n4bXyz2: result=x", false, true);
	assert_non_null(strstr(line, " helo=h\\x20result=rejected\\x0a"
			       "4bXyz2:\\x20result=x from=a\\x20b\\x22=\\x5c"
			       "\\x0a\\x1b[31m\\xff@x nrcpt="));
	assert_non_null(strstr(line, " shadow=accepted ms="));
	line = line_of(&t, "h\x01\xff\"\\", true, false);
	assert_non_null(strstr(line, "\"smtp_helo\":\"h\\u0001\\ufffd\\\"\\\\"
			       "\""));
	assert_null(strchr(line, '\n'));
	stage_end(&t);
	buf_free(&out);
}

static void
failed(void **state)
{
	struct stage t;

	(void)state;
	buf_init(&out, LINE_MAX_);
	stage_begin(&t, "");
	send_mail(&t, "<>");
	plan_fail(&t.m, TROUBLE_INTERNAL, "some words", &t.p);
	assert_non_null(strstr(line_of(&t, "h", false, false),
			       "4bXyz1: result=tempfailed code=451 "
			       "status=4.3.0 ingress=mx-in route=direct "
			       "client=192.0.2.1 helo=h from=<> "));
	assert_non_null(strstr(out.data, " ms=1.25 failure=internal "
			       "reason=\"some words\""));
	plan_refuse_size(&t.m, &t.p);
	assert_non_null(strstr(line_of(&t, "h", false, false),
			       "4bXyz1: result=rejected code=552 status=5.3.4 "
			       "reason=size ingress=mx-in "));
	assert_non_null(strstr(line_of(&t, "h", true, false),
			       "\"code\":\"552\",\"status\":\"5.3.4\","));
	assert_non_null(strstr(out.data, ",\"reason\":\"size\","));
	stage_end(&t);
	buf_free(&out);
}

static void
refused(void **state)
{
	struct logline_refusal x = { .helo = "h", .why = REFUSAL_POLICY };
	struct stage t;

	(void)state;
	buf_init(&out, LINE_MAX_);
	stage_begin(&t, "");
	stage_traffic(&t, DENY(CONDITION("RECIPIENT", "CONTAINS", "al")));
	stage_mail(&t, NULL, NULL);
	assert_false(stage_rcpt(&t, "<alice@b.example>"));
	x.message = &t.m;
	x.address = "alice@b.example";
	x.reply = &t.reply;
	x.by = &t.by;
	logline_refusal(&x, false, &out);
	assert_string_equal(out.data, "NOQUEUE: result=rejected code=550 "
			    "status=5.7.1 reason=policy ingress=mx-in "
			    "route=direct client=192.0.2.1 helo=h from=<> "
			    "to=alice@b.example statement=0");
	buf_clear(&out);
	logline_refusal(&x, true, &out);
	assert_non_null(strstr(out.data, "\"reason\":\"policy\""));
	assert_non_null(strstr(out.data, "\"statement\":0}"));
	stage_end(&t);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),
		cmocka_unit_test(foreign_bytes),
		cmocka_unit_test(failed),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
