#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "maildir-help.h"

#define STAGE "m/" DELIVERY_STAGE
#define STAGED STAGE "/" NAME_A

static void
has(const char *path, const char *text)
{
	char got[32];
	ssize_t n = scratch_read(path, got, sizeof(got) - 1);

	assert_in_range(n, 0, sizeof(got) - 1);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void
a_taken_name_is_left_alone(const char *dir)
{
	const char *staged = scratch_path("%s/" STAGED, dir);
	const char *new = scratch_path("%s/m/new/" NAME_A, dir);
	struct err e = { .text = "" };
	struct maildir m;

	open_new(&m, dir);
	scratch_text(new, "another");
	put(&m, NAME_A, "mail");
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_EXISTS);
	has(new, "another");
	has(staged, "mail");
	maildir_close(&m);
	/* The same for what an earlier run has staged. */
	open_new(&m, dir);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_EXISTS);
	has(new, "another");
	has(staged, "mail");
	/* And a link is a taken name, wherever it points to. */
	assert_int_equal(unlink(new), 0);
	assert_int_equal(symlink("/nowhere", new), 0);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_EXISTS);
	has(staged, "mail");
	maildir_close(&m);
}

static void
what_is_not_staged_is_missing(const char *dir)
{
	struct err e = { .text = "" };
	struct maildir m;

	open_new(&m, dir);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_MISSING);
	put(&m, NAME_A, "mail");
	assert_int_equal(unlink(scratch_path("%s/" STAGED, dir)), 0);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_MISSING);
	assert_int_equal(listed(&m, true, NULL), 0);
	assert_int_equal(listed(&m, false, NULL), 0);
	maildir_close(&m);
}

/* A run was killed after STAGE: the next one renames. */
static void
what_an_earlier_run_staged_is_delivered(const char *dir)
{
	struct err e = { .text = "" };
	struct maildir m;

	open_new(&m, dir);
	put(&m, NAME_A, "mail");
	assert_int_equal(maildir_sync_stage(&m, &e), 0);
	maildir_close(&m);
	open_new(&m, dir);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_OK);
	assert_int_equal(maildir_sync_new(&m, &e), 0);
	has(scratch_path("%s/m/new/" NAME_A, dir), "mail");
	/* Killed after the rename: it has happened, until the user reads. */
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_OK);
	assert_int_equal(maildir_sync_new(&m, &e), 0);
	assert_int_equal(rename(scratch_path("%s/m/new/" NAME_A, dir),
				scratch_path("%s/m/cur/" NAME_A ":2,S", dir)),
			 0);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_MISSING);
	maildir_close(&m);
}

/* A link in new/ is no mail that was delivered. */
static void
a_link_in_new_is_not_taken_for_the_mail(const char *dir)
{
	struct err e = { .kind = ERR_STOP };
	struct maildir m;

	open_new(&m, dir);
	assert_int_equal(symlink("/etc/passwd",
				 scratch_path("%s/m/new/" NAME_A, dir)), 0);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_FAILED);
	assert_int_equal(e.kind, ERR_TEMP);
	maildir_close(&m);
}

/* Some file systems leave both names when the power fails in a rename. */
static void
one_file_under_both_names_is_delivered(const char *dir)
{
	const char *staged = scratch_path("%s/" STAGED, dir);
	const char *new = scratch_path("%s/m/new/" NAME_A, dir);
	struct err e = { .text = "" };
	struct maildir m;

	open_new(&m, dir);
	put(&m, NAME_A, "mail");
	maildir_close(&m);
	assert_int_equal(link(staged, new), 0);
	open_new(&m, dir);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_OK);
	assert_false(scratch_exists(staged));
	has(new, "mail");
	maildir_close(&m);
}

/* Somebody has put other things where our files are. */
static void
only_files_are_committed(const char *dir)
{
	const char *staged = scratch_path("%s/" STAGED, dir);
	struct err e = { .text = "" };
	struct maildir m;

	open_new(&m, dir);
	for (int way = 0; way < 3; way++) {
		int r = way == 0 ? symlink("../../secret", staged)
		      : way == 1 ? mkfifo(staged, 0600) : mkdir(staged, 0700);

		assert_int_equal(r, 0);
		e = (struct err){ .kind = ERR_STOP };
		assert_int_equal(maildir_commit(&m, NAME_A, &e),
				 DELIVERY_FAILED);
		assert_int_equal(e.kind, ERR_TEMP);
		assert_non_null(strstr(e.text, NAME_A));
		assert_int_equal(listed(&m, false, NULL), 0);
		assert_int_equal(remove(staged), 0);
	}
	maildir_close(&m);
}

static void
foreign_file(const char *dir)
{
	struct maildir m;
	static const char *const parts[] = {
		"m", "m/new", "m/cur", "m/tmp", STAGE,
	};

	open_new(&m, dir);
	put(&m, NAME_A, "root's");
	maildir_close(&m);
	for (size_t i = 0; i < COUNT(parts); i++)
		assert_int_equal(chown(scratch_path("%s/%s", dir, parts[i]),
				       SCRATCH_UID, SCRATCH_UID), 0);
	assert_int_equal(chmod(scratch_path("%s/" STAGED, dir), 0644), 0);
}

static void
a_file_of_another_user_is_not_committed(const char *dir)
{
	struct err e = { .text = "" };
	struct maildir m;

	open_new(&m, dir);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_FAILED);
	assert_non_null(strstr(e.text, NAME_A));
	assert_int_equal(listed(&m, false, NULL), 0);
	maildir_close(&m);
}

