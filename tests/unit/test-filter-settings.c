#include <config.h>

#include <arpa/inet.h>
#include <sysexits.h>

#include "milter/settings.h"
#include "unit.h"

#define MISTAKES_MAX ((size_t)65536)

static int
parse(struct filter_settings *s, const char *text, struct buf *mistakes,
      struct err *e)
{
	buf_init(mistakes, MISTAKES_MAX);
	return filter_settings_parse(s, "f", text, strlen(text), mistakes, e);
}

static const char full[] =
	"{\"state_dir\": 7, \"sources\": \"theirs\", \"milter\": {"
	" \"socket\": \"inet:[::1]:8891\", \"socket_group\": \"mail\","
	" \"control_socket\": \"/run/x/c\", \"metrics_file\": \"/m/x.prom\","
	" \"log\": \"json\", \"authserv_id\": \"mx.example.org\","
	" \"authserv_job\": true,"
	" \"trusted_networks\": [\"10.0.0.0/8\", \"2001:db8::7\"],"
	" \"fallback_relays\": [\"192.0.2.9\"],"
	" \"concurrency\": 3, \"wait\": 0, \"drain\": 5,"
	" \"on_failure\": {\"limits\": \"reject\", \"edit\": \"accept\"},"
	" \"analyses\": [{\"analyzer\": \"a\", \"result_field\": \"f\","
	"  \"header\": \"X-Spam-Flag\"}],"
	" \"targets\": [{\"target\": \"arc\", \"action\": \"skip\"},"
	"  {\"target\": \"Send\", \"action\": \"local\"}],"
	" \"address_lists\": [{\"name\": \"vip\", \"file\": \"/e/v.csv\"}],"
	" \"documents\": [\"/e/relay.json\"],"
	" \"ingress_points\": ["
	"  {\"name\": \"mx4\", \"listener\": \"192.0.2.1:25\","
	"   \"traffic_policy\": \"/e/t.json\", \"rule_set\": \"/e/r.json\","
	"   \"rule_set_mode\": \"shadow\", \"tls_policy\": \"Require\","
	"   \"max_message_size\": 1000, \"open\": false,"
	"   \"deny_text\": \"No\", \"ip_filters\": ["
	"    {\"Policy\": \"Block\", \"Cidr\": \"203.0.113.0/24\"},"
	"    {\"Policy\": \"Allow\", \"Cidr\": \"203.0.113.7\"}]},"
	"  {\"name\": \"mx6\", \"listener\": \"[2001:db8::1]:25\","
	"   \"tls_policy\": \"REQUIRED\"},"
	"  {\"name\": \"any\", \"listener\": \"*:2525\"},"
	"  {\"name\": \"wrapped\", \"daemon_name\": \"smtps\","
	"   \"tls_wrapped\": true},"
	"  {\"name\": \"tagged\", \"macro\": \"fallbackmx_ingress\","
	"   \"value\": \"t\"},"
	"  {\"name\": \"submission\"}, {\"name\": \"default\"}]}}";

static void
reads_the_top(void **state)
{
	struct filter_settings s;
	struct buf mistakes;
	struct err e;

	(void)state;
	assert_int_equal(parse(&s, full, &mistakes, &e), 0);
	assert_int_equal(mistakes.len, 0);
	assert_true(s.given);
	assert_string_equal(s.socket, "inet:[::1]:8891");
	assert_string_equal(s.socket_group, "mail");
	assert_string_equal(s.control_socket, "/run/x/c");
	assert_string_equal(s.metrics_file, "/m/x.prom");
	assert_int_equal(s.log_json, 1);
	assert_string_equal(s.authserv_id, "mx.example.org");
	assert_true(s.authserv_job);
	assert_int_equal(s.trusted_n, 2);
	assert_int_equal(s.trusted[0].bits, 8);
	assert_int_equal(s.trusted[1].bits, 128);
	assert_int_equal(s.trusted[1].ip.family, AF_INET6);
	assert_int_equal(s.relays_n, 1);
	assert_int_equal(s.relays[0].bits, 32);
	assert_int_equal(s.concurrency, 3);
	assert_int_equal(s.wait, 0);
	assert_int_equal(s.drain, 5);
	assert_int_equal(s.on_failure[TROUBLE_LIMITS], TROUBLE_REJECT);
	assert_int_equal(s.on_failure[TROUBLE_EDIT], TROUBLE_ACCEPT);
	assert_int_equal(s.on_failure[TROUBLE_INTERNAL], TROUBLE_TEMPFAIL);
	assert_string_equal(s.analyses[0].field, "f");
	assert_int_equal(s.targets[0].way, TARGET_SKIP);
	assert_int_equal(s.targets[1].way, TARGET_LOCAL);
	assert_string_equal(s.lists[0].file, "/e/v.csv");
	assert_string_equal(s.documents[0], "/e/relay.json");
	filter_settings_free(&s);
	assert_null(s.ingresses);
	buf_free(&mistakes);
}

