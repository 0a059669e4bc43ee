#include <config.h>

#include <sysexits.h>

#include "lib/base/option.h"
#include "unit.h"

#define ARGUMENTS_MAX 8

struct target {
	bool keep, dry_run;
	const char *file;
	int seconds;
	struct option_list words;
};

static const struct option_row rows[] = {
	{ .name = "keep", .offset = offsetof(struct target, keep),
	  .help = "keep it" },
	{ .name = "dry-run", .letter = 'n',
	  .offset = offsetof(struct target, dry_run), .help = "do nothing" },
	{ .name = "file", .letter = 'f', .argument = "FILE",
	  .kind = OPTION_STRING, .offset = offsetof(struct target, file),
	  .help = "a file with a help text that is much too long to stand in "
		  "one line of eighty columns beside the name of the option" },
	{ .name = "an-option-with-a-long-name", .argument = "SECONDS",
	  .kind = OPTION_INTEGER, .min = -1, .max = 60, .unit = "seconds",
	  .offset = offsetof(struct target, seconds), .help = "how long" },
	{ .name = "word", .letter = 'w', .argument = "WORD",
	  .kind = OPTION_LIST, .offset = offsetof(struct target, words),
	  .help = "one of many" },
	{ .name = NULL }
};

struct good {
	const char *words[ARGUMENTS_MAX];
	struct target is;
	int arguments;
};

static const struct good goods[] = {
	{ { "x" }, { 0 }, 0 },
	{ { "x", "--keep" }, { .keep = true }, 0 },
	{ { "x", "--ke", "-n" }, { .keep = true, .dry_run = true }, 0 },
	{ { "x", "a", "-nf", "g", "b" }, { .dry_run = true, .file = "g" }, 2 },
	{ { "x", "--file=", "a" }, { .file = "" }, 1 },
	{ { "x", "--file", "--keep" }, { .file = "--keep" }, 0 },
	{ { "x", "-fg", "--", "--keep" }, { .file = "g" }, 1 },
	{ { "x", "--file", "a", "--file", "b" }, { .file = "b" }, 0 },
	{ { "x", "--an=60" }, { .seconds = 60 }, 0 },
	{ { "x", "--an", "-1", "-" }, { .seconds = -1 }, 1 },
};

struct bad {
	const char *words[ARGUMENTS_MAX];
	const char *text;
};

#define RANGE ": expected an integer from -1 to 60 seconds"
#define LONG "cannot use --an-option-with-a-long-name"

static const struct bad bads[] = {
	{ { "x", "--kep" },
	  "cannot use --kep: no such option (did you mean --keep?)" },
	{ { "x", "a", "--fiel=x", "b" },
	  "cannot use --fiel=x: no such option (did you mean --file?)" },
	{ { "x", "--quite-another" },
	  "cannot use --quite-another: no such option" },
	{ { "x", "-x" }, "cannot use -x: no such option" },
	{ { "x", "-nx" }, "cannot use -x: no such option" },
	{ { "x", "-\n" }, "cannot use -\\x0a: no such option" },
	{ { "x", "--\x1b[2J" }, "cannot use --\\x1b[2J: no such option" },
	{ { "x", "--file" }, "cannot use --file: expected FILE" },
	{ { "x", "-f" }, "cannot use --file: expected FILE" },
	{ { "x", "--word" }, "cannot use --word: expected WORD" },
	{ { "x", "-w", "a", "--fiel" }, "cannot use --fiel: no such option "
	  "(did you mean --file?)" },
	{ { "x", "--keep=1" }, "cannot use --keep: it takes no argument" },
	{ { "x", "--an", "61" }, LONG " 61" RANGE },
	{ { "x", "--an", "-2" }, LONG " -2" RANGE },
	{ { "x", "--an", "" }, LONG " " RANGE },
	{ { "x", "--an", "1s" }, LONG " 1s" RANGE },
	{ { "x", "--an", "9999999999999999999999" },
	  LONG " 9999999999999999999999" RANGE },
};

