#include <config.h>

#include <sysexits.h>

#include "lib/mail/decode.h"
#include "milter/snapshot.h"
#include "snapshot-help.h"

/* What is wrong with the documents that a configuration names. */

#define LINES_MAX ((size_t)65536)

struct load {
	const char *milter;	/* inside of the object */
	const char *says[5];	/* mistakes, with @ for the directory */
	const char *warns;	/* part of the warnings */
};

#define TARGETS(r, a, s) "\"targets\": [{\"target\": \"r-1\", \"action\": \""  \
	r "\"}, {\"target\": \"a-1\", \"action\": \"" a "\"}, {\"target\": "   \
	"\"Send\", \"action\": \"" s "\"}], "
#define ADDS(t, w) "add {\"target\": \"" t "\", \"action\": \"" w "\"} (or "  \
		   "\"skip\") to milter.targets of @/c"
#define ADD(t) ADDS(t, "local")

static const struct load loads[] = {
	{ "", { NULL }, NULL },
	{ RULES("plain"), { NULL }, NULL },
	{ RULES("outside"), {
	  "@/outside: Rules[0].Actions[1].Relay.Relay: found \"r-1\", expected "
	  "a target that is mapped, for the rule offers: " ADD("r-1"),
	  "@/outside: Rules[1].Actions[0].Archive.TargetArchive: found "
	  "\"arn:aws:ses:x:1:archive/a-1\", expected a target that is mapped, "
	  "for a rule without a name: "
	  ADDS("arn:aws:ses:x:1:archive/a-1", "carry"),
	  "@/outside: Rules[1].Actions[1].Send: found \"Send\", expected a "
	  "target that is mapped, for a rule without a name: " ADD("Send"),
	  }, NULL },
	{ SHADOW("outside"), { NULL }, "in shadow mode: @/outside: Rules[0]."
	  "Actions[1].Relay.Relay: found \"r-1\", expected a target" },
	{ TARGETS("skip", "local", "local") RULES("outside"), { NULL }, NULL },
	{ TARGETS("carry", "local", "local") RULES("outside"), {
	  "@/outside: Rules[0].Actions[1].Relay.Relay: found \"r-1\", expected "
	  "a target mapped to local or skip, for the rule offers: this version "
	  "carries archives only; change it in milter.targets of @/c" },
	  NULL },
	{ TARGETS("skip", "carry", "local") RULES("outside"), { NULL }, NULL },
	{ TARGETS("carry", "local", "local") SHADOW("outside"), { NULL },
	  "this version carries archives only" },
	{ RULES("asks"), {
	  "@/asks: Analysis: found \"arn:spam\", expected one that a header "
	  "answers: add {\"analyzer\": \"arn:spam\", \"result_field\": \"f\", "
	  "\"header\": \"NAME\"} to milter.analyses of @/c",
	  "@/asks: address list \"vip\" is not loaded; conditions on it never "
	  "hold; add it to milter.address_lists of @/c",
	  "@/asks: client certificates: Postfix does not tell SERIAL_NUMBER; "
	  "conditions on it never hold" }, NULL },
	{ SHADOW("asks"), { NULL }, "in shadow mode: @/asks: address list" },
	{ "\"address_lists\": [{\"name\": \"vip\", \"file\": \"@/vip.csv\"}], "
	  "\"analyses\": [{\"analyzer\": \"arn:spam\", \"result_field\": "
	  "\"f\", \"header\": \"X-Spam\"}], " SHADOW("asks"), { NULL },
	  "in shadow mode: @/asks: client certificates" },
	{ "\"address_lists\": [{\"name\": \"vip\", \"file\": \"@/bad.csv\"}]",
	  { "@/bad.csv: line 2: found \"no address\", expected an address or a "
	    "domain, with one * at most: *@d, pre*@d, *suf@d, l@*.d, *.d (3 to "
	    "320 characters)" }, NULL },
	{ "\"documents\": [\"@/relay\"]", { NULL }, NULL },
	{ "\"documents\": [\"@/plain\"]", { "@/c: milter.documents[0]: found "
	  "\"@/plain\", expected a relay or an archive" }, NULL },
	{ RULES("traffic"), { "@/traffic: found a traffic policy, expected a "
	  "rule set" }, NULL },
	{ RULES("nothing"), { "@/c: milter.ingress_points[0].rule_set: found "
	  "\"@/nothing\", expected a file that can be read (No such file or "
	  "directory)" }, NULL },
	{ "\"ingress_points\": [{\"name\": \"mx1\", \"rule_set\": \"@/broken\","
	  " \"traffic_policy\": \"@/gone\"}, {\"name\": \"mx2\", \"listener\": "
	  "\"*:26\", \"rule_set\": \"@/broken\", \"rule_set_mode\": "
	  "\"shadow\"}]", {
	  "@/c: milter.ingress_points[0].traffic_policy: found \"@/gone\", "
	  "expected a file that can be read (No such file or directory)",
	  "@/broken: Rules[0].Actions: found nothing, expected actions (a "
	  "list of 1 to 10)",
	  "@/broken: Rules[0].Acts: found an unknown key, expected Name, "
	  "Conditions, Unless or Actions" },
	  NULL },
	{ RULES("tag"), {
	  "@/tag: Rules[0].Actions[1].AddHeader.HeaderName: found "
	  "\"x-FALLBACKmx\", expected another name, for the rule marks: the "
	  "milter writes that header itself and removes all others; rename "
	  "the rule's, or leave the action out",
	  "@/tag: Rules[1].Actions[0].RemoveHeader.HeaderName: found "
	  "\"X-FallbackMX\", expected another name, for a rule without a "
	  "name: the milter writes that header itself and removes all others; "
	  "leave the action out" }, NULL },
	{ SHADOW("tag"), { NULL }, "in shadow mode: @/tag: Rules[0].Actions[1]."
	  "AddHeader.HeaderName: found \"x-FALLBACKmx\", expected another" },
	{ "\"authserv_id\": \"mx.example\"", { NULL },
	  "@/c: milter.authserv_id without authserv_job: results that a "
	  "sender wrote under this name are believed where the checkers leave "
	  "them in the mail; set AuthservIDWithJobID yes in opendkim.conf and "
	  "opendmarc.conf, then \"authserv_job\": true\n" },
	{ "\"authserv_id\": \"mx.example\", \"authserv_job\": true", { NULL },
	  NULL },
	/* Enforced somewhere is enforced. */
	{ "\"ingress_points\": [{\"name\": \"mx1\", \"rule_set\": \"@/asks\", "
	  "\"rule_set_mode\": \"shadow\"}, {\"name\": \"mx2\", \"listener\": "
	  "\"*:26\", \"rule_set\": \"@/asks\"}], \"analyses\": [{\"analyzer\": "
	  "\"arn:spam\", \"result_field\": \"f\", \"header\": \"X-Spam\"}], "
	  "\"address_lists\": [{\"name\": \"vip\", \"file\": \"@/vip.csv\"}]",
	  { "@/asks: client certificates: Postfix does not tell SERIAL_NUMBER; "
	    "conditions on it never hold" }, NULL },
};

