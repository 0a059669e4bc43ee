#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/maildir.h"
#include "maildir-help.h"

static void
a_missing_maildir_is_made_private(const char *dir)
{
	static const char *const parts[] = {
		"", "tmp", "new", "cur", DELIVERY_STAGE,
	};
	struct maildir m;
	struct stat s;

	umask(0);
	open_new(&m, dir);
	for (size_t i = 0; i < COUNT(parts); i++) {
		ROW(parts[i]);
		assert_int_equal(lstat(scratch_path("%s/m/%s", dir, parts[i]),
				       &s), 0);
		assert_int_equal(s.st_mode, S_IFDIR | 0700);
	}
	assert_int_equal(scratch_entries(scratch_path("%s/m", dir)), 4);
	maildir_close(&m);
}

static void
parents_are_not_made(const char *dir)
{
	struct maildir m;
	struct err e;

	refuses(scratch_path("%s/home/m", dir), &m, &e);
	assert_false(scratch_exists(scratch_path("%s/home", dir)));
}

/* F38: a wrong line in the configuration must not litter a home. */
static void
other_directories_are_refused(const char *dir)
{
	const char *path = scratch_path("%s/m", dir);
	struct maildir m;
	struct err e;

	assert_int_equal(mkdir(path, 0700), 0);
	scratch_text(scratch_path("%s/m/letter", dir), "x");
	refuses(path, &m, &e);
	assert_non_null(strstr(e.text, "is not a Maildir"));
	assert_int_equal(scratch_entries(path), 1);
	assert_int_equal(mkdir(scratch_path("%s/m/cur", dir), 0700), 0);
	refuses(path, &m, &e);
	assert_int_equal(scratch_entries(path), 2);
}

static void
a_file_is_no_maildir(const char *dir)
{
	struct maildir m;
	struct err e;

	scratch_text(scratch_path("%s/m", dir), "x");
	refuses(scratch_path("%s/m", dir), &m, &e);
}

/* A run was killed while it made the parts. */
static void
half_a_maildir_is_completed(const char *dir)
{
	static const char *const parts[] = { "", "tmp", "cur" };
	struct maildir m;

	for (size_t i = 0; i < COUNT(parts); i++)
		assert_int_equal(mkdir(scratch_path("%s/m/%s", dir, parts[i]),
				       0700), 0);
	open_new(&m, dir);
	assert_true(scratch_exists(scratch_path("%s/m/new", dir)));
	maildir_close(&m);
}

static void
a_link_to_a_maildir_is_followed(const char *dir)
{
	struct maildir m;

	open_new(&m, dir);
	maildir_close(&m);
	assert_int_equal(rename(scratch_path("%s/m", dir),
				scratch_path("%s/disk", dir)), 0);
	assert_int_equal(symlink("disk", scratch_path("%s/m", dir)), 0);
	open_new(&m, dir);
	put(&m, NAME_A, "x");
	assert_true(scratch_exists(scratch_path("%s/disk/" DELIVERY_STAGE "/%s",
						dir, NAME_A)));
	maildir_close(&m);
}

/* Below the Maildir nothing is followed. */
static void
links_in_a_maildir_are_refused(const char *dir)
{
	static const char *const parts[] = {
		"new", "cur", "tmp", DELIVERY_STAGE,
	};

	for (size_t i = 0; i < COUNT(parts); i++) {
		const char *path = scratch_path("%s/m/%s", dir, parts[i]);
		const char *away = scratch_path("%s/away%zu", dir, i);
		struct maildir m;
		struct err e;

		ROW(parts[i]);
		open_new(&m, dir);
		maildir_close(&m);
		assert_int_equal(rename(path, away), 0);
		assert_int_equal(symlink(away, path), 0);
		refuses(scratch_path("%s/m", dir), &m, &e);
		assert_non_null(strstr(e.text, parts[i]));
		assert_int_equal(scratch_entries(away), 0);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(rename(away, path), 0);
	}
}

