#include <config.h>

#include "postfix/milterlist.h"
#include "unit.h"

/* Value -> entries as "ENDPOINT|ACTION|PROTOCOL ". */
static const struct {
	const char *value, *entries;
} lists[] = {
	{ "", "" },
	{ " , \t", "" },
	{ "unix:a/b", "unix:a/b|-|- " },
	{ "unix:a/b, inet:h:1 local:c",
	  "unix:a/b|-|- inet:h:1|-|- local:c|-|- " },
	{ "{unix:a/b}", "unix:a/b|-|- " },
	{ "{ unix:a/b, default_action=accept }", "unix:a/b|accept|- " },
	{ "{ unix:a/b, default_action = accept,protocol =4 }",
	  "unix:a/b|accept|4 " },
	{ "{ unix:a/b,connect_timeout=10s, protocol=6 }, unix:c",
	  "unix:a/b|-|6 unix:c|-|- " },
	{ "unix:c,{ inet:[::1]:7, default_action=tempfail}",
	  "unix:c|-|- inet:[::1]:7|tempfail|- " },
	/* What Postfix would refuse is taken apart without harm. */
	{ "{ unix:a", "unix:a|-|- " },
	{ "{", "{|-|- " },
	{ "{}", "|-|- " },
	{ "{ } x", "|-|- x|-|- " },
	{ "{ unix:a, = , default_action }", "unix:a|-|- " },
	{ "}", "}|-|- " },
	{ "{ { unix:a } }", "{|-|- " },
};

static void
test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct arena arena = { 0 };
		struct milter_entry *all;
		char *said = arena_strdup(&arena, "");
		size_t n;

		ROW(lists[i].value);
		all = milterlist_parse(lists[i].value, &arena, &n);
		for (size_t k = 0; k < n; k++)
			said = arena_printf(&arena, "%s%s|%s|%s ", said,
					    all[k].endpoint,
					    all[k].action ? all[k].action : "-",
					    all[k].protocol ?
					    all[k].protocol : "-");
		assert_string_equal(said, lists[i].entries);
		arena_free(&arena);
	}
}

static void
test_text_stays(void **state)
{
	struct arena arena = { 0 };
	size_t n;
	struct milter_entry *all = milterlist_parse(
		"a, { b, default_action=x } ,c", &arena, &n);

	(void)state;
	assert_int_equal(n, 3);
	assert_string_equal(all[0].text, "a");
	assert_string_equal(all[1].text, "{ b, default_action=x }");
	assert_string_equal(all[2].text, "c");
	arena_free(&arena);
}

static void
test_paths(void **state)
{
	struct setting queue = { .name = "queue_directory", .value = "/q" };
	const struct postconf c = { .settings = &queue, .settings_n = 1 };
	const struct service in = { .chroot = true }, out = { .chroot = false };
	const struct {
		const char *endpoint;
		const struct service *service;
		const char *path;
	} cases[] = {
		{ "unix:a/b", &in, "/q/a/b" },
		{ "unix:a/b", &out, "/q/a/b" },
		{ "unix:/a/b", &in, "/q/a/b" },
		{ "unix:/a/b", &out, "/a/b" },
		{ "local:a", &out, "/q/a" },
		{ "inet:h:1", &out, NULL },
		{ "", &out, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena = { 0 };
		const char *path = milterlist_path(cases[i].endpoint, &c,
						   cases[i].service, &arena);

		if (cases[i].path == NULL)
			assert_null(path);
		else
			assert_string_equal(path, cases[i].path);
		arena_free(&arena);
	}
}

static void
test_same(void **state)
{
	(void)state;
	assert_true(milterlist_same("/a/b", "/a/b"));
	assert_true(milterlist_same("/a//b", "/a/b"));
	assert_true(milterlist_same("/tmp/..", "/"));
	assert_false(milterlist_same("/nowhere/b", "/nowhere/bc"));
	assert_false(milterlist_same("/nowhere/b", "/nowhere"));
	assert_true(milterlist_same_inet("inet:localhost:1",
					 "inet:127.0.0.1:1"));
	assert_true(milterlist_same_inet("inet:[::1]:1", "inet:127.0.0.1:1"));
	assert_true(milterlist_same_inet("inet:A.b:1", "inet:a.B:1"));
	assert_false(milterlist_same_inet("inet:a:1", "inet:a:2"));
	assert_false(milterlist_same_inet("inet:a:1", "inet:b:1"));
	assert_false(milterlist_same_inet("inet:1", "inet:1"));
	assert_false(milterlist_same_inet("unix:a:1", "unix:a:1"));
}

static void
test_words(void **state)
{
	(void)state;
	assert_true(postconf_has("a, no_milters b", "no_milters"));
	assert_true(postconf_has("NO_MILTERS", "no_milters"));
	assert_false(postconf_has("no_milters2,no", "no_milters"));
	assert_false(postconf_has("", "no_milters"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_text_stays),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