static void
a_failing_rename_is_told(const char *dir)
{
	const char *new = scratch_path("%s/m/new", dir);
	struct err e = { .kind = ERR_STOP };
	struct maildir m;

	open_new(&m, dir);
	put(&m, NAME_A, "mail");
	assert_int_equal(chmod(new, 0500), 0);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_FAILED);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "Permission denied"));
	has(scratch_path("%s/" STAGED, dir), "mail");
	assert_int_equal(chmod(new, 0700), 0);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_OK);
	maildir_close(&m);
}

static void
a_failing_sync_is_told_and_forgets(const char *dir)
{
	struct err e = { .kind = ERR_STOP };
	struct maildir m;
	int end[2];

	open_new(&m, dir);
	put(&m, NAME_A, "mail");
	/* A descriptor that cannot be synced, in place of the mail's. */
	assert_int_equal(pipe(end), 0);
	assert_true(dup2(end[0], m.files[0].fd) >= 0);
	assert_int_equal(maildir_sync_stage(&m, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "cannot sync"));
	assert_int_equal(maildir_sync_new(&m, &e), -1);
	assert_non_null(strstr(e.text, "cannot sync"));
	assert_int_equal(m.files_n, 0);
	close(end[0]);
	close(end[1]);
	maildir_close(&m);
}

static void
dropping_takes_it_away_once(const char *dir)
{
	struct err e = { .kind = ERR_STOP };
	struct maildir m;
	int before;

	open_new(&m, dir);
	before = scratch_descriptors();
	put(&m, NAME_A, "a");
	put(&m, NAME_B, "b");
	assert_int_equal(maildir_drop(&m, NAME_A, &e), 0);
	assert_int_equal(maildir_drop(&m, NAME_A, &e), 0);
	assert_int_equal(listed(&m, true, NULL), 1);
	assert_int_equal(listed(&m, true, NAME_B), 1);
	assert_int_equal(maildir_drop(&m, NAME_B, &e), 0);
	assert_int_equal(scratch_descriptors(), before);
	assert_int_equal(mkdir(scratch_path("%s/" STAGED, dir), 0700), 0);
	assert_int_equal(maildir_drop(&m, NAME_A, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	maildir_close(&m);
}

static void
lists_names_of_ours_only(const char *dir)
{
	static const char *const others[] = {
		"1674821960.M1P2.host", ".mark", ".hidden", "letter",
		"1.F" ID_A, "F" ID_A ".fallbackmx",
	};
	struct maildir m;

	open_new(&m, dir);
	for (size_t i = 0; i < COUNT(others); i++) {
		scratch_text(scratch_path("%s/m/new/%s", dir, others[i]), "");
		scratch_text(scratch_path("%s/m/cur/%s", dir, others[i]), "");
		scratch_text(scratch_path("%s/m/" DELIVERY_STAGE "/%s", dir,
					  others[i]), "");
	}
	assert_int_equal(listed(&m, false, NULL), 0);
	assert_int_equal(listed(&m, true, NULL), 0);
	scratch_text(scratch_path("%s/m/new/" NAME_A, dir), "");
	scratch_text(scratch_path("%s/m/cur/" NAME_B ":2,FRS", dir), "");
	put(&m, NAME_B, "x");
	assert_int_equal(listed(&m, false, NULL), 2);
	assert_int_equal(listed(&m, false, "n/" NAME_A), 1);
	assert_int_equal(listed(&m, false, "c/" NAME_B ":2,FRS"), 1);
	assert_int_equal(listed(&m, true, NULL), 1);
	assert_int_equal(listed(&m, true, NAME_B), 1);
	maildir_close(&m);
}

static void
reads_delivered_files_only(const char *dir)
{
	const char *path = scratch_path("%s/m/cur/" NAME_A ":2,S", dir);
	struct err e = { .kind = ERR_STOP };
	struct maildir m;
	int fd = -1, before;

	open_new(&m, dir);
	before = scratch_descriptors();
	scratch_text(path, "read");
	assert_int_equal(maildir_read(&m, NAME_A ":2,S", false, &fd, &e), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(maildir_read(&m, NAME_A ":2,S", true, &fd, &e), 0);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
	for (int way = 0; way < 3; way++) {
		int r = way == 0 ? symlink("../../secret", path)
		      : way == 1 ? mkfifo(path, 0600) : mkdir(path, 0700);

		assert_int_equal(r, 0);
		fd = 7;
		assert_int_equal(maildir_read(&m, NAME_A ":2,S", true, &fd,
					      &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		assert_int_equal(fd, -1);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(scratch_descriptors(), before);
	maildir_close(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(a_taken_name_is_left_alone),
		plain_unit_test(what_is_not_staged_is_missing),
		plain_unit_test(what_an_earlier_run_staged_is_delivered),
		plain_unit_test(a_link_in_new_is_not_taken_for_the_mail),
		plain_unit_test(one_file_under_both_names_is_delivered),
		plain_unit_test(only_files_are_committed),
		root_unit_test(a_file_of_another_user_is_not_committed,
			       foreign_file),
		plain_unit_test(a_failing_rename_is_told),
		plain_unit_test(a_failing_sync_is_told_and_forgets),
		plain_unit_test(dropping_takes_it_away_once),
		plain_unit_test(lists_names_of_ours_only),
		plain_unit_test(reads_delivered_files_only),
	};

	return cmocka_run_group_tests_name("maildir-commit", tests, NULL,
					   NULL);
}