static void
reads_ingress_points(void **state)
{
	const struct ingress_settings *g;
	struct filter_settings s;
	struct buf mistakes;
	struct err e;
	struct ip ip;

	(void)state;
	assert_int_equal(parse(&s, full, &mistakes, &e), 0);
	assert_int_equal(s.ingresses_n, 7);
	g = &s.ingresses[0];
	assert_int_equal(facts_ip("192.0.2.1", &ip), 0);
	assert_memory_equal(&g->listener_ip, &ip, sizeof(ip));
	assert_int_equal(g->listener_port, 25);
	assert_int_equal(g->traffic_mode, MODE_ENFORCE);
	assert_int_equal(g->rule_set_mode, MODE_SHADOW);
	assert_int_equal(g->tls, TLS_POLICY_REQUIRED);
	assert_int_equal(g->max_size, 1000);
	assert_false(g->open);
	assert_string_equal(g->deny_text, "No");
	assert_int_equal(g->ip_filters_n, 2);
	g++;
	assert_int_equal(facts_ip("2001:db8::1", &ip), 0);
	assert_memory_equal(&g->listener_ip, &ip, sizeof(ip));
	assert_int_equal(g->tls, TLS_POLICY_REQUIRED);
	assert_true(g->open);
	assert_string_equal(g->deny_text, "Refused by policy");
	g++;
	assert_int_equal(g->listener_ip.family, 0);
	assert_int_equal(g->listener_port, 2525);
	g++;
	assert_string_equal(g->daemon_name, "smtps");
	assert_true(g->tls_wrapped);
	assert_int_equal(g->listener_port, 0);
	g++;
	assert_string_equal(g->macro, "{fallbackmx_ingress}");
	assert_string_equal(g->value, "t");
	filter_settings_free(&s);
	buf_free(&mistakes);
}

/* Nothing said, and nothing said of the milter, are the same. */
static void
has_defaults(void **state)
{
	static const char *const texts[] = { "{}", "{\"milter\": {}}" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct filter_settings s;
		struct buf mistakes;
		struct err e;

		ROW(texts[i]);
		assert_int_equal(parse(&s, texts[i], &mistakes, &e), 0);
		assert_int_equal(s.given, i == 1);
		assert_string_equal(s.socket, "unix:/var/spool/postfix/"
				    "fallbackmx/milter.sock");
		assert_string_equal(s.socket_group, "postfix");
		assert_null(s.metrics_file);
		assert_null(s.authserv_id);
		assert_int_equal(s.trusted_n, 2);
		assert_int_equal(s.relays_n, 0);
		assert_int_equal(s.concurrency, 16);
		assert_int_equal(s.wait, 60);
		assert_int_equal(s.drain, 20);
		for (int t = 0; t < TROUBLES; t++)
			assert_int_equal(s.on_failure[t], TROUBLE_TEMPFAIL);
		assert_int_equal(s.ingresses_n, 0);
		filter_settings_free(&s);
		buf_free(&mistakes);
	}
}

/* What `config show` prints is the same configuration. */
static void
prints_what_it_reads(void **state)
{
	char *text[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct filter_settings s;
		struct buf mistakes;
		struct err e;
		json_t *top;

		assert_int_equal(parse(&s, i == 0 ? full : text[0], &mistakes,
				       &e), 0);
		top = json_pack("{so}", "milter", filter_settings_json(&s));
		text[i] = json_dumps(top, JSON_SORT_KEYS);
		json_decref(top);
		filter_settings_free(&s);
		buf_free(&mistakes);
	}
	assert_string_equal(text[0], text[1]);
	assert_non_null(strstr(text[0], "\"tls_policy\": \"REQUIRED\""));
	assert_non_null(strstr(text[0], "\"macro\": \"{fallbackmx_ingress}\""));
	free(text[0]);
	free(text[1]);
}

