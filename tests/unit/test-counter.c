#include <config.h>

#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/counter.h"
#include "milter/metrics.h"
#include "scratch.h"

#define TEXT_MAX ((size_t)4194304)

struct label {
	const char *value, *text;
};

static const struct label labels[] = {
	{ "mx", "ingress=\"mx\",rule=\"x\"" },
	{ "", "ingress=\"\",rule=\"x\"" },
	{ "a\"b", "ingress=\"a\\\"b\",rule=\"x\"" },
	/* The backslash is shown as \x5c, and that is escaped. */
	{ "a\\b\nc", "ingress=\"a\\\\x5cb\\\\x0ac\",rule=\"x\"" },
	{ "\xc3\xa4\x1b", "ingress=\"\\\\xc3\\\\xa4\\\\x1b\",rule=\"x\"" },
};

static void
escapes_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(labels); i++) {
		struct buf b;

		ROW(labels[i].value);
		buf_init(&b, 8192);
		counter_labels(&b, "ingress", labels[i].value, "rule", "x",
			       NULL);
		assert_string_equal(b.data, labels[i].text);
		buf_free(&b);
	}
}

static void
gives_the_same_again(void **state)
{
	struct counter *a = counter_get(METRIC_FAILURES, "class=\"a\"");
	struct counter *b = counter_get(METRIC_FAILURES, "class=\"b\"");

	(void)state;
	assert_ptr_not_equal(a, b);
	counter_add(a, 3);
	counter_add(b, 1);
	assert_ptr_equal(counter_get(METRIC_FAILURES, "class=\"a\""), a);
	assert_ptr_not_equal(counter_get(METRIC_RELOADS, "class=\"a\""), a);
	assert_ptr_equal(counter_get(METRIC_SESSIONS, NULL),
			 counter_get(METRIC_SESSIONS, ""));
	assert_int_equal(counter_read(a), 3);
	counter_sub(a, 1);
	assert_int_equal(counter_read(a), 2);
	counter_set(a, 7);
	assert_int_equal(counter_read(a), 7);
}

struct moment {
	double seconds;
	size_t bucket;
};

static const struct moment moments[] = {
	{ 0, 0 }, { .001, 0 }, { .0011, 1 }, { .0099, 3 }, { .01, 3 },
	{ 1, 9 }, { 29.9, 13 }, { 30, 13 }, { 30.1, 14 }, { 1e6, 14 },
	{ -1, 0 },
};

static void
sorts_into_buckets(void **state)
{
	uint64_t buckets[COUNTER_BUCKETS + 1];
	double seconds;

	(void)state;
	for (size_t i = 0; i < COUNT(moments); i++) {
		struct histogram h = { .microseconds = 0 };

		histogram_add(&h, moments[i].seconds);
		assert_int_equal(histogram_read(&h, buckets, &seconds), 1);
		for (size_t k = 0; k <= COUNTER_BUCKETS; k++)
			assert_int_equal(buckets[k], k >= moments[i].bucket);
		if (moments[i].seconds >= 0)
			assert_float_equal(seconds, moments[i].seconds, 1e-6);
		else
			assert_float_equal(seconds, 0, 1e-9);
	}
}

#define ADDERS 4
#define ADDITIONS 100000

static void *
add_many(void *arg)
{
	struct counter *c = arg;
	struct histogram *h = histogram_get(METRIC_EOM_SECONDS,
					    "ingress=\"threads\"");

	for (int i = 0; i < ADDITIONS; i++) {
		counter_add(c, 1);
		histogram_add(h, .002);
		if (i % 1000 == 0)
			assert_ptr_equal(counter_get(METRIC_MESSAGES,
						     "ingress=\"threads\""),
					 c);
	}
	return NULL;
}

static void
loses_no_addition(void **state)
{
	struct counter *c = counter_get(METRIC_MESSAGES,
					"ingress=\"threads\"");
	uint64_t buckets[COUNTER_BUCKETS + 1];
	pthread_t threads[ADDERS];
	double seconds;

	(void)state;
	for (int i = 0; i < ADDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many,
						c), 0);
	for (int i = 0; i < ADDERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(counter_read(c), ADDERS * ADDITIONS);
	assert_int_equal(histogram_read(histogram_get(METRIC_EOM_SECONDS,
					"ingress=\"threads\""), buckets,
					&seconds), ADDERS * ADDITIONS);
	assert_float_equal(seconds, ADDERS * ADDITIONS * .002, 1e-3);
}

/* More series than there is room for are counted together and not shown. */
static void
bounds_the_series(void **state)
{
	struct counter *last = NULL, *one;
	char text[64];

	(void)state;
	for (int i = 0; i < COUNTER_SERIES_MAX; i++) {
		snprintf(text, sizeof(text), "class=\"n%d\"", i);
		last = counter_get(METRIC_FAILURES, text);
		assert_non_null(last);
	}
	one = counter_get(METRIC_FAILURES, "class=\"one more\"");
	assert_ptr_equal(one, last);
	assert_ptr_not_equal(counter_get(METRIC_FAILURES, "class=\"n1\""),
			     one);
}