static void
check_load(const struct load *x, const char *dir)
{
	struct buf wanted, mistakes, warnings;
	struct arena a = { 0 };
	const char *file = document_put(dir, "c", arena_printf(
		&a, "{\"milter\": {%s}}", x->milter));
	struct snapshot *s;
	struct err e = { .text = "" };
	size_t n = 0;

	buf_init(&wanted, LINES_MAX);
	buf_init(&mistakes, LINES_MAX);
	buf_init(&warnings, LINES_MAX);
	s = snapshot_load(file, &mistakes, &warnings, &e);
	for (; n < COUNT(x->says) && x->says[n] != NULL; n++) {
		document_expand(&wanted, x->says[n], dir);
		buf_add(&wanted, "\n", 1);
	}
	assert_string_equal(mistakes.data ? mistakes.data : "",
			    wanted.data ? wanted.data : "");
	assert_int_equal(s == NULL, n > 0);
	assert_int_equal(n > 0 ? e.code : EX_CONFIG, EX_CONFIG);
	buf_clear(&wanted);
	if (x->warns != NULL) {
		document_expand(&wanted, x->warns, dir);
		assert_non_null(warnings.data);
		assert_non_null(strstr(warnings.data, wanted.data));
	} else {
		assert_int_equal(warnings.len, 0);
	}
	snapshot_drop(s);
	arena_free(&a);
	buf_free(&wanted);
	buf_free(&mistakes);
	buf_free(&warnings);
}

static void
checks_what_it_loads(const char *dir)
{
	documents_put(dir);
	for (size_t i = 0; i < COUNT(loads); i++) {
		ROW(loads[i].milter);
		check_load(&loads[i], dir);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(checks_what_it_loads),
	};

	decode_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
