#include <config.h>

#include "milter/envelope.h"
#include "unit.h"

static void
addresses(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "<a@b>", "a@b" },
		{ "a@b", "a@b" },
		{ "<>", "" },
		{ "", "" },
		{ NULL, "" },
		{ "<", "<" },
		{ "<Postmaster>", "Postmaster" },
		{ "<a+x@b>", "a+x@b" },
		{ "<A@B>", "A@B" },
		/* The same mailbox, written otherwise. */
		{ "<@r:a@b>", "a@b" },
		{ "<@r,@s:a@b>", "a@b" },
		{ "<\"a\"@b>", "a@b" },
		{ "<\"a.c\"@b>", "a.c@b" },
		{ "<\"\\a\"@b>", "a@b" },
		{ "<\"a\"@b.>", "a@b" },
		{ "<a@b.>", "a@b" },
		/* These need their quotes, or are none of that. */
		{ "<\"a c\"@b>", "\"a c\"@b" },
		{ "<\"a@c\"@b>", "\"a@c\"@b" },
		{ "<\"a..c\"@b>", "\"a..c\"@b" },
		{ "<\".a\"@b>", "\".a\"@b" },
		{ "<\"a.\"@b>", "\"a.\"@b" },
		{ "<\"\"@b>", "\"\"@b" },
		{ "<\"a\\\"c\"@b>", "\"a\\\"c\"@b" },
		{ "<\"a>", "\"a" },
		{ "<\"a\\>", "\"a\\" },
		{ "<@a>", "@a" },
		{ "<a@.>", "a@." },
		{ "<\"gr\xc3\xbcn\"@b>", "gr\xc3\xbcn@b" },
	};
	struct arena a = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].text ? rows[i].text : "NULL");
		assert_string_equal(envelope_address(rows[i].text, &a),
				    rows[i].wanted);
	}
	arena_free(&a);
}

/* What the MTA told counts, but where it told nothing of this. */
static void
meanings(void **state)
{
	static const struct {
		const char *told, *text, *wanted;
	} rows[] = {
		{ "a@b", "<a@b(@c)>", "a@b" },
		{ "a@b", "<a%b>", "a@b" },
		{ "a@b", "<a>", "a@b" },
		{ "a@b", "<A@B>", "A@B" },
		{ "a@b", "<A%B>", "a@b" },
		{ "\"a c\"@b", "<\"a c\" @ b>", "\"a c\"@b" },
		{ "a@b", "<>", "" },
		{ "a@b", NULL, "" },
		{ NULL, "<a@b>", "a@b" },
		{ "", "<a@b>", "a@b" },
		{ "a", "<a@b>", "a@b" },
	};
	struct arena a = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].text ? rows[i].text : "NULL");
		assert_string_equal(envelope_meant(rows[i].told, rows[i].text,
						   &a), rows[i].wanted);
	}
	arena_free(&a);
}

static void
routes_inside(void **state)
{
	static const struct {
		const char *text;
		bool removable;
	} rows[] = {
		{ "<a@b>", true },
		{ "a@b", true },
		{ "a", true },
		{ "", true },
		{ "<\"@a:b\"@c>", true },
		{ "<\"\\\"@a:b\"@c>", true },
		{ "<(@a:b) c@d>", true },
		{ "<((x)\\)@a:b) c@d>", true },
		{ "<g:a@b;>", true },
		{ "<x <a@b>>", true },
		{ "<(", true },
		{ "<@", false },
		{ "<@a:b@c>", false },
		{ "<<@a:b@c>>", false },
		{ "<< @a:b@c>>", false },
		{ "<<(x) @a:b@c>>", false },
		{ "<(x)@a:b@c>", false },
		{ "<x <@a:b@c>>", false },
		{ "<\"x\" <@a:b@c>>", false },
		{ "<g:@a:b@c;>", false },
		{ "<a@b, @c:d@e>", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].text);
		assert_int_equal(envelope_is_removable(rows[i].text),
				 rows[i].removable);
	}
}

static void
removals(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "<a@b>", "<a@b>" },
		{ "<@r,@s:a@b>", "<a@b>" },
		{ "<@r:\"a\"@b>", "<\"a\"@b>" },
		{ "<a@b.>", "<a@b.>" },
		{ "a@b", "a@b" },
		{ "", "" },
		{ "<", "<" },
	};
	struct arena a = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].text);
		assert_string_equal(envelope_removable(rows[i].text, &a),
				    rows[i].wanted);
	}
	arena_free(&a);
}

static void
sizes(void **state)
{
	static char first[] = "<a@b>";
	static const struct {
		const char *parameter;
		int64_t size;
	} rows[] = {
		{ "SIZE=4711", 4711 },
		{ "size=0", 0 },
		{ "SIZE=", -1 },
		{ "SIZE=-1", -1 },
		{ "SIZE=1x", -1 },
		{ "SIZE=99999999999999999999", INT64_MAX },
		{ "BODY=8BITMIME", -1 },
	};
	char *none[] = { first, NULL }, *nothing[] = { NULL };
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static char other[] = "RET=HDRS";
		char *arguments[] = { first, other, text, NULL };

		ROW(rows[i].parameter);
		snprintf(text, sizeof(text), "%s", rows[i].parameter);
		assert_true(envelope_size(arguments) == rows[i].size);
	}
	assert_true(envelope_size(none) == -1);
	assert_true(envelope_size(nothing) == -1);
	assert_true(envelope_size(NULL) == -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(meanings),
		cmocka_unit_test(removals),
		cmocka_unit_test(routes_inside),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