struct wrong {
	const char *text;
	const char *says;	/* the lines, without "f: milter"; "~" before
				 * one of the top */
};

#define MILTER(inside) "{\"milter\": {" inside "}}"
#define POINT(inside) MILTER("\"ingress_points\": [{\"name\": \"mx1\", "     \
			     inside "}]")
#define TWO(a, b) MILTER("\"ingress_points\": [{" a "}, {" b "}]")
#define P0 ".ingress_points[0]"
#define P1 ".ingress_points[1]"
#define A_FILE "expected an absolute file without \".\", \"..\" or empty "    \
	       "parts\n"
#define A_RANGE "expected ADDRESS or ADDRESS/BITS, as 192.0.2.0/24 or "	      \
		"2001:db8::/32\n"
#define A_LISTENER "expected ADDRESS:PORT, [ADDRESS]:PORT or *:PORT, as "     \
		   "192.0.2.1:25, [2001:db8::1]:25 or *:25\n"
#define A_SOCKET "expected unix:PATH (an absolute one of at most 107 "	      \
		 "bytes), inet:HOST:PORT or fd\n"
#define SOCKET(s) { MILTER("\"socket\": \"" s "\""),			      \
		    ".socket: found \"" s "\", " A_SOCKET }
#define LISTENER(s) { POINT("\"listener\": \"" s "\""),			      \
		      P0 ".listener: found \"" s "\", " A_LISTENER }
#define NETWORK(s) { MILTER("\"trusted_networks\": [\"" s "\"]"),	      \
		     ".trusted_networks[0]: found \"" s "\", " A_RANGE }

