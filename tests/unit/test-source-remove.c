#include <config.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source-help.h"

/* A source with the object "in/a" that was fetched. */
static void
fetched(const char *dir, struct version *v)
{
	open_source(dir, false);
	assert_int_equal(mkdir(file_of(dir, "in"), 0700), 0);
	put_file(dir, "in/a", "mail");
	assert_int_equal(fetch_text("in/a", "mail", v), FETCH_OK);
}

static void
a_removal_leaves_no_trace(const char *dir)
{
	struct version v, w;

	fetched(dir, &v);
	put_file(dir, "b", "other");
	assert_int_equal(fetch("b", &w), FETCH_OK);
	assert_int_equal(remove_key("in/a", &v), REMOVAL_OK);
	assert_false(scratch_exists(file_of(dir, "in/a")));
	assert_int_equal(remove_key("b", &w), REMOVAL_OK);
	/* The one before has been cleaned up on the way. */
	assert_int_equal(scratch_entries(file_of(dir, "in")), 0);
	assert_int_equal(remove_key("b", &w), REMOVAL_OK);
	close_source();
	assert_int_equal(scratch_entries(file_of(dir, "")), 1);
}

static void
what_was_gone_is_removed(const char *dir)
{
	struct version v;

	fetched(dir, &v);
	assert_int_equal(unlink(file_of(dir, "in/a")), 0);
	assert_int_equal(remove_key("in/a", &v), REMOVAL_OK);
	close_source();
	assert_int_equal(rmdir(file_of(dir, "in")), 0);
	open_source(dir, false);
	assert_int_equal(remove_key("in/a", &v), REMOVAL_OK);
	close_source();
	assert_int_equal(scratch_entries(file_of(dir, "")), 0);
}

