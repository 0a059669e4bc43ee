#include <config.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/mail/decode.h"
#include "milter/reload.h"
#include "milter/snapshot.h"
#include "milter/status.h"
#include "policy/survey.h"
#include "scratch.h"

#define LINES_MAX ((size_t)65536)

#define HEADER "{\"AddHeader\":{\"HeaderName\":\"X-A\",\"HeaderValue\":\"b\"}}"
#define ROLE "\"RoleArn\":\"arn:aws:iam::111122223333:role/r\""
#define COND(x) "{\"Conditions\":[" x "],\"Actions\":[" HEADER "]}"

struct document {
	const char *name, *text;
};

/* What configurations name; the directory stands for @. */
static const struct document documents[] = {
	{ "traffic", "{\"TrafficPolicyName\":\"front\",\"DefaultAction\":"
	  "\"ALLOW\",\"MaxMessageSizeBytes\":1000,\"PolicyStatements\":[{"
	  "\"Action\":\"DENY\",\"Conditions\":[{\"StringExpression\":{"
	  "\"Evaluate\":{\"Attribute\":\"RECIPIENT\"},\"Operator\":\"EQUALS\","
	  "\"Values\":[\"no@b.example\"]}}]}]}" },
	{ "plain", "{\"RuleSetName\":\"plain\",\"Rules\":[{\"Name\":\"one\","
	  "\"Actions\":[" HEADER "]},{\"Conditions\":[{\"StringExpression\":{"
	  "\"Evaluate\":{\"Attribute\":\"RECIPIENT\"},\"Operator\":\"EQUALS\","
	  "\"Values\":[\"a@b.example\"]}}],\"Actions\":[{\"Drop\":{}}," HEADER
	  "]}]}" },
	{ "outside", "{\"Rules\":[{\"Name\":\"offers\",\"Actions\":["
	  HEADER ",{\"Relay\":{\"Relay\":\"r-1\"}}]},{\"Actions\":["
	  "{\"Archive\":{\"TargetArchive\":\"arn:aws:ses:x:1:archive/a-1\"}},"
	  "{\"Send\":{" ROLE "}}]}]}" },
	{ "asks", "{\"Rules\":["
	  COND("{\"BooleanExpression\":{\"Evaluate\":{\"IsInAddressList\":{"
	       "\"Attribute\":\"RECIPIENT\",\"AddressLists\":[\"vip\"]}},"
	       "\"Operator\":\"IS_TRUE\"}}") ","
	  COND("{\"StringExpression\":{\"Evaluate\":{\"Analysis\":{"
	       "\"Analyzer\":\"arn:spam\",\"ResultField\":\"f\"}},\"Operator\":"
	       "\"EQUALS\",\"Values\":[\"x\"]}}") ","
	  COND("{\"StringExpression\":{\"Evaluate\":{"
	       "\"ClientCertificateAttribute\":\"SERIAL_NUMBER\"},"
	       "\"Operator\":\"EQUALS\",\"Values\":[\"x\"]}}") "]}" },
	{ "vip.csv", "address\nvip@b.example\n" },
	{ "bad.csv", "address\nno address\n" },
	{ "relay", "{\"RelayName\":\"r\",\"ServerName\":\"h.example\","
	  "\"ServerPort\":25,\"Authentication\":{\"NoAuthentication\":{}}}" },
	{ "broken", "{\"Rules\":[{\"Acts\":[]}]}" },
};

/* text with @/ for dir/. */
static void
expand(struct buf *out, const char *text, const char *dir)
{
	for (; *text != '\0'; text++)
		if (*text == '@' && text[1] == '/')
			buf_printf(out, "%s", dir);
		else
			buf_add(out, text, 1);
}

/* from with @ as the directory, into a file. */
static const char *
put(const char *dir, const char *name, const char *from)
{
	const char *path = scratch_path("%s/%s", dir, name);
	struct buf b;

	buf_init(&b, LINES_MAX);
	expand(&b, from, dir);
	scratch_text(path, b.data);
	buf_free(&b);
	return path;
}

