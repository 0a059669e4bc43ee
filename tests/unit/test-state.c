#include <config.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "scratch.h"
#include "sync/state.h"

static int
prepare(const char *path, struct err *e)
{
	*e = (struct err){ .kind = ERR_TEMP };
	return state_prepare(path, getuid(), getgid(), e);
}

static void
is_private(const char *path)
{
	struct stat s;

	assert_int_equal(lstat(path, &s), 0);
	assert_int_equal(s.st_mode, S_IFDIR | 0700);
	assert_int_equal(s.st_uid, getuid());
}

static void
is_made_with_its_parents(const char *dir)
{
	struct err e;

	umask(0);
	assert_int_equal(prepare(scratch_path("%s/state", dir), &e), 0);
	is_private(scratch_path("%s/state", dir));
	assert_int_equal(prepare(scratch_path("%s/a/b/c", dir), &e), 0);
	is_private(scratch_path("%s/a/b/c", dir));
	/* Again, and beside it. */
	assert_int_equal(prepare(scratch_path("%s/a/b/c", dir), &e), 0);
	assert_int_equal(prepare(scratch_path("%s/a/b/d", dir), &e), 0);
}

static const mode_t modes[] = {
	0701, 0702, 0704, 0710, 0720, 0740, 0755, 0777,
};

static void
one_that_is_open_to_others_is_refused(const char *dir)
{
	const char *path = scratch_path("%s/state", dir);
	struct err e;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(prepare(path, &e), 0);
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct stat s;

		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(prepare(path, &e), -1);
		assert_int_equal(e.kind, ERR_STOP);
		assert_int_equal(e.code, EX_NOPERM);
		assert_non_null(strstr(e.text, path));
		assert_non_null(strstr(e.text, "chmod 700"));
		assert_int_equal(stat(path, &s), 0);
		assert_int_equal(s.st_mode & 0777, modes[i]);
	}
}