/* getopt_long(3) moves the words about, but does not write into them. */
static int
parse(const char *const *words, struct target *t, int *left, struct err *e)
{
	char *argv[ARGUMENTS_MAX + 1] = { NULL };
	int argc = 0, first, ret;

	for (; argc < ARGUMENTS_MAX && words[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	ret = option_parse(rows, t, argc, argv, &first, e);
	*left = ret < 0 ? -1 : argc - first;
	return ret;
}

static void
takes_what_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		struct target t = { 0 };
		struct err e = { .text = "" };
		int left;

		ROW(goods[i].words[1] ? goods[i].words[1] : "");
		assert_int_equal(parse(goods[i].words, &t, &left, &e), 0);
		assert_int_equal(t.keep, goods[i].is.keep);
		assert_int_equal(t.dry_run, goods[i].is.dry_run);
		assert_int_equal(t.seconds, goods[i].is.seconds);
		if (goods[i].is.file == NULL)
			assert_null(t.file);
		else
			assert_string_equal(t.file, goods[i].is.file);
		assert_int_equal(left, goods[i].arguments);
	}
}

static void
names_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		struct target t = { 0 };
		struct err e = { .text = "" };
		int left;

		ROW(bads[i].text);
		assert_int_equal(parse(bads[i].words, &t, &left, &e), -1);
		assert_int_equal(e.kind, ERR_STOP);
		assert_int_equal(e.code, EX_USAGE);
		assert_string_equal(e.text, bads[i].text);
		option_free(rows, &t);
	}
}

static void
collects_what_is_given_again(void **state)
{
	static const char *const words[ARGUMENTS_MAX] = {
		"x", "--word=a", "file", "-wb", "--word", "", "-w", "a",
	};
	static const char *const wanted[] = { "a", "b", "", "a" };
	struct target t = { 0 };
	struct err e;
	int left;

	(void)state;
	assert_int_equal(parse(words, &t, &left, &e), 0);
	assert_int_equal(left, 1);
	assert_int_equal(t.words.n, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_string_equal(t.words.all[i], wanted[i]);
	option_free(rows, &t);
	assert_null(t.words.all);
	assert_int_equal(t.words.n, 0);
	option_free(rows, &t);
}

/* Of every table, and only when nothing is wrong. */
static void
knows_help(void **state)
{
	static const char *const asked[ARGUMENTS_MAX] = {
		"x", "a", "--hel", "--keep",
	};
	static const char *const wrong[ARGUMENTS_MAX] = {
		"x", "--help", "--kep",
	};
	static const char *const valued[ARGUMENTS_MAX] = { "x", "--help=1" };
	static const char *const near[ARGUMENTS_MAX] = { "x", "--hepl" };
	struct target t = { 0 };
	struct err e;
	int left;

	(void)state;
	assert_int_equal(parse(asked, &t, &left, &e), 1);
	assert_int_equal(left, 1);
	assert_true(t.keep);
	assert_int_equal(parse(wrong, &t, &left, &e), -1);
	assert_int_equal(parse(valued, &t, &left, &e), -1);
	assert_string_equal(e.text,
			    "cannot use --help: it takes no argument");
	assert_int_equal(parse(near, &t, &left, &e), -1);
	assert_string_equal(e.text, "cannot use --hepl: no such option "
			    "(did you mean --help?)");
}

static void
help_fits_the_terminal(void **state)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	option_help(f, "x [options]", "About x.", rows);
	fclose(f);
	assert_non_null(strstr(text, "Usage: x [options]\n\nAbout x.\n"));
	assert_non_null(strstr(text, "  -n, --dry-run           do nothing\n"));
	assert_non_null(strstr(text, "      --an-option-with-a-long-name "
			       "SECONDS\n                          how long "
			       "(seconds, -1 to 60)\n"));
	assert_non_null(strstr(text, "  -w, --word WORD         one of many "
			       "(may be given again)\n"
			       "      --help              print this and "
			       "end\n"));
	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n") + 1) {
		size_t n = strcspn(p, "\n");

		assert_true(n < 80);
		assert_true(n == 0 || p[n - 1] != ' ');
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_right),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(collects_what_is_given_again),
		cmocka_unit_test(knows_help),
		cmocka_unit_test(help_fits_the_terminal),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
