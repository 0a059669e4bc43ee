#include <config.h>

#include <ctype.h>

#include "policy/addresslist.h"
#include "unit.h"

static void
entries(void **state)
{
	static const struct {
		const char *entry;
		bool ok;
	} rows[] = {
		{ "a@b", true }, { "alice@example.com", true },
		{ "example.com", true }, { "*@example.com", true },
		{ "pre*@example.com", true }, { "*suf@example.com", true },
		{ "joe@*.example.com", true }, { "*.example.com", true },
		{ "\"a@b\"@example.com", true },
		{ "*.a.b.c.d.e.f.g.h.i", true },
		{ "1234567890123456789*@d.example", true },
		{ "\xc3\xa4@example.com", true },
		{ "", false }, { "@b.example", false }, { "a@", false },
		{ "pr*@example.com", false }, { "**@example.com", false },
		{ "12345678901234567890*@d.example", false },
		{ "pre*suf@example.com", false }, { "*", false },
		{ "*.com", false }, { "*.a.b.c.d.e.f.g.h.i.j", false },
		{ "pre*@*.example.com", false }, { "*@*.example.com", false },
		{ "a@b*.example.com", false }, { "a.*.example.com", false },
		{ "a b@example.com", false }, { "a@exa mple.com", false },
		{ "a@example..com", false }, { "a@.example.com", false },
		{ "a@example.com.", false }, { "a@example.com\r", false },
		{ "a,b.example", false }, { "a@b,c", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(rows[i].entry);
		assert_int_equal(addresslist_entry_ok(rows[i].entry),
				 rows[i].ok);
	}
}

static const struct {
	const char *entry, *address;
	bool in;
} members[] = {
	{ "Alice@Example.com", "alice@example.com", true },
	{ "alice@example.com", "alic@example.com", false },
	{ "alice@example.com", "alice@example.co", false },
	{ "example.com", "any.one@example.com", true },
	{ "example.com", "a@sub.example.com", false },
	{ "example.com", "example.com", false },
	{ "*@example.com", "a@example.com", true },
	{ "*@example.com", "a@b.example.com", false },
	{ "pre*@example.com", "prefix@example.com", true },
	{ "pre*@example.com", "pre@example.com", true },
	{ "pre*@example.com", "apre@example.com", false },
	{ "pre*@example.com", "pr@example.com", false },
	{ "*suf@example.com", "a-suf@example.com", true },
	{ "*suf@example.com", "suf@example.com", true },
	{ "*suf@example.com", "suff@example.com", false },
	{ "1234567890123456789*@d.example",
	  "1234567890123456789x@d.example", true },
	{ "*.example.com", "a@b.example.com", true },
	{ "*.example.com", "a@c.b.example.com", true },
	{ "*.example.com", "a@example.com", false },
	{ "*.example.com", "a@xexample.com", false },
	{ "joe@*.example.com", "joe@b.example.com", true },
	{ "joe@*.example.com", "joe@c.b.example.com", true },
	{ "joe@*.example.com", "jo@b.example.com", false },
	{ "joe@*.example.com", "joe@example.com", false },
	{ "*.a.b.c.d.e.f.g.h.i", "x@y.a.b.c.d.e.f.g.h.i", true },
	{ "*.a.b.c.d.e.f.g.h.i", "x@z.y.a.b.c.d.e.f.g.h.i", true },
	{ "*.a.b.c.d.e.f.g.h.i", "x@a.b.c.d.e.f.g.h.i", false },
	/* A star in an address is a letter like another. */
	{ "example.com", "a*b@example.com", true },
	{ "*@example.com", "a*b@example.com", true },
	{ "*@example.com", "*@example.com", true },
	{ "*.example.com", "a*b@c.example.com", true },
	{ "pre*@example.com", "pre*@example.com", true },
	{ "pre*@example.com", "p*re@example.com", false },
	{ "pre*@example.com", "*@example.com", false },
	{ "*suf@example.com", "*suf@example.com", true },
	{ "*suf@example.com", "suf*@example.com", false },
	{ "joe@*.example.com", "*@b.example.com", false },
	{ "joe@*.example.com", "j*e@b.example.com", false },
	{ "alice@example.com", "*@example.com", false },
	{ "alice@example.com", "ali*@example.com", false },
	{ "a@b", "", false }, { "a@b", "@", false },
	{ "\"x@y\"@b.example", "\"x@y\"@b.example", true },
};

static void
forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(members); i++) {
		struct arena a = { 0 };
		char folded[64];
		size_t n = strlen(members[i].address);

		printf("# %s in %s\n", members[i].address, members[i].entry);
		for (size_t j = 0; j <= n; j++)
			folded[j] = (char)tolower((unsigned char)
						  members[i].address[j]);
		assert_true(addresslist_entry_ok(members[i].entry));
		assert_int_equal(addresslist_has(addresslist_new(
			&members[i].entry, 1, &a), folded, n), members[i].in);
		arena_free(&a);
	}
}

static void
many(void **state)
{
	struct arena a = { 0 };
	const char **entries = arena_alloc(&a, ADDRESSLIST_MAX *
					   sizeof(*entries));
	struct addresslist *l;
	char text[64];

	(void)state;
	for (int i = 0; i < ADDRESSLIST_MAX; i++)
		entries[i] = arena_printf(&a, i % 2 ? "u%d@example.com" :
					  "*.d%d.example", i);
	l = addresslist_new(entries, ADDRESSLIST_MAX, &a);
	for (int i = 0; i < ADDRESSLIST_MAX; i++) {
		int n = snprintf(text, sizeof(text), i % 2 ?
				 "u%d@example.com" : "a@b.d%d.example", i);

		assert_true(addresslist_has(l, text, (size_t)n));
		n = snprintf(text, sizeof(text), i % 2 ? "u%d@example.org" :
			     "a@d%d.example", i);
		assert_false(addresslist_has(l, text, (size_t)n));
	}
	arena_free(&a);
}

/* Addresses are a stranger's: one of a megabyte costs one look at it. */
static void
long_addresses(void **state)
{
	static const char *const entries[] = {
		"*.example.com", "pre*@a.example", "joe@*.example.com"
	};
	const size_t n = 1 << 20;
	struct arena a = { 0 };
	struct addresslist *l = addresslist_new(entries, COUNT(entries), &a);
	char *s = arena_alloc(&a, n + 1);

	(void)state;
	for (size_t i = 0; i < n; i++)
		s[i] = i % 2 ? '.' : 'a';
	for (int i = 0; i < 1000; i++) {
		s[1] = '@';
		assert_false(addresslist_has(l, s, n));
		s[1] = '.';
		memcpy(s + n - 14, "@x.example.com", 14);
		assert_true(addresslist_has(l, s, n));
		memcpy(s + n - 14, ".a.a.a.a.a.a.a", 14);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(forms),
		cmocka_unit_test(many),
		cmocka_unit_test(long_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