static void
put_documents(const char *dir)
{
	for (size_t i = 0; i < COUNT(documents); i++)
		scratch_text(scratch_path("%s/%s", dir, documents[i].name),
			     documents[i].text);
}

struct load {
	const char *milter;	/* inside of the object */
	const char *says[5];	/* mistakes, with @ for the directory */
	const char *warns;	/* part of the warnings */
};

#define POINTS(x) "\"ingress_points\": [{\"name\": \"mx1\", " x "}]"
#define RULES(x) POINTS("\"rule_set\": \"@/" x "\"")
#define SHADOW(x) POINTS("\"rule_set\": \"@/" x "\", \"rule_set_mode\": "     \
			 "\"shadow\"")
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
	const char *file = put(dir, "c", arena_printf(&a, "{\"milter\": {%s}}",
						      x->milter));
	struct snapshot *s;
	struct err e = { .text = "" };
	size_t n = 0;

	buf_init(&wanted, LINES_MAX);
	buf_init(&mistakes, LINES_MAX);
	buf_init(&warnings, LINES_MAX);
	s = snapshot_load(file, &mistakes, &warnings, &e);
	for (; n < COUNT(x->says) && x->says[n] != NULL; n++) {
		expand(&wanted, x->says[n], dir);
		buf_add(&wanted, "\n", 1);
	}
	assert_string_equal(mistakes.data ? mistakes.data : "",
			    wanted.data ? wanted.data : "");
	assert_int_equal(s == NULL, n > 0);
	assert_int_equal(n > 0 ? e.code : EX_CONFIG, EX_CONFIG);
	buf_clear(&wanted);
	if (x->warns != NULL) {
		expand(&wanted, x->warns, dir);
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
	put_documents(dir);
	for (size_t i = 0; i < COUNT(loads); i++) {
		ROW(loads[i].milter);
		check_load(&loads[i], dir);
	}
}

static struct snapshot *
load(const char *dir, const char *milter)
{
	struct buf lines;
	struct snapshot *s;
	struct err e;

	buf_init(&lines, LINES_MAX);
	s = snapshot_load(put(dir, "c", milter), &lines, &lines, &e);
	assert_non_null(s);
	assert_int_equal(lines.len, 0);
	buf_free(&lines);
	return s;
}

static void
has_an_ingress_for_all(const char *dir)
{
	struct snapshot *s;

	put_documents(dir);
	s = load(dir, "{}");
	assert_int_equal(s->n, 2);
	assert_string_equal(s->submission->s->name, "submission");
	assert_string_equal(s->rest->s->name, "default");
	assert_null(s->rest->traffic);
	assert_null(s->rest->rules);
	assert_true(s->rest->s->open);
	snapshot_drop(s);
	s = load(dir, "{\"milter\": {\"ingress_points\": [{\"name\": \"mx1\", "
		 "\"traffic_policy\": \"@/traffic\"}, {\"name\": "
		 "\"submission\", \"traffic_policy\": \"@/traffic\", "
		 "\"rule_set\": \"@/plain\"}, {\"name\": \"mx2\", "
		 "\"daemon_name\": \"x\"}]}}");
	assert_int_equal(s->n, 3);
	assert_string_equal(s->rest->s->name, "mx1");
	assert_ptr_equal(s->submission, &s->ingresses[1]);
	/* One file, one policy. */
	assert_ptr_equal(s->rest->traffic, s->submission->traffic);
	assert_null(s->rest->rules);
	assert_non_null(s->submission->rules);
	snapshot_drop(s);
}