static const struct wrong wrongs[] = {
	{ "{\"milter\": []}", ": found a list, expected what fallbackmx-milter "
	  "does (an object)\n" },
	{ "{\"milters\": {}}", "~: milters: found an unknown key, expected "
	  "state_dir, engine_user, sources or milter (did you mean "
	  "\"milter\"?)\n" },
	SOCKET("unix:milter.sock"), SOCKET("local:/x"), SOCKET("/x"),
	SOCKET("inet:8891"), SOCKET("inet:::1:8891"), SOCKET("inet:h:0"),
	SOCKET("inet:h:65536"), SOCKET("inet::8891"), SOCKET("unix:/a/../b"),
	SOCKET("inet:8891@localhost"),
	{ MILTER("\"socket\": \"unix:/23456789012345678901234567890123456789012"
		 "34567890123456789012345678901234567890123456789012345678901"
		 "2345678\""), ".socket: found \"unix:/23456789012345678901234"
	  "567890123456789012345678901234567890123456789012345678901234"
	  "5...\", " A_SOCKET },
	{ MILTER("\"socket_group\": \"\""), ".socket_group: found \"\", "
	  "expected a group's name\n" },
	{ MILTER("\"control_socket\": \"run\""), ".control_socket: found "
	  "\"run\", expected an absolute path of at most 107 bytes\n" },
	{ MILTER("\"metrics_file\": \"m\""),
	  ".metrics_file: found \"m\", " A_FILE },
	{ MILTER("\"documents\": [\"/a\", \"/a//b\"]"),
	  ".documents[1]: found \"/a//b\", " A_FILE },
	{ MILTER("\"address_lists\": [{\"name\": \"v\", \"file\": \"v\"}]"),
	  ".address_lists[0].file: found \"v\", " A_FILE },
	{ MILTER("\"log\": \"jsn\""), ".log: found \"jsn\", expected text or "
	  "json (did you mean \"json\"?)\n" },
	{ MILTER("\"authserv_id\": \"a b\""), ".authserv_id: found \"a b\", "
	  "expected a name without blanks\n" },
	{ MILTER("\"authserv_job\": true"), ".authserv_job: found \"true\", "
	  "expected authserv_id beside it\n" },
	NETWORK("10.0.0.0/33"), NETWORK("10.0.0.1/"), NETWORK("localhost"),
	NETWORK("10.0.0.0/08"), NETWORK("::ffff:10.0.0.1/128"), NETWORK(""),
	{ MILTER("\"concurrency\": 0, \"wait\": -1, \"drain\": 601"),
	  ".concurrency: found 0, expected an integer from 1 to 1024\n"
	  "f: milter.wait: found -1, expected an integer from 0 to 600 "
	  "seconds\n"
	  "f: milter.drain: found 601, expected an integer from 0 to 600 "
	  "seconds\n" },
	{ MILTER("\"on_failure\": {\"edit\": \"reject\"}"),
	  ".on_failure.edit: found \"reject\", expected tempfail or accept\n" },
	{ MILTER("\"targets\": [{\"target\": \"a\", \"action\": \"locl\"}]"),
	  ".targets[0].action: found \"locl\", expected local, skip or carry "
	  "(did you mean \"local\"?)\n" },
	{ MILTER("\"targets\": [{\"target\": \"x:a/b c\", \"action\": "
		 "\"carry\"}]"),
	  ".targets[0].archive: found \"b c\", expected a name of 1 to 63 "
	  "letters, digits, \"_\", \"-\" and \".\"\n" },
	{ MILTER("\"targets\": [{\"target\": \"a\", \"action\": \"skip\", "
		 "\"archive\": \"a\"}]"),
	  ".targets[0].archive: found \"a\", expected the action \"carry\" "
	  "beside it\n" },
	{ MILTER("\"archive\": {\"directory\": \"a\", \"default\": \"..\"}"),
	  ".archive.directory: found \"a\", expected an absolute file without "
	  "\".\", \"..\" or empty parts\n"
	  "f: milter.archive.default: found \"..\", expected a name of 1 to 63 "
	  "letters, digits, \"_\", \"-\" and \".\"\n" },
	{ MILTER("\"targets\": [{\"target\": \"a\", \"action\": \"skip\"}, "
		 "{\"target\": \"a\", \"action\": \"local\"}]"),
	  ".targets[1].target: found \"a\", expected each target once\n" },
	{ MILTER("\"analyses\": [{\"analyzer\": \"a\", \"result_field\": "
		 "\"b\", \"header\": \"X:\"}]"),
	  ".analyses[0].header: found \"X:\", expected the name of a header "
	  "field\n" },
	{ MILTER("\"ingress_points\": [{\"name\": \"mx\"}]"),
	  P0 ".name: found \"mx\", expected 3 to 63 letters, digits, \"_\" and "
	  "\"-\"\n" },
	{ MILTER("\"ingress_points\": [{}]"), P0 ".name: found nothing, "
	  "expected an ingress point's name (a string of at most 63 bytes)\n" },
	LISTENER("192.0.2.1"), LISTENER("192.0.2.1:"),
	LISTENER("2001:db8::1:25"),
	LISTENER("mx.example.org:25"), LISTENER("192.0.2.1:x"),
	LISTENER("[192.0.2.1:25"), LISTENER(":25"), LISTENER("192.0.2.1:25 "),
	{ POINT("\"macro\": \"{x}\""), P0 ": found nothing, expected value (of "
	  "macro)\n" },
	{ POINT("\"value\": \"x\""), P0 ": found nothing, expected macro "
	  "(whose value it is)\n" },
	{ POINT("\"macro\": \"{x}\", \"value\": \"\""),
	  P0 ".value: found \"\", expected a value\n" },
	{ POINT("\"daemon_name\": \"\""), P0 ".daemon_name: found \"\", "
	  "expected a name\n" },
	{ POINT("\"macro\": \"{x y}\", \"value\": \"v\""), P0 ".macro: found "
	  "\"{x y}\", expected {NAME} of letters, digits and \"_\", as "
	  "milter_macro_defaults has it\n" },
	{ POINT("\"listener\": \"*:25\", \"daemon_name\": \"smtpd\""),
	  P0 ": found more than one of them, expected listener, daemon_name, "
	  "or macro with value\n" },
	{ POINT("\"tls_policy\": \"FIPS\""), P0 ".tls_policy: found \"FIPS\", "
	  "expected OPTIONAL, REQUIRED, Optional or Require\n" },
	{ POINT("\"deny_text\": \"a\\nb\""), P0 ".deny_text: found "
	  "\"a\\x0ab\", expected printable ASCII\n" },
	{ POINT("\"rule_set\": \"r\""), P0 ".rule_set: found \"r\", " A_FILE },
	{ POINT("\"ip_filters\": [{\"Policy\": \"Deny\", \"Cidr\": \"x\"}]"),
	  P0 ".ip_filters[0].Policy: found \"Deny\", expected Allow or Block\n"
	  "f: milter" P0 ".ip_filters[0].Cidr: found \"x\", " A_RANGE },
	{ TWO("\"name\": \"default\", \"listener\": \"*:25\"",
	      "\"name\": \"mx1\""), P0 ".name: found \"default\", expected "
	  "another name (that one is for the sessions that no other ingress "
	  "point claims)\n" },
	{ TWO("\"name\": \"mx1\", \"listener\": \"*:25\"",
	      "\"name\": \"mx1\""),
	  P1 ": found the same as in ingress_points[0], expected a name of its "
	  "own\n" },
	{ TWO("\"name\": \"mx1\", \"listener\": \"[::ffff:192.0.2.1]:25\"",
	      "\"name\": \"mx2\", \"listener\": \"192.0.2.1:25\""),
	  P1 ": found the same as in ingress_points[0], expected a listener of "
	  "its own\n" },
	{ TWO("\"name\": \"mx1\", \"daemon_name\": \"d\"",
	      "\"name\": \"mx2\", \"daemon_name\": \"d\""),
	  P1 ": found the same as in ingress_points[0], expected a daemon_name "
	  "of its own\n" },
	{ TWO("\"name\": \"mx1\", \"macro\": \"{ab}\", \"value\": \"v\"",
	      "\"name\": \"mx2\", \"macro\": \"ab\", \"value\": \"v\""),
	  P1 ": found the same as in ingress_points[0], expected a macro with "
	  "a value of its own\n" },
	{ TWO("\"name\": \"mx1\"", "\"name\": \"mx2\""),
	  P1 ": found the same as in ingress_points[0], expected listener, "
	  "daemon_name, or macro with value (only one ingress point can do "
	  "without)\n" },
};

