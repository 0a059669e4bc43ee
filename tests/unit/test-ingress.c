#include <config.h>

#include "filter-help.h"

#define POINTS "{\"trusted_networks\": [\"10.0.0.0/8\", \"2001:db8::/32\"], " \
	"\"fallback_relays\": [\"10.1.0.0/16\"], \"ingress_points\": [" \
	"{\"name\": \"first\", \"listener\": \"192.0.2.25:25\"}, " \
	"{\"name\": \"any-port\", \"listener\": \"*:2525\"}, " \
	"{\"name\": \"by-name\", \"daemon_name\": \"inbound\"}, " \
	"{\"name\": \"by-macro\", \"macro\": \"{point}\", " \
	"\"value\": \"x\"}, " \
	"{\"name\": \"rest\"}]}"

struct row {
	const char *client, *addr, *port, *name, *point, *auth;
	const char *wanted;
};

static const char *
found(struct stage *t, const struct row *r)
{
	stage_macro(t, "{daemon_addr}", r->addr);
	stage_macro(t, "{daemon_port}", r->port);
	stage_macro(t, "{daemon_name}", r->name);
	stage_macro(t, "{point}", r->point);
	stage_macro(t, "{auth_authen}", r->auth);
	stage_mail(t, r->client, NULL);
	return t->m.ingress->s->name;
}