static const char *
line_of(const char *text, const char *begin)
{
	const size_t n = strlen(begin);

	while (text != NULL && strncmp(text, begin, n) != 0) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

/* What a line of the text format may be (version 0.0.4). */
static bool
is_sample(const char *s)
{
	s += strspn(s, "abcdefghijklmnopqrstuvwxyz_");
	if (*s == '{') {
		do {
			s++;
			s += strspn(s, "abcdefghijklmnopqrstuvwxyz_");
			if (*s++ != '=' || *s++ != '"')
				return false;
			for (; *s != '"'; s++) {
				if (*s < ' ' || *s > '~')
					return false;
				if (*s == '\\' && strchr("\\\"n", *++s) == NULL)
					return false;
			}
			s++;
		} while (*s == ',');
		if (*s++ != '}')
			return false;
	}
	if (*s++ != ' ')
		return false;
	return s[strspn(s, "0123456789.")] == '\n' && *s != '\n';
}

static void
prints_for_prometheus(void **state)
{
	const char *family = "";
	struct histogram *h;
	struct buf b;

	(void)state;
	counter_set(counter_get(METRIC_POLICY_OK, NULL), 1);
	counter_add(counter_get(METRIC_RULES, "rule=\"a\\\"b\""), 2);
	h = histogram_get(METRIC_EOM_SECONDS, "ingress=\"mx\"");
	histogram_add(h, .004);
	histogram_add(h, 40);
	buf_init(&b, TEXT_MAX);
	counter_print(&b);
	assert_false(b.cut);
	assert_non_null(line_of(b.data, "fallbackmx_policy_ok 1\n"));
	assert_non_null(line_of(b.data, "fallbackmx_rules_total{rule="
				"\"a\\\"b\"} 2\n"));
	assert_non_null(line_of(b.data, "fallbackmx_eom_seconds_bucket{"
				"ingress=\"mx\",le=\"0.0025\"} 0\n"));
	assert_non_null(line_of(b.data, "fallbackmx_eom_seconds_bucket{"
				"ingress=\"mx\",le=\"0.005\"} 1\n"));
	assert_non_null(line_of(b.data, "fallbackmx_eom_seconds_bucket{"
				"ingress=\"mx\",le=\"+Inf\"} 2\n"));
	assert_non_null(line_of(b.data, "fallbackmx_eom_seconds_sum{"
				"ingress=\"mx\"} 40.004000\n"));
	assert_non_null(line_of(b.data, "fallbackmx_eom_seconds_count{"
				"ingress=\"mx\"} 2\n"));
	/* HELP and TYPE stand before the samples of their family. */
	for (const char *s = b.data; *s != '\0'; s = strchr(s, '\n') + 1) {
		if (strncmp(s, "# HELP ", 7) == 0) {
			family = s + 7;
			continue;
		}
		if (*s == '#')
			assert_memory_equal(s, "# TYPE ", 7);
		else
			assert_true(is_sample(s));
		assert_memory_equal(*s == '#' ? s + 7 : s, family,
				    strcspn(family, " "));
	}
	buf_free(&b);
}

static void
prints_json(void **state)
{
	struct buf b;
	json_t *top, *list, *x;
	size_t i;

	(void)state;
	counter_set(counter_get(METRIC_ACTIONS, "action=\"a\\\\x1b\\\"b\","
				"mode=\"shadow\""), 9);
	histogram_add(histogram_get(METRIC_EOM_SECONDS, "ingress=\"j\""), 2);
	buf_init(&b, TEXT_MAX);
	counter_json(&b);
	top = json_loadb(b.data, b.len, 0, NULL);
	assert_non_null(top);
	list = json_object_get(top, "actions_total");
	assert_int_equal(json_array_size(list), 1);
	x = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(x, "action")),
			    "a\\x1b\"b");
	assert_string_equal(json_string_value(json_object_get(x, "mode")),
			    "shadow");
	assert_int_equal(json_integer_value(json_object_get(x, "value")), 9);
	json_array_foreach(json_object_get(top, "eom_seconds"), i, x)
		if (strcmp(json_string_value(json_object_get(x, "ingress")),
			   "j") == 0)
			break;
	assert_int_equal(json_integer_value(json_object_get(x, "count")), 1);
	assert_int_equal(json_integer_value(json_object_get(
			 json_object_get(x, "buckets"), "2.5")), 1);
	assert_int_equal(json_integer_value(json_object_get(
			 json_object_get(x, "buckets"), "1")), 0);
	json_decref(top);
	buf_free(&b);
}

/* A new file each time, readable by others, and no rest of it. */
static void
writes_a_file(const char *dir)
{
	const char *file = scratch_path("%s/m.prom", dir);
	const char *rest = scratch_path("%s/m.prom.tmp", dir);
	struct stat st, first;
	struct err e;

	assert_int_equal(symlink("/etc/passwd", rest), 0);
	assert_int_equal(metrics_write(file, &e), 0);
	assert_int_equal(stat(file, &first), 0);
	assert_int_equal(first.st_mode & 07777, 0644);
	assert_int_equal(metrics_write(file, &e), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_size > 0);
	assert_int_equal(scratch_entries(dir), 1);
	assert_int_equal(metrics_write(scratch_path("%s/no/m", dir), &e), -1);
	assert_non_null(strstr(e.text, "/no/m.tmp: No such file"));
	assert_int_equal(e.kind, ERR_TEMP);
	/* What stands in the way of the rename stays, the rest goes. */
	assert_int_equal(mkdir(scratch_path("%s/d", dir), 0700), 0);
	assert_int_equal(metrics_write(scratch_path("%s/d", dir), &e), -1);
	assert_int_equal(scratch_entries(dir), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_labels),
		cmocka_unit_test(gives_the_same_again),
		cmocka_unit_test(sorts_into_buckets),
		cmocka_unit_test(loses_no_addition),
		cmocka_unit_test(prints_for_prometheus),
		cmocka_unit_test(prints_json),
		plain_unit_test(writes_a_file),
		/* Last: afterwards there is no room for another one. */
		cmocka_unit_test(bounds_the_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
