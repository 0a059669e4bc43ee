#include <config.h>

#include <sysexits.h>

#include "lib/aws/ini.h"
#include "unit.h"

struct found {
	const char *section, *block, *key, *value;	/* value NULL: none */
};

struct good {
	const char *text;
	struct found found[6];
};

/* What botocore's load_config() makes of the same text. */
static const struct good goods[] = {
	{ "", { { "default", NULL, "a", NULL } } },
	{ "[default]\na=b\n", { { "default", NULL, "a", "b" },
				{ "default", NULL, "b", NULL },
				{ "other", NULL, "a", NULL } } },
	{ "[default]\r\na = b \r\n\r\nc : d\r\n",
	  { { "default", NULL, "a", "b" }, { "default", NULL, "c", "d" } } },
	{ "\xef\xbb\xbf[x]\nA_Key = V=1:2\n", { { "x", NULL, "a_key",
						  "V=1:2" } } },
	{ "# c\n; c\n[x]\n# a=b\n  ; c=d\ne=f#g\nh = i ; j",
	  { { "x", NULL, "a", NULL }, { "x", NULL, "e", "f#g" },
	    { "x", NULL, "h", "i ; j" } } },
	{ "[x]\na=1\n[x]\nb=2\n[y]\na=3\n[x]\na=4\n",
	  { { "x", NULL, "a", "4" }, { "x", NULL, "b", "2" },
	    { "y", NULL, "a", "3" } } },
	{ "[x]\na=1\na=2\n", { { "x", NULL, "a", "2" } } },
	{ "[x]\na=\nb = \n", { { "x", NULL, "a", "" },
			       { "x", NULL, "b", "" } } },
	{ "[profile  \"my mail\"]\na=1\n[profile\tb]\na=2\n[profile 'c d']\n"
	  "a=3\n",
	  { { "profile my mail", NULL, "a", "1" },
	    { "profile b", NULL, "a", "2" },
	    { "profile c d", NULL, "a", "3" } } },
	{ "[x] # c\na=1\n", { { "x", NULL, "a", "1" } } },
	{ "[x]\ns3 =\n    addressing_style = path\n\tb=c=d\nregion = r\n",
	  { { "x", "s3", "addressing_style", "path" },
	    { "x", "s3", "b", "c=d" }, { "x", NULL, "region", "r" },
	    { "x", NULL, "addressing_style", NULL },
	    { "x", NULL, "s3", "" } } },
	{ "[services my]\ns3 = \n  endpoint_url = https://a:1/b\n\n"
	  "  # c\n  x = y\nsts=\n  endpoint_url=https://c\n",
	  { { "services my", "s3", "endpoint_url", "https://a:1/b" },
	    { "services my", "s3", "x", "y" },
	    { "services my", "sts", "endpoint_url", "https://c" } } },
	/* All keys indented is not nested: the section's own line is not. */
	{ "[x]\n  a = 1\n  b = 2\n c = 3\n",
	  { { "x", NULL, "a", "1" }, { "x", NULL, "b", "2" },
	    { "x", NULL, "c", "3" } } },
	{ "[x]\na = 1\n  2\n\t3 = 4 \nb = 5\n",
	  { { "x", NULL, "a", "1\n2\n3 = 4" }, { "x", NULL, "b", "5" } } },
	{ "[x]\na=\n [y]=z\n", { { "x", "a", "[y]", "z" } } },
	{ "[a]b]\nc=d\n", { { "a]b", NULL, "c", "d" } } },
};

static void
reads_as_botocore_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		struct ini n;
		struct err e = { .text = "" };

		ROW(goods[i].text);
		assert_int_equal(ini_parse(&n, INI_SHARED, "f", goods[i].text,
					   strlen(goods[i].text), &e), 0);
		for (size_t k = 0; k < 6 && goods[i].found[k].section; k++) {
			const struct found *f = &goods[i].found[k];
			const char *v = ini_get(&n, f->section, f->block,
						f->key);

			if (f->value == NULL)
				assert_null(v);
			else
				assert_string_equal(v, f->value);
		}
		ini_free(&n);
		assert_null(n.entries);
	}
}

static void
knows_sections_and_lines(void **state)
{
	static const char text[] = "[a]\n\n[b]\nx = 1\n\ny = 2\n";
	struct ini n;
	struct err e;

	(void)state;
	assert_int_equal(ini_parse(&n, INI_SHARED, "f", text, strlen(text),
				   &e), 0);
	assert_true(ini_has(&n, "a"));
	assert_true(ini_has(&n, "b"));
	assert_false(ini_has(&n, "c"));
	assert_false(ini_has(&n, ""));
	assert_int_equal(n.entries[n.n - 1].line, 6);
	ini_free(&n);
}

static void
reads_bare_keys_when_asked(void **state)
{
	static const char text[] = "a = 1\n[default]\na = 2\n";
	struct ini n;
	struct err e;

	(void)state;
	assert_int_equal(ini_parse(&n, INI_BARE, "f", text, strlen(text), &e),
			 0);
	assert_string_equal(ini_get(&n, "", NULL, "a"), "1");
	assert_string_equal(ini_get(&n, "default", NULL, "a"), "2");
	ini_free(&n);
}

struct wrong {
	const char *text;
	size_t len;		/* 0: of the text */
	const char *says;
};

static const struct wrong wrongs[] = {
	{ "a=HIDDEN\n", 0, "cannot read f:1: expected [section] in front" },
	{ "[x]\na=b\nHIDDEN\n", 0, "cannot read f:3: expected [section], KEY" },
	{ "[x]\n= HIDDEN\n", 0, "cannot read f:2: expected [section], KEY" },
	{ "[x\na=HIDDEN\n", 0, "cannot read f:1: expected [section]" },
	{ "[]\n", 0, "cannot read f:1: expected [section]" },
	{ "[ ]\n", 0, "cannot read f:1: expected [section] with a name" },
	{ "[x]\ns3=\n  HIDDEN\n", 0, "f:3: expected KEY = VALUE in the" },
	{ "[x]\n\na=HIDDEN\0\n", 14, "cannot read f: it has NUL bytes" },
};

static void
names_the_line_and_no_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		struct ini n;
		struct err e = { .text = "" };
		size_t len = wrongs[i].len ? wrongs[i].len :
			strlen(wrongs[i].text);

		ROW(wrongs[i].text);
		assert_int_equal(ini_parse(&n, INI_SHARED, "f", wrongs[i].text,
					   len, &e), -1);
		assert_int_equal(e.kind, ERR_STOP);
		assert_int_equal(e.code, EX_CONFIG);
		assert_non_null(strstr(e.text, wrongs[i].says));
		assert_null(strstr(e.text, "HIDDEN"));
		assert_null(n.text);
	}
}

static void
has_a_limit(void **state)
{
	char *text = malloc(INI_MAX + 1);
	struct ini n;
	struct err e;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', INI_MAX + 1);
	memcpy(text, "[x]", 3);
	assert_int_equal(ini_parse(&n, INI_SHARED, "f", text, INI_MAX, &e), 0);
	ini_free(&n);
	assert_int_equal(ini_parse(&n, INI_SHARED, "f", text, INI_MAX + 1, &e),
			 -1);
	assert_non_null(strstr(e.text, "more than 1048576 bytes"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_botocore_does),
		cmocka_unit_test(knows_sections_and_lines),
		cmocka_unit_test(reads_bare_keys_when_asked),
		cmocka_unit_test(names_the_line_and_no_value),
		cmocka_unit_test(has_a_limit),
	};

	return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