static void
make_foreign(const char *dir, const char *part)
{
	static const char *const parts[] = {
		"", "new", "cur", "tmp", DELIVERY_STAGE,
	};

	for (size_t i = 0; i < COUNT(parts); i++) {
		const char *path = scratch_path("%s/m/%s", dir, parts[i]);

		assert_int_equal(mkdir(path, 0777), 0);
		assert_int_equal(chmod(path, 0777), 0);
		if (strcmp(parts[i], part) != 0)
			assert_int_equal(chown(path, SCRATCH_UID, SCRATCH_UID),
					 0);
	}
}

static void
foreign_maildir(const char *dir)
{
	make_foreign(dir, "");
}

static void
foreign_new(const char *dir)
{
	make_foreign(dir, "new");
}

static void
foreign_cur(const char *dir)
{
	make_foreign(dir, "cur");
}

static void
foreign_tmp(const char *dir)
{
	make_foreign(dir, "tmp");
}

static void
foreign_stage(const char *dir)
{
	make_foreign(dir, DELIVERY_STAGE);
}

/* Also for reading: another user could give a mark and names. */
static void
what_is_anothers_is_refused(const char *dir)
{
	struct maildir m;
	struct err e;
	bool busy;

	refuses(scratch_path("%s/m", dir), &m, &e);
	assert_non_null(strstr(e.text, "belongs to uid 0"));
	maildir_init(&m, scratch_path("%s/m", dir));
	/* What some call before had left. */
	errno = ENOENT;
	assert_int_equal(maildir_open(&m, DELIVERY_READ_ONLY, &busy,
				      &e), -1);
	assert_non_null(strstr(e.text, "belongs to uid 0"));
	assert_int_equal(m.stage, -1);
}

static void
reading_makes_and_locks_nothing(const char *dir)
{
	const char *path = scratch_path("%s/m", dir);
	char uuid[DELIVERY_UUID_LEN + 1] = "x";
	uint64_t generation = 7;
	struct maildir m, writer;
	struct err e;
	bool busy;

	maildir_init(&m, path);
	assert_int_equal(maildir_open(&m, DELIVERY_READ_ONLY, &busy,
				      &e), -1);
	assert_false(scratch_exists(path));
	open_new(&writer, dir);
	maildir_close(&writer);
	assert_int_equal(rmdir(scratch_path("%s/" DELIVERY_STAGE, path)), 0);
	assert_int_equal(maildir_open(&m, DELIVERY_READ_ONLY, &busy,
				      &e), 0);
	assert_int_equal(m.stage, -1);
	assert_int_equal(maildir_mark_read(&m, uuid, &generation, &e), 0);
	assert_string_equal(uuid, "");
	assert_int_equal(generation, 0);
	assert_int_equal(listed(&m, true, NULL), 0);
	assert_int_equal(listed(&m, false, NULL), 0);
	assert_int_equal(scratch_entries(path), 3);
	maildir_close(&m);
	/* While one writes, others may read. */
	open_new(&writer, dir);
	assert_int_equal(maildir_open(&m, DELIVERY_READ_ONLY, &busy,
				      &e), 0);
	assert_true(m.stage >= 0);
	maildir_close(&m);
	maildir_close(&writer);
}

static void
two_deliverers_never_overlap(const char *dir)
{
	struct maildir first, second;
	struct err e;

	open_new(&first, dir);
	refuses(scratch_path("%s/m", dir), &second, &e);
	assert_non_null(strstr(e.text, "locked by another delivery"));
	maildir_close(&first);
	open_new(&second, dir);
	maildir_close(&second);
}

static void
who_will_not_wait_is_told(const char *dir)
{
	struct maildir first, second;
	struct err e;
	bool busy = false;

	open_new(&first, dir);
	maildir_init(&second, first.path);
	assert_int_equal(maildir_open(&second, DELIVERY_NO_WAIT, &busy, &e),
			 0);
	assert_true(busy);
	assert_true(second.dir == -1 && second.stage == -1);
	maildir_close(&first);
	assert_int_equal(maildir_open(&second, DELIVERY_NO_WAIT, &busy, &e),
			 0);
	assert_false(busy);
	assert_true(second.stage >= 0);
	maildir_close(&second);
}

