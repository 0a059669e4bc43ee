#include <config.h>

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "scratch.h"
#include "sync/check-private.h"

static char said[8192];

static void
keep_result(const struct check_result *r)
{
	static const char levels[] = {
		[CHECK_OK] = '+', [CHECK_WARNING] = '?', [CHECK_FAILED] = '-',
	};
	const size_t n = strlen(said);

	assert_true(r->level == CHECK_OK ? r->remedy == NULL :
		    r->remedy[0] != '\0');
	assert_true((r->level == CHECK_FAILED) == (r->code != 0));
	snprintf(said + n, sizeof(said) - n, "%c%s ", levels[r->level],
		 r->name);
}

static const struct aws_settings nothing;
static const struct check_options options = { &nothing, keep_result };

static int
check(const char *url, bool kept)
{
	struct settings s;
	struct err e;
	int code;

	said[0] = '\0';
	assert_int_equal(settings_from_source(&s, url, &e), 0);
	s.sources->keep = kept;
	code = check_run(&s, &options);
	settings_free(&s);
	return code;
}

static const char *
url_of(const char *path)
{
	return scratch_path("file://%s", path);
}

static void
codes_are_three(void **state)
{
	static const int codes[][2] = {
		{ EX_CONFIG, EX_CONFIG }, { EX_NOPERM, EX_NOPERM },
		{ EX_TEMPFAIL, EX_TEMPFAIL }, { 0, EX_TEMPFAIL },
		{ EX_IOERR, EX_TEMPFAIL }, { EX_UNAVAILABLE, EX_TEMPFAIL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++)
		assert_int_equal(check_code(codes[i][0]), codes[i][1]);
}

static void
a_remedy_is_split_off(void **state)
{
	static const char *const rows[][4] = {
		{ "a: b: c", ": ", "a: b", "c" },
		{ "a; b", ": ", "a; b", "else" },
		{ "a; b", "; ", "a", "b" },
		{ "", "; ", "", "else" },
		{ "a: ", ": ", "a", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[16];

		ROW(rows[i][0]);
		snprintf(text, sizeof(text), "%s", rows[i][0]);
		assert_string_equal(check_split(text, rows[i][1], "else"),
				    rows[i][3]);
		assert_string_equal(text, rows[i][2]);
	}
}

static void
a_good_directory_is_good(const char *dir)
{
	mkdir(scratch_path("%s/sub", dir), 0700);
	scratch_text(scratch_path("%s/sub/a", dir), "x");
	scratch_text(scratch_path("%s/b", dir), "x");
	assert_int_equal(check(url_of(dir), false), 0);
	assert_string_equal(said, "+source +list +read +delete ");
	assert_true(scratch_exists(scratch_path("%s/sub/a", dir)));
	assert_int_equal(scratch_entries(dir), 2);
}

static void
an_empty_directory_cannot_be_tried(const char *dir)
{
	assert_int_equal(check(url_of(dir), false), 0);
	assert_string_equal(said, "+source +list ?read +delete ");
	chmod(dir, 0500);
	assert_int_equal(check(url_of(dir), false), EX_NOPERM);
	assert_string_equal(said, "+source +list ?read -delete ");
	assert_int_equal(check(url_of(dir), true), 0);
	assert_string_equal(said, "+source +list ?read +delete ");
	chmod(dir, 0700);
}

static void
what_is_closed_is_named(const char *dir)
{
	const char *sub = scratch_path("%s/sub", dir);

	mkdir(sub, 0700);
	scratch_text(scratch_path("%s/a", dir), "x");
	scratch_text(scratch_path("%s/sub/b", dir), "x");
	chmod(scratch_path("%s/a", dir), 0);
	assert_int_equal(check(url_of(dir), false), EX_NOPERM);
	assert_string_equal(said, "+source +list -read +delete ");
	chmod(scratch_path("%s/a", dir), 0600);
	chmod(sub, 0500);
	assert_int_equal(check(url_of(dir), false), EX_NOPERM);
	assert_string_equal(said, "+source +list +read -delete ");
	chmod(sub, 0);
	assert_int_equal(check(url_of(dir), false), EX_NOPERM);
	assert_string_equal(said, "+source -list +read +delete ");
	chmod(sub, 0700);
	assert_int_equal(check(url_of(scratch_path("%s/none", dir)), false),
			 EX_CONFIG);
	assert_string_equal(said, "-source ");
}

static void
make_sticky(const char *dir)
{
	scratch_text(scratch_path("%s/theirs", dir), "x");
	chmod(scratch_path("%s/theirs", dir), 0644);
	assert_int_equal(chown(dir, 0, 0), 0);
	chmod(dir, 01777);
}

static void
sticky_directories_give_up_our_own_alone(const char *dir)
{
	assert_int_equal(check(url_of(dir), false), EX_NOPERM);
	assert_string_equal(said, "+source +list +read -delete ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_three),
		cmocka_unit_test(a_remedy_is_split_off),
		plain_unit_test(a_good_directory_is_good),
		plain_unit_test(an_empty_directory_cannot_be_tried),
		plain_unit_test(what_is_closed_is_named),
		root_unit_test(sticky_directories_give_up_our_own_alone,
			       make_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