static void
what_is_no_directory_is_refused(const char *dir)
{
	struct err e;

	scratch_text(scratch_path("%s/file", dir), "");
	assert_int_equal(mkdir(scratch_path("%s/real", dir), 0700), 0);
	assert_int_equal(symlink("real", scratch_path("%s/link", dir)), 0);
	assert_int_equal(symlink("none", scratch_path("%s/dead", dir)), 0);
	for (int way = 0; way < 3; way++) {
		static const char *const names[] = { "file", "link", "dead" };

		ROW(names[way]);
		assert_int_equal(prepare(scratch_path("%s/%s", dir,
						      names[way]), &e), -1);
		assert_int_equal(e.kind, ERR_STOP);
		assert_int_equal(e.code, EX_CONFIG);
	}
	assert_int_equal(prepare(scratch_path("%s/file/x", dir), &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_false(scratch_exists(scratch_path("%s/none", dir)));
}

static void
a_closed_parent_is_told(const char *dir)
{
	struct err e;

	assert_int_equal(mkdir(scratch_path("%s/closed", dir), 0500), 0);
	assert_int_equal(prepare(scratch_path("%s/closed/x", dir), &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_NOPERM);
	assert_int_equal(prepare(scratch_path("%s/closed/x/y", dir), &e), -1);
	assert_int_equal(e.code, EX_NOPERM);
}

static void
a_name_too_long_is_told(const char *dir)
{
	char path[6000];
	struct err e;

	snprintf(path, sizeof(path), "%s", dir);
	for (size_t n = strlen(path); n < sizeof(path) - 1; n++)
		path[n] = n % 100 == 0 ? '/' : 'a';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(prepare(path, &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(scratch_entries(dir), 0);
}

static void
anothers(const char *dir)
{
	assert_int_equal(mkdir(scratch_path("%s/state", dir), 0700), 0);
}

static void
another_users_is_refused(const char *dir)
{
	struct err e;

	assert_int_equal(prepare(scratch_path("%s/state", dir), &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_NOPERM);
	assert_non_null(strstr(e.text, "belongs to uid 0"));
	assert_non_null(strstr(e.text, "--state-dir"));
}

static void
root_makes_it_for_the_engine(void **state)
{
	const char *path;
	struct err e = { .text = "" };
	struct stat s;
	char *dir;

	(void)state;
	scratch_need_root();
	dir = scratch_new();
	path = scratch_path("%s/a/state", dir);
	assert_int_equal(state_prepare(path, 4711, 4712, &e), 0);
	assert_int_equal(lstat(path, &s), 0);
	assert_int_equal(s.st_mode, S_IFDIR | 0700);
	assert_int_equal(s.st_uid, 4711);
	assert_int_equal(s.st_gid, 4712);
	assert_int_equal(lstat(scratch_path("%s/a", dir), &s), 0);
	assert_int_equal(s.st_uid, 0);
	assert_int_equal(state_prepare(path, 4711, 4712, &e), 0);
	assert_int_equal(state_prepare(path, 4713, 4712, &e), -1);
	assert_int_equal(e.code, EX_NOPERM);
	/* Another run was killed, or waits, before it gave its own away. */
	path = scratch_path("%s/half", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(state_prepare(path, 4711, 4712, &e), 0);
	assert_int_equal(lstat(path, &s), 0);
	assert_int_equal(s.st_uid, 4711);
	assert_int_equal(s.st_gid, 4712);
	scratch_free(dir);
}

static void
what_root_keeps_is_not_given_away(void **state)
{
	const char *open, *used;
	struct err e = { .text = "" };
	struct stat s;
	char *dir;

	(void)state;
	scratch_need_root();
	dir = scratch_new();
	open = scratch_path("%s/open", dir);
	assert_int_equal(mkdir(open, 0755), 0);
	assert_int_equal(state_prepare(open, 4711, 4712, &e), -1);
	assert_int_equal(lstat(open, &s), 0);
	assert_int_equal(s.st_uid, 0);
	used = scratch_path("%s/used", dir);
	assert_int_equal(mkdir(used, 0700), 0);
	scratch_text(scratch_path("%s/used/x", dir), "");
	assert_int_equal(state_prepare(used, 4711, 4712, &e), -1);
	assert_int_equal(lstat(used, &s), 0);
	assert_int_equal(s.st_uid, 0);
	scratch_free(dir);
}

static const uint8_t one[HASH_SIZE] = { 0xab, 0xcd, 1, 2, 3, 4, 5, 0xff, 9 };
static const uint8_t two[HASH_SIZE] = { 0xab, 0xcd, 1, 2, 3, 4, 5, 0xfe, 9 };

static void
each_source_has_its_lock(const char *dir)
{
	int first = -1, second = -1, other = -1;
	struct err e = { .text = "" };
	struct stat s;

	umask(0);
	assert_int_equal(state_lock(dir, one, &first, &e), STATE_LOCKED);
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	assert_int_equal(stat(scratch_path("%s/lock.abcd0102030405ff", dir),
			      &s), 0);
	assert_int_equal(s.st_mode, S_IFREG | 0600);
	assert_int_equal(state_lock(dir, one, &second, &e), STATE_BUSY);
	assert_int_equal(second, -1);
	assert_int_equal(state_lock(dir, two, &other, &e), STATE_LOCKED);
	close(first);
	assert_int_equal(state_lock(dir, one, &second, &e), STATE_LOCKED);
	close(second);
	close(other);
}

struct age {
	int64_t seconds;
	enum state_lock answer;
};

static const struct age ages[] = {
	{ -86400, STATE_BUSY }, { 0, STATE_BUSY }, { 3500, STATE_BUSY },
	{ 3601, STATE_STALE }, { 86400, STATE_STALE },
};

static void
an_old_lock_is_told(const char *dir)
{
	const char *path = scratch_path("%s/lock.abcd0102030405ff", dir);
	struct err e = { .text = "" };
	int first = -1, second = -1;

	assert_int_equal(state_lock(dir, one, &first, &e), STATE_LOCKED);
	for (size_t i = 0; i < COUNT(ages); i++) {
		printf("# %lld s\n", (long long)ages[i].seconds);
		e.text[0] = '\0';
		scratch_age(path, time(NULL) - ages[i].seconds, 0);
		assert_int_equal(state_lock(dir, one, &second, &e),
				 ages[i].answer);
		assert_int_equal(second, -1);
		assert_int_equal(strstr(e.text, path) != NULL,
				 ages[i].answer == STATE_STALE);
	}
	close(first);
	/* An old file that nobody holds is no old lock. */
	assert_int_equal(state_lock(dir, one, &first, &e), STATE_LOCKED);
	assert_int_equal(state_lock(dir, one, &second, &e), STATE_BUSY);
	close(first);
}

static void
a_lock_that_cannot_be_made_is_told(const char *dir)
{
	const char *path = scratch_path("%s/lock.abcd0102030405ff", dir);
	struct err e = { .kind = ERR_TEMP };
	int fd = 7;

	assert_int_equal(state_lock(scratch_path("%s/missing", dir), one, &fd,
				    &e), STATE_FAILED);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(fd, -1);
	assert_int_equal(symlink("elsewhere", path), 0);
	e.kind = ERR_TEMP;
	assert_int_equal(state_lock(dir, one, &fd, &e), STATE_FAILED);
	assert_int_equal(e.kind, ERR_STOP);
	assert_false(scratch_exists(scratch_path("%s/elsewhere", dir)));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(dir, 0500), 0);
	assert_int_equal(state_lock(dir, one, &fd, &e), STATE_FAILED);
	assert_int_equal(e.code, EX_NOPERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(is_made_with_its_parents),
		plain_unit_test(one_that_is_open_to_others_is_refused),
		plain_unit_test(what_is_no_directory_is_refused),
		plain_unit_test(a_closed_parent_is_told),
		plain_unit_test(a_name_too_long_is_told),
		root_unit_test(another_users_is_refused, anothers),
		cmocka_unit_test(root_makes_it_for_the_engine),
		cmocka_unit_test(what_root_keeps_is_not_given_away),
		plain_unit_test(each_source_has_its_lock),
		plain_unit_test(an_old_lock_is_told),
		plain_unit_test(a_lock_that_cannot_be_made_is_told),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