/* Its disk may not be mounted: mail must not go under the mount point. */
static void
a_known_maildir_is_not_made_anew(const char *dir)
{
	const char *path = scratch_path("%s/m", dir);
	struct err e = { .kind = ERR_STOP };
	struct maildir m;
	bool busy;

	maildir_init(&m, path);
	assert_int_equal(maildir_open(&m, DELIVERY_KNOWN, &busy, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "--take-over"));
	assert_false(scratch_exists(path));
	open_new(&m, dir);
	maildir_close(&m);
	assert_int_equal(maildir_open(&m, DELIVERY_KNOWN, &busy, &e), 0);
	maildir_close(&m);
}

static void
an_empty_mount_point_is_not_filled(const char *dir)
{
	const char *path = scratch_path("%s/m", dir);
	struct err e = { .kind = ERR_STOP };
	struct maildir m;
	bool busy;

	assert_int_equal(mkdir(path, 0700), 0);
	maildir_init(&m, path);
	assert_int_equal(maildir_open(&m, DELIVERY_KNOWN, &busy, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(scratch_entries(path), 0);
}

static void
a_lock_that_is_given_up_is_taken(const char *dir)
{
	struct maildir m;
	pid_t pid;

	open_new(&m, dir);
	pid = fork();
	if (pid == 0) {
		usleep(300 * 1000);
		_exit(0);
	}
	assert_true(pid > 0);
	/* The child holds it alone now. */
	maildir_close(&m);
	open_new(&m, dir);
	maildir_close(&m);
}

static void
closing_gives_all_descriptors_back(const char *dir)
{
	int before = scratch_descriptors();
	struct maildir m;
	struct err e;

	open_new(&m, dir);
	put(&m, NAME_A, "a");
	put(&m, NAME_B, "b");
	maildir_close(&m);
	maildir_close(&m);
	assert_int_equal(scratch_descriptors(), before);
	/* Failing does so too. */
	assert_int_equal(rmdir(scratch_path("%s/m/cur", dir)), 0);
	refuses(scratch_path("%s/m", dir), &m, &e);
	assert_int_equal(scratch_descriptors(), before);
}

#define UUID "01234567-89ab-4cde-8f01-23456789abcd"

static const uint64_t generations[] = { 1, 2, 4711, UINT64_MAX };

static void
a_mark_comes_back(const char *dir)
{
	char uuid[DELIVERY_UUID_LEN + 1] = "x";
	uint64_t generation = 7;
	struct maildir m;
	struct err e;

	open_new(&m, dir);
	assert_int_equal(maildir_mark_read(&m, uuid, &generation, &e), 0);
	assert_string_equal(uuid, "");
	assert_int_equal(generation, 0);
	for (size_t i = 0; i < COUNT(generations); i++) {
		assert_int_equal(maildir_mark_write(&m, UUID, generations[i],
						    &e), 0);
		assert_int_equal(maildir_sync_stage(&m, &e), 0);
		assert_int_equal(maildir_mark_read(&m, uuid, &generation, &e),
				 0);
		assert_string_equal(uuid, UUID);
		assert_true(generation == generations[i]);
	}
	assert_int_equal(listed(&m, true, NULL), 0);
	maildir_close(&m);
}

static const char *const no_marks[] = {
	"", "\n", "fallbackmx-mark", "fallbackmx-mark 1 " UUID,
	"fallbackmx-mark 1 " UUID "\n", "fallbackmx-mark 2 " UUID " 5\n",
	"Fallbackmx-mark 1 " UUID " 5\n", "fallbackmx-mark 1 5 " UUID "\n",
	"fallbackmx-mark 1 01234567-89ab-4cde-8f01-23456789abc 5\n",
	"fallbackmx-mark 1 " UUID "7 5\n", "fallbackmx-mark 1 " UUID " x\n",
	"fallbackmx-mark 1 " UUID " -5\n", "fallbackmx-mark 1 " UUID " 5x\n",
	"fallbackmx-mark 1 " UUID " 5\nmore\n",
	"fallbackmx-mark 1 01234567-89ab-4cde-8f01-23456789abc\x1b 5\n",
	"fallbackmx-mark 1 ZZZZZZZZ-89ab-4cde-8f01-23456789abcd 5\n",
	"\xff\xfe\x80",
};

static void
a_damaged_mark_is_none(const char *dir)
{
	const char *path = scratch_path("%s/m/" DELIVERY_STAGE "/.mark", dir);
	struct maildir m;
	struct err e;

	open_new(&m, dir);
	for (size_t i = 0; i < COUNT(no_marks); i++) {
		char uuid[DELIVERY_UUID_LEN + 1] = "x";
		uint64_t generation = 7;

		ROW(no_marks[i]);
		scratch_text(path, no_marks[i]);
		assert_int_equal(maildir_mark_read(&m, uuid, &generation, &e),
				 0);
		assert_string_equal(uuid, "");
		assert_int_equal(generation, 0);
	}
	assert_int_equal(maildir_mark_write(&m, UUID, 3, &e), 0);
	maildir_close(&m);
}

static void
a_mark_that_is_no_file_is_an_error(const char *dir)
{
	const char *path = scratch_path("%s/m/" DELIVERY_STAGE "/.mark", dir);
	char uuid[DELIVERY_UUID_LEN + 1];
	uint64_t generation;
	struct maildir m;
	struct err e;

	open_new(&m, dir);
	assert_int_equal(symlink("../../secret", path), 0);
	assert_int_equal(maildir_mark_read(&m, uuid, &generation, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(maildir_mark_read(&m, uuid, &generation, &e), -1);
	assert_int_equal(maildir_mark_write(&m, UUID, 3, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	maildir_close(&m);
}

/* Nobody's file is written through a link that lies where the mark goes. */
static void
a_mark_is_not_written_through_a_link(const char *dir)
{
	const char *path =
		scratch_path("%s/m/" DELIVERY_STAGE "/.mark.new", dir);
	char got[8] = "";
	struct maildir m;
	struct err e;

	open_new(&m, dir);
	scratch_text(scratch_path("%s/secret", dir), "secret");
	assert_int_equal(symlink(scratch_path("%s/secret", dir), path), 0);
	assert_int_equal(maildir_mark_write(&m, UUID, 3, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(scratch_read(scratch_path("%s/secret", dir), got,
				      sizeof(got)), 6);
	maildir_close(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(a_missing_maildir_is_made_private),
		plain_unit_test(parents_are_not_made),
		plain_unit_test(other_directories_are_refused),
		plain_unit_test(a_file_is_no_maildir),
		plain_unit_test(half_a_maildir_is_completed),
		plain_unit_test(a_link_to_a_maildir_is_followed),
		plain_unit_test(links_in_a_maildir_are_refused),
		root_unit_test(what_is_anothers_is_refused, foreign_maildir),
		root_unit_test(what_is_anothers_is_refused, foreign_new),
		root_unit_test(what_is_anothers_is_refused, foreign_cur),
		root_unit_test(what_is_anothers_is_refused, foreign_tmp),
		root_unit_test(what_is_anothers_is_refused, foreign_stage),
		plain_unit_test(reading_makes_and_locks_nothing),
		plain_unit_test(two_deliverers_never_overlap),
		plain_unit_test(who_will_not_wait_is_told),
		plain_unit_test(a_known_maildir_is_not_made_anew),
		plain_unit_test(an_empty_mount_point_is_not_filled),
		plain_unit_test(a_lock_that_is_given_up_is_taken),
		plain_unit_test(closing_gives_all_descriptors_back),
		plain_unit_test(a_mark_comes_back),
		plain_unit_test(a_damaged_mark_is_none),
		plain_unit_test(a_mark_that_is_no_file_is_an_error),
		plain_unit_test(a_mark_is_not_written_through_a_link),
	};

	return cmocka_run_group_tests_name("maildir", tests, NULL, NULL);
}