static void
append(const char *path)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	assert_int_equal(fputs("!", f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static void
rewrite(const char *path)
{
	scratch_text(path, "MAIL");
}

static void
replace(const char *path)
{
	const char *new = scratch_path("%s.new", path);

	scratch_text(new, "mail");
	assert_int_equal(rename(new, path), 0);
}

static void
touch(const char *path)
{
	scratch_age(path, 1, 0);
}

static void
change_mode(const char *path)
{
	assert_int_equal(chmod(path, 0640), 0);
}

static void
put_link(const char *path)
{
	const char *moved = scratch_path("%s.moved", path);

	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(symlink(moved, path), 0);
}

static void
put_directory(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
put_fifo(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void (*const changes[])(const char *path) = {
	append, rewrite, replace, touch, change_mode, put_link, put_directory,
	put_fifo,
};

/* Whatever lies there now is not what was delivered. */
static void
another_version_is_left_alone(const char *dir)
{
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct version v;
		struct stat before, after;

		printf("# change %zu\n", i);
		open_source(dir, false);
		put_file(dir, "a", "mail");
		assert_int_equal(fetch_text("a", "mail", &v), FETCH_OK);
		changes[i](file_of(dir, "a"));
		assert_int_equal(lstat(file_of(dir, "a"), &before), 0);
		assert_int_equal(remove_key("a", &v), REMOVAL_CHANGED);
		assert_int_equal(lstat(file_of(dir, "a"), &after), 0);
		assert_true(before.st_ino == after.st_ino &&
			    before.st_mode == after.st_mode &&
			    before.st_size == after.st_size);
		close_source();
		assert_false(scratch_exists(file_of(dir, ASIDE)));
		assert_int_equal(remove(file_of(dir, "a")), 0);
	}
}

static void
a_file_with_a_writer_is_left_alone(const char *dir)
{
	struct version v;
	int fd;

	fetched(dir, &v);
	fd = open(file_of(dir, "in/a"), O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(remove_key("in/a", &v), REMOVAL_CHANGED);
	has_text(dir, "in/a", "mail");
	close(fd);
	close_source();
}

static void
a_removal_that_fails_is_told(const char *dir)
{
	struct version v;

	fetched(dir, &v);
	assert_int_equal(chmod(file_of(dir, "in"), 0500), 0);
	assert_int_equal(remove_key("in/a", &v), REMOVAL_FAILED);
	assert_non_null(strstr(said.text, "in/a"));
	assert_non_null(strstr(said.text, "Permission denied"));
	has_text(dir, "in/a", "mail");
	assert_int_equal(chmod(file_of(dir, "in"), 0700), 0);
	assert_int_equal(remove_key("in/a", &v), REMOVAL_OK);
	close_source();
}

/* Somebody has put a link where the directory was. */
static void
a_directory_that_is_a_link_is_not_entered(const char *dir)
{
	struct version v;

	fetched(dir, &v);
	assert_int_equal(rename(file_of(dir, "in"),
				scratch_path("%s/away", dir)), 0);
	assert_int_equal(symlink("../away", file_of(dir, "in")), 0);
	assert_int_not_equal(remove_key("in/a", &v), REMOVAL_OK);
	assert_true(scratch_exists(scratch_path("%s/away/a", dir)));
	close_source();
}

/* A run was killed in the middle of a removal. */
static void
a_killed_removal_is_listed_first(const char *dir)
{
	struct version v;

	open_source(dir, false);
	assert_int_equal(mkdir(file_of(dir, "in"), 0700), 0);
	assert_int_equal(mkdir(file_of(dir, "in/" ASIDE), 0700), 0);
	put_file(dir, "in/" ASIDE "/a", "old");
	assert_int_equal(symlink("a", file_of(dir, "in/" ASIDE "/link")), 0);
	put_file(dir, "in/a", "new");
	put_file(dir, "b", "b");
	scratch_age(file_of(dir, "b"), 1, 0);
	assert_string_equal(keys(true), LEFT "in/a\nb\nin/a\n");
	assert_int_equal(fetch_text("in/a", "new", &v), FETCH_OK);
	assert_int_equal(fetch_text(LEFT "in/a", "old", &v), FETCH_OK);
	assert_int_equal(remove_key(LEFT "in/a", &v), REMOVAL_OK);
	assert_false(scratch_exists(file_of(dir, "in/" ASIDE "/a")));
	has_text(dir, "in/a", "new");
	assert_int_equal(fetch_text(LEFT "in/a", "old", &v), FETCH_GONE);
	assert_int_equal(remove_key(LEFT "in/a", &v), REMOVAL_OK);
	has_text(dir, "in/a", "new");
	close_source();
}

static void
an_empty_place_aside_goes(const char *dir)
{
	open_source(dir, false);
	assert_int_equal(mkdir(file_of(dir, ASIDE), 0700), 0);
	assert_string_equal(keys(true), "");
	close_source();
	assert_int_equal(scratch_entries(file_of(dir, "")), 0);
}

static void
what_lies_aside_can_change_too(const char *dir)
{
	struct version v;

	open_source(dir, false);
	assert_int_equal(mkdir(file_of(dir, ASIDE), 0700), 0);
	put_file(dir, ASIDE "/a", "old");
	assert_int_equal(fetch_text(LEFT "a", "old", &v), FETCH_OK);
	put_file(dir, ASIDE "/a", "changed");
	assert_int_equal(remove_key(LEFT "a", &v), REMOVAL_CHANGED);
	assert_string_equal(keys(true), LEFT "a\n");
	has_text(dir, ASIDE "/a", "changed");
	close_source();
}

/* The place for removals may hold the same name from a run before. */
static void
what_lies_aside_is_never_overwritten(const char *dir)
{
	struct version v;

	open_source(dir, false);
	put_file(dir, "a", "new");
	assert_int_equal(fetch("a", &v), FETCH_OK);
	assert_int_equal(mkdir(file_of(dir, ASIDE), 0700), 0);
	put_file(dir, ASIDE "/a", "old");
	assert_int_equal(remove_key("a", &v), REMOVAL_CHANGED);
	has_text(dir, "a", "new");
	has_text(dir, ASIDE "/a", "old");
	close_source();
	has_text(dir, ASIDE "/a", "old");
}

/* Another run, or another listing, has taken the empty place away. */
static void
removed_is_what_is_gone(const char *dir)
{
	for (int way = 0; way < 2; way++) {
		struct version v, w;

		printf("# way %d\n", way);
		open_source(dir, false);
		put_file(dir, "a", "mail");
		put_file(dir, "b", "mail");
		assert_int_equal(fetch("a", &v), FETCH_OK);
		assert_int_equal(fetch("b", &w), FETCH_OK);
		assert_int_equal(remove_key("a", &v), REMOVAL_OK);
		if (way == 0)
			rmdir(file_of(dir, ASIDE));
		else
			assert_string_equal(keys(true), "b\n");
		if (remove_key("b", &w) == REMOVAL_OK)
			assert_false(scratch_exists(file_of(dir, "b")));
		close_source();
	}
}

static void
a_link_aside_is_not_followed(const char *dir)
{
	struct version v;

	open_source(dir, false);
	put_file(dir, "a", "mail");
	assert_int_equal(fetch("a", &v), FETCH_OK);
	assert_int_equal(mkdir(scratch_path("%s/away", dir), 0700), 0);
	scratch_text(scratch_path("%s/away/b", dir), "x");
	assert_int_equal(symlink("../away", file_of(dir, ASIDE)), 0);
	assert_string_equal(keys(false), "a\n");
	assert_int_equal(remove_key("a", &v), REMOVAL_FAILED);
	has_text(dir, "a", "mail");
	assert_int_equal(scratch_entries(scratch_path("%s/away", dir)), 1);
	close_source();
}

static void
readers_change_nothing(const char *dir)
{
	open_source(dir, true);
	assert_int_equal(mkdir(file_of(dir, ASIDE), 0700), 0);
	put_file(dir, ASIDE "/a", "mail");
	assert_int_equal(mkdir(file_of(dir, "in"), 0700), 0);
	assert_int_equal(mkdir(file_of(dir, "in/" ASIDE), 0700), 0);
	assert_string_equal(keys(true), LEFT "a\n");
	close_source();
	has_text(dir, ASIDE "/a", "mail");
	assert_true(scratch_exists(file_of(dir, "in/" ASIDE)));
}

static void
descriptors_are_given_back(const char *dir)
{
	int before = scratch_descriptors();
	struct version v;

	fetched(dir, &v);
	assert_int_equal(fetch("missing", &v), FETCH_GONE);
	assert_int_equal(remove_key("in/missing", &v), REMOVAL_OK);
	assert_int_equal(fetch("in/a", &v), FETCH_OK);
	assert_int_equal(remove_key("in/a", &v), REMOVAL_OK);
	assert_string_equal(keys(true), "");
	close_source();
	assert_int_equal(scratch_descriptors(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(a_removal_leaves_no_trace),
		plain_unit_test(what_was_gone_is_removed),
		plain_unit_test(another_version_is_left_alone),
		plain_unit_test(a_file_with_a_writer_is_left_alone),
		plain_unit_test(a_removal_that_fails_is_told),
		plain_unit_test(a_directory_that_is_a_link_is_not_entered),
		plain_unit_test(a_killed_removal_is_listed_first),
		plain_unit_test(an_empty_place_aside_goes),
		plain_unit_test(what_lies_aside_can_change_too),
		plain_unit_test(what_lies_aside_is_never_overwritten),
		plain_unit_test(removed_is_what_is_gone),
		plain_unit_test(a_link_aside_is_not_followed),
		plain_unit_test(readers_change_nothing),
		plain_unit_test(descriptors_are_given_back),
	};

	return cmocka_run_group_tests_name("source-remove", tests, NULL, NULL);
}