static void
maps_targets(const char *dir)
{
	static const enum target_way ways[2][2] = {
		{ TARGET_OWN, TARGET_SKIP }, { TARGET_LOCAL, TARGET_UNMAPPED },
	};
	struct buf lines;
	struct snapshot *s;
	struct err e;

	put_documents(dir);
	buf_init(&lines, LINES_MAX);
	s = snapshot_load(put(dir, "c", "{\"milter\": {\"targets\": "
			  "[{\"target\": \"r-1\", \"action\": \"skip\"}, "
			  "{\"target\": \"a-1\", \"action\": \"local\"}], "
			  SHADOW("outside") "}}"), &lines, &lines, &e);
	assert_non_null(s);
	for (size_t i = 0; i < 2; i++) {
		size_t n;
		const struct action *x = survey_actions(s->rest->rules, i,
							&n);

		assert_int_equal(n, 2);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(snapshot_target(s, &x[k]),
					 ways[i][k]);
	}
	snapshot_drop(s);
	buf_free(&lines);
}

static uint64_t
rule_count(const struct ingress *g, size_t i)
{
	return counter_read(ingress_rule(g, i));
}

static void
counts_verdicts(const char *dir)
{
	static const char *const to[] = {
		"a@b.example", "c@b.example", "no@b.example"
	};
	const struct facts f = { .recipients = to, .recipients_n = COUNT(to),
				 .size = 10 };
	struct arena a = { 0 };
	struct verdict v;
	struct snapshot *s, *t;
	const struct ingress *g;

	put_documents(dir);
	s = load(dir, "{\"milter\": {" POINTS("\"rule_set\": \"@/plain\", "
		 "\"traffic_policy\": \"@/traffic\"") "}}");
	g = s->rest;
	verdict_make(g->traffic, &f, VERDICT_TRAFFIC, &v, &a);
	for (size_t i = 0; i < v.recipients_n; i++)
		ingress_count_traffic(g, &v.recipients[i]);
	assert_int_equal(counter_read(ingress_statement(g, 0)), 1);
	assert_int_equal(counter_read(ingress_statement(g, 1)), 2);
	assert_int_equal(counter_read(ingress_statement(g, 2)), 0);
	verdict_make(g->rules, &f, 0, &v, &a);
	ingress_count_rules(g, &v);
	ingress_count_rules(g, &v);
	assert_int_equal(rule_count(g, 0), 2);
	assert_int_equal(rule_count(g, 1), 2);
	assert_int_equal(counter_read(counter_get(METRIC_ACTIONS, "ingress="
			 "\"mx1\",action=\"Drop\",mode=\"enforce\"")), 2);
	/* The other AddHeader stands behind Drop. */
	assert_int_equal(counter_read(counter_get(METRIC_ACTIONS, "ingress="
			 "\"mx1\",action=\"AddHeader\",mode=\"enforce\"")), 2);
	/* A reload goes on counting. */
	t = load(dir, "{\"milter\": {" RULES("plain") "}}");
	ingress_count_rules(t->rest, &v);
	assert_int_equal(rule_count(g, 0), 3);
	/* Without policies there is nothing to count. */
	ingress_count_traffic(t->rest, &v.recipients[0]);
	ingress_count_rules(t->submission, &v);
	snapshot_drop(s);
	snapshot_drop(t);
	arena_free(&a);
}

static int
reload_text(const char *dir, const char *text, const char *says)
{
	struct buf lines;
	int code;

	buf_init(&lines, LINES_MAX);
	code = reload(put(dir, "c", text), &lines);
	if (strstr(lines.data, says) == NULL)
		fail_msg("%s lacks %s", lines.data, says);
	buf_free(&lines);
	return code;
}

