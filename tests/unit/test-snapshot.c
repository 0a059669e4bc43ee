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
#include "snapshot-help.h"

#define LINES_MAX ((size_t)65536)

static struct snapshot *
load(const char *dir, const char *milter)
{
	struct buf lines;
	struct snapshot *s;
	struct err e;

	buf_init(&lines, LINES_MAX);
	s = snapshot_load(document_put(dir, "c", milter), &lines, &lines, &e);
	assert_non_null(s);
	assert_int_equal(lines.len, 0);
	buf_free(&lines);
	return s;
}

static void
has_an_ingress_for_all(const char *dir)
{
	struct snapshot *s;

	documents_put(dir);
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

	documents_put(dir);
	buf_init(&lines, LINES_MAX);
	s = snapshot_load(document_put(dir, "c", "{\"milter\": {\"targets\": "
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

	documents_put(dir);
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
	code = reload(document_put(dir, "c", text), &lines);
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

	documents_put(dir);
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

	documents_put(dir);
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
		plain_unit_test(has_an_ingress_for_all),
		plain_unit_test(maps_targets),
		plain_unit_test(counts_verdicts),
		plain_unit_test(keeps_the_old_one),
		plain_unit_test(swaps_under_load),
	};

	decode_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