static void
finds(void **state)
{
	static const struct row rows[] = {
		{ "192.0.2.1", NULL, NULL, NULL, NULL, NULL, "rest" },
		{ "192.0.2.1", "192.0.2.25", "25", NULL, NULL, NULL,
		  "first" },
		{ "192.0.2.1", "192.0.2.26", "25", NULL, NULL, NULL, "rest" },
		{ "192.0.2.1", "IPv6:::ffff:192.0.2.25", "25", NULL, NULL,
		  NULL, "first" },
		{ "192.0.2.1", "IPv6:2001:db8::1", "2525", NULL, NULL, NULL,
		  "any-port" },
		{ "192.0.2.1", NULL, NULL, "inbound", NULL, NULL, "by-name" },
		{ "192.0.2.1", NULL, NULL, "other", "x", NULL, "by-macro" },
		{ "192.0.2.1", NULL, NULL, NULL, "y", NULL, "rest" },
		/* Submission, whoever would claim it. */
		{ "192.0.2.1", "192.0.2.25", "25", NULL, NULL, "bob",
		  "submission" },
		{ "10.2.0.1", "192.0.2.25", "25", NULL, NULL, NULL,
		  "submission" },
		{ "2001:db8::7", NULL, NULL, NULL, NULL, NULL, "submission" },
		{ "::ffff:10.2.0.1", NULL, NULL, NULL, NULL, NULL,
		  "submission" },
		{ "192.0.2.1", NULL, NULL, "ORIGINATING", NULL, NULL,
		  "submission" },
		{ "192.0.2.1", NULL, "2525", "ORIGINATING", NULL, NULL,
		  "any-port" },
		/* A fallback relay never is. */
		{ "10.1.2.3", NULL, NULL, NULL, NULL, NULL, "rest" },
		{ "10.1.2.3", NULL, NULL, "ORIGINATING", NULL, "bob", "rest" },
		{ "10.1.2.3", "192.0.2.25", "25", NULL, NULL, NULL, "first" },
		/* Nobody knows who it is. */
		{ "unix", NULL, NULL, NULL, NULL, NULL, "rest" },
		{ "unix", NULL, NULL, NULL, NULL, "", "rest" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage t;

		ROW(rows[i].client);
		stage_begin(&t, POINTS);
		assert_string_equal(found(&t, &rows[i]), rows[i].wanted);
		stage_end(&t);
	}
}

static void
a_named_originating(void **state)
{
	static const struct row row = { .client = "192.0.2.1",
					.name = "ORIGINATING" };
	struct stage t;

	(void)state;
	stage_begin(&t, "{\"ingress_points\": [{\"name\": \"out\", "
		    "\"daemon_name\": \"ORIGINATING\"}]}");
	assert_string_equal(found(&t, &row), "out");
	stage_end(&t);
}

#define POINT(more) "{\"fallback_relays\": [\"198.51.100.0/24\"], " \
	"\"ingress_points\": [{\"name\": \"mx-in\"" more "}]}"
#define FILTERS ", \"ip_filters\": [{\"Policy\": \"Block\", \"Cidr\": " \
	"\"203.0.113.0/24\"}, {\"Policy\": \"Allow\", \"Cidr\": " \
	"\"203.0.113.7/32\"}, {\"Policy\": \"Block\", \"Cidr\": " \
	"\"198.51.100.0/24\"}]"

static void
refuses(void **state)
{
	static const struct {
		const char *settings, *client, *tls, *size;
		int why;	/* -1: taken */
		const char *code;
	} rows[] = {
		{ POINT(""), "192.0.2.1", NULL, "SIZE=1", -1, "" },
		{ POINT(", \"open\": false" FILTERS), "203.0.113.1", NULL,
		  NULL, REFUSAL_CLOSED, "451 4.3.2" },
		{ POINT(FILTERS ", \"tls_policy\": \"REQUIRED\""),
		  "203.0.113.1", NULL, NULL, REFUSAL_IP_FILTER, "550 5.7.1" },
		{ POINT(FILTERS), "203.0.113.7", NULL, NULL, -1, "" },
		{ POINT(FILTERS), "192.0.2.1", NULL, NULL, -1, "" },
		/* It is the client behind it that counts. */
		{ POINT(FILTERS), "198.51.100.1", NULL, NULL, -1, "" },
		{ POINT(", \"tls_policy\": \"REQUIRED\", "
			"\"max_message_size\": 1000"), "192.0.2.1", NULL,
		  "SIZE=2000", REFUSAL_TLS, "530 5.7.0" },
		{ POINT(", \"tls_policy\": \"REQUIRED\""), "192.0.2.1",
		  "TLSv1.2", NULL, -1, "" },
		{ POINT(", \"max_message_size\": 1000"), "192.0.2.1", NULL,
		  "SIZE=1001", REFUSAL_SIZE, "552 5.3.4" },
		{ POINT(", \"max_message_size\": 1000"), "192.0.2.1", NULL,
		  "SIZE=1000", -1, "" },
		{ POINT(", \"max_message_size\": 1000"), "192.0.2.1", NULL,
		  "SIZE=99999999999999999999", REFUSAL_SIZE, "552 5.3.4" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static char from[] = "<a@b>";
		char size[64], shown[32];
		char *arguments[] = { from, rows[i].size ? size : NULL, NULL };
		struct reply reply = { .code = "" };
		enum refusal why;
		struct sender s;
		struct stage t;

		ROW(rows[i].settings);
		snprintf(size, sizeof(size), "%s",
			 rows[i].size ? rows[i].size : "");
		stage_begin(&t, rows[i].settings);
		stage_macro(&t, "{tls_version}", rows[i].tls);
		stage_mail(&t, rows[i].client, arguments);
		message_sender(&t.m, &s);
		assert_int_equal(ingress_refuses(t.m.ingress, &s, &why,
						 &reply), rows[i].why >= 0);
		snprintf(shown, sizeof(shown), "%s%s%s", reply.code,
			 *reply.code ? " " : "", reply.status);
		assert_string_equal(shown, rows[i].code);
		if (rows[i].why >= 0)
			assert_int_equal(why, rows[i].why);
		stage_end(&t);
	}
}

static void
the_smaller_size(void **state)
{
	static const char policy[] = "{\"DefaultAction\": \"ALLOW\", "
		"\"MaxMessageSizeBytes\": 500, \"PolicyStatements\": []}";
	struct stage t;

	(void)state;
	stage_begin(&t, POINT(", \"max_message_size\": 1000"));
	assert_int_equal(ingress_size_max(t.ingresses), 1000);
	stage_traffic(&t, policy);
	assert_int_equal(ingress_size_max(t.ingresses), 500);
	stage_end(&t);
	stage_begin(&t, POINT(", \"traffic_policy\": \"/f\", "
			      "\"traffic_policy_mode\": \"shadow\""));
	stage_traffic(&t, policy);
	assert_int_equal(ingress_size_max(t.ingresses), 0);
	stage_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(a_named_originating),
		cmocka_unit_test(refuses),
		cmocka_unit_test(the_smaller_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