static void
keeps_the_old_one(const char *dir)
{
	struct counter *ok = counter_get(METRIC_POLICY_OK, NULL);
	struct snapshot_state state;
	struct snapshot *s;
	struct buf text;
	time_t since;

	put_documents(dir);
	assert_null(snapshot_hold());
	assert_int_equal(reload_text(dir, "{", "cannot reload"), EX_CONFIG);
	assert_null(snapshot_hold());
	assert_int_equal(reload_text(dir, "{}", " is in force"), 0);
	assert_int_equal(counter_read(ok), 1);
	s = snapshot_hold();
	assert_int_equal(reload_text(dir, "{\"milter\": {" RULES("broken")
				     "}}", "the configuration before stays "
				     "in force"), EX_CONFIG);
	assert_ptr_equal(snapshot_hold(), s);
	snapshot_drop(s);
	assert_int_equal(counter_read(ok), 0);
	snapshot_state(&state);
	since = state.failing_since;
	assert_true(since > 0);
	assert_int_equal(state.generation, s->generation);
	assert_non_null(strstr(state.mistakes, "Rules[0].Acts"));
	assert_non_null(strstr(state.mistakes, "cannot use"));
	free(state.mistakes);
	buf_init(&text, LINES_MAX);
	assert_int_equal(status_text(NULL, &text), EX_CONFIG);
	assert_non_null(strstr(text.data, "RELOAD FAILED"));
	assert_non_null(strstr(text.data, "Rules[0].Acts"));
	buf_clear(&text);
	assert_int_equal(status_json(NULL, &text), EX_CONFIG);
	assert_non_null(strstr(text.data, "\"ok\":false"));
	buf_clear(&text);
	/* The first failure counts, not the last. */
	assert_int_equal(reload_text(dir, "[]", "cannot reload"), EX_CONFIG);
	snapshot_state(&state);
	assert_int_equal(state.failing_since, since);
	free(state.mistakes);
	assert_int_equal(reload_text(dir, "{\"milter\": {\"socket\": \"fd\"}}",
				     "milter.socket was changed"), 0);
	snapshot_state(&state);
	assert_int_equal(state.failing_since, 0);
	assert_null(state.mistakes);
	assert_int_equal(status_text(NULL, &text), EX_OK);
	/* Who holds the old one has it still. */
	assert_string_equal(s->settings.socket, "unix:/var/spool/postfix/"
			    "fallbackmx/milter.sock");
	snapshot_drop(s);
	buf_free(&text);
}

#define READERS 4
#define RELOADS 150

static _Atomic bool done;

/* As a session does: hold, look, drop. */
static void *
read_on(void *arg)
{
	static const char *const to[] = { "a@b.example", "no@b.example" };
	const struct facts f = { .recipients = to, .recipients_n = COUNT(to) };
	unsigned last = 0;

	(void)arg;
	while (!atomic_load(&done)) {
		struct snapshot *s = snapshot_hold();
		struct arena a = { 0 };
		struct verdict v;

		assert_true(s->generation >= last);
		last = s->generation;
		verdict_make(s->rest->traffic, &f, VERDICT_TRAFFIC, &v, &a);
		assert_true(v.recipients[0].allowed);
		assert_false(v.recipients[1].allowed);
		ingress_count_traffic(s->rest, &v.recipients[0]);
		verdict_make(s->rest->rules, &f, 0, &v, &a);
		ingress_count_rules(s->rest, &v);
		assert_int_equal(v.recipients[0].disposition,
				 DISPOSITION_DROP);
		arena_free(&a);
		snapshot_drop(s);
	}
	return NULL;
}

static void
swaps_under_load(const char *dir)
{
	static const char good[] = "{\"milter\": {" POINTS("\"rule_set\": "
		"\"@/plain\", \"traffic_policy\": \"@/traffic\"") "}}";
	pthread_t threads[READERS];

	put_documents(dir);
	assert_int_equal(reload_text(dir, good, ""), 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on,
						NULL), 0);
	for (int i = 0; i < RELOADS; i++)
		reload_text(dir, i % 3 == 2 ? "{\"milter\": 7}" : good, "");
	atomic_store(&done, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(checks_what_it_loads),
		plain_unit_test(has_an_ingress_for_all),
		plain_unit_test(maps_targets),
		plain_unit_test(counts_verdicts),
		plain_unit_test(keeps_the_old_one),
		plain_unit_test(swaps_under_load),
	};

	decode_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