static void
names_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		const char *says = wrongs[i].says;
		struct filter_settings s;
		struct buf mistakes, wanted;
		struct err e = { 0 };

		ROW(wrongs[i].text);
		buf_init(&wanted, MISTAKES_MAX);
		buf_printf(&wanted, "f%s%s", *says == '~' ? "" : ": milter",
			   says + (*says == '~'));
		assert_int_equal(parse(&s, wrongs[i].text, &mistakes, &e), -1);
		assert_string_equal(mistakes.data, wanted.data);
		assert_int_equal(e.code, EX_CONFIG);
		assert_null(s.socket);
		buf_free(&wanted);
		buf_free(&mistakes);
	}
}

struct membership {
	const char *address;
	bool in, refused;
};

/* 10/8 and 2001:db8::/32; Block 10/8 and ::/0 with Allow 10.1/16. */
static const struct membership memberships[] = {
	{ "10.1.2.3", true, false }, { "10.2.3.4", true, true },
	{ "::ffff:10.2.3.4", true, true }, { "11.0.0.1", false, false },
	{ "2001:db8::1", true, true }, { "2001:db9::1", false, true },
	{ "nothing", false, false },
};

static void
knows_who_is_in_a_range(void **state)
{
	static const char text[] = POINT(
		"\"ip_filters\": ["
		"{\"Policy\": \"Block\", \"Cidr\": \"10.0.0.0/8\"},"
		"{\"Policy\": \"Block\", \"Cidr\": \"::/0\"},"
		"{\"Policy\": \"Allow\", \"Cidr\": \"10.1.0.0/16\"}]");
	static const char trusted[] = MILTER("\"trusted_networks\": "
		"[\"10.0.0.0/8\", \"2001:db8::/32\"]");
	struct filter_settings s, t;
	struct buf mistakes;
	struct err e;

	(void)state;
	assert_int_equal(parse(&s, text, &mistakes, &e), 0);
	assert_int_equal(parse(&t, trusted, &mistakes, &e), 0);
	for (size_t i = 0; i < COUNT(memberships); i++) {
		const struct membership *m = &memberships[i];
		struct ip ip;

		ROW(m->address);
		facts_ip(m->address, &ip);
		assert_int_equal(ip_in(&ip, t.trusted, t.trusted_n), m->in);
		assert_int_equal(ip_refused(&ip, s.ingresses[0].ip_filters,
					    s.ingresses[0].ip_filters_n),
				 m->refused);
	}
	filter_settings_free(&s);
	filter_settings_free(&t);
	buf_free(&mistakes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_top),
		cmocka_unit_test(reads_ingress_points),
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(names_mistakes),
		cmocka_unit_test(knows_who_is_in_a_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
