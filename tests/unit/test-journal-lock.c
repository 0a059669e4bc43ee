#include <config.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "journal-help.h"
#include "lib/journal/lock.h"

/* A hand or a backup that puts another lock, or another directory, where the
 * journal had its own: it works with what stands there, or not at all. */

/* What another process does in the middle of the next call of that name. */
static void (*at_faccessat)(void), (*at_fsync)(void);

static void
come_by(void (**what)(void))
{
	void (*now)(void) = *what;

	*what = NULL;
	if (now != NULL)
		now();
}

int
faccessat(int dir, const char *name, int mode, int flags)
{
	const int ret = (int)syscall(SYS_faccessat, dir, name, mode);

	(void)flags;
	come_by(&at_faccessat);
	return ret;
}

int
fsync(int fd)
{
	come_by(&at_fsync);
	return (int)syscall(SYS_fsync, fd);
}

static int
append(struct journal *j)
{
	const struct payload_piece piece = { "x", 1 };
	const struct journal_entry m = { .time_us = 1, .metadata = "{\"a\":1}",
					 .metadata_n = 7, .pieces = &piece,
					 .pieces_n = 1 };
	struct journal_receipt r;

	return journal_append(j, &m, &r, &e);
}

/* Who takes a lock for a stale one and removes it must not let two in. */
static void
a_lock_that_was_removed_shuts_nobody_in(const char *dir)
{
	const char *path = scratch_path("%s/lock", dir);
	struct journal *a, *b;
	int fd;

	options.lock_wait_ms = 50;
	a = open_journal(dir);
	add(a, 1, 0, "one");
	assert_int_equal(unlink(path), 0);
	b = open_journal(dir);
	fd = open(path, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(append(a), -1);
	assert_non_null(strstr(e.text, "another process has locked it"));
	close(fd);
	assert_int_equal(append(a), 0);
	assert_int_equal(append(b), 0);
	options.lock_wait_ms = 0;
	journal_close(a);
	journal_close(b);
	assert_int_equal(count_records(dir), 3);
}

static struct journal *other;
static const char *where;
static struct journal_receipt of_other;

static void
append_again(void)
{
	of_other = add(other, 1, 0, "two of the other");
}

static void
remove_and_append(void)
{
	assert_int_equal(unlink(scratch_path("%s/lock", where)), 0);
	other = open_journal(where);
	of_other = add(other, 1, 0, "of the other");
}

static void
remove_and_append_twice(void)
{
	remove_and_append();
	at_fsync = append_again;
}

/* Without the lock another one ends our segment before what we write. */
static void
what_was_written_without_the_lock_is_written_again(const char *dir)
{
	struct journal *j = open_journal(dir);
	struct journal_receipt r;

	where = dir;
	add(j, 1, 0, "one");
	at_faccessat = remove_and_append;
	r = add(j, 1, 0, "two");
	has(dir, r.id, "two");
	has(dir, of_other.id, "of the other");
	journal_close(j);
	journal_close(other);
}

/* And we would end his before what he was promised. */
static void
nobody_ends_a_segment_without_the_lock(const char *dir)
{
	struct journal *j = open_journal(dir);

	where = dir;
	at_fsync = remove_and_append_twice;
	assert_int_equal(append(j), -1);
	assert_non_null(strstr(e.text, "somebody removed its lock"));
	assert_int_equal(append(j), 0);
	has(dir, of_other.id, "two of the other");
	journal_close(j);
	journal_close(other);
}

/* A disk that was mounted over it, a backup that took its place. */
static void
what_stands_at_the_path_is_the_archive(const char *dir)
{
	const char *here = scratch_path("%s/archive", dir);
	const char *away = scratch_path("%s/away", dir);
	struct journal_receipt r;
	struct journal *j, *k;

	assert_int_equal(mkdir(here, 0700), 0);
	j = open_journal(here);
	add(j, 1, 0, "before");
	assert_int_equal(rename(here, away), 0);
	assert_int_equal(mkdir(here, 0700), 0);
	k = open_journal(here);
	add(k, 1, 7, "restored");
	journal_close(k);
	r = add(j, 1, 7, "restored");
	assert_true(r.again);
	has(here, r.id, "restored");
	assert_int_equal(count_records(away), 1);
	journal_close(j);
}

static void
without_its_directory_nothing_is_archived(const char *dir)
{
	const char *here = scratch_path("%s/archive", dir);
	const char *away = scratch_path("%s/away", dir);
	struct journal *j;

	assert_int_equal(mkdir(here, 0700), 0);
	j = open_journal(here);
	add(j, 1, 0, "before");
	assert_int_equal(rename(here, away), 0);
	assert_int_equal(append(j), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "/archive"));
	/* A disk that is not mounted is not an empty archive. */
	assert_int_equal(mkdir(here, 0700), 0);
	assert_int_equal(append(j), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(count_records(here), 0);
	assert_int_equal(unlink(scratch_path("%s/lock", here)), 0);
	assert_int_equal(rmdir(here), 0);
	assert_int_equal(rename(away, here), 0);
	assert_int_equal(append(j), 0);
	assert_int_equal(count_records(here), 2);
	journal_close(j);
}

/* What it knows of the end is not that of another archive. */
static void
another_archive_is_not_sealed(const char *dir)
{
	const char *here = scratch_path("%s/archive", dir);
	struct journal *j, *k;

	assert_int_equal(mkdir(here, 0700), 0);
	j = open_journal(here);
	add(j, 1, 0, "before");
	assert_int_equal(rename(here, scratch_path("%s/away", dir)), 0);
	assert_int_equal(mkdir(here, 0700), 0);
	k = open_journal(here);
	add(k, 1, 0, "of another archive");
	journal_close(k);
	assert_int_equal(journal_seal(j, 2, &e), 0);
	assert_int_equal(scratch_entries(here), 2);
	journal_close(j);
}

/* Neither is waited for, nor given away. */
static void
what_is_no_file_is_no_lock(const char *dir)
{
	const char *path = scratch_path("%s/lock", dir);
	int at = open(dir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(lock_file(at, "lock", &e), -1);
	assert_non_null(strstr(e.text, "lock"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("other", path), 0);
	assert_int_equal(lock_file(at, "lock", &e), -1);
	assert_int_equal(unlink(path), 0);
	assert_true(lock_file(at, "lock", &e) >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(a_lock_that_was_removed_shuts_nobody_in),
		plain_unit_test(
			what_was_written_without_the_lock_is_written_again),
		plain_unit_test(nobody_ends_a_segment_without_the_lock),
		plain_unit_test(what_stands_at_the_path_is_the_archive),
		plain_unit_test(without_its_directory_nothing_is_archived),
		plain_unit_test(another_archive_is_not_sealed),
		plain_unit_test(what_is_no_file_is_no_lock),
	};

	return cmocka_run_group_tests_name("journal-lock", tests, NULL, NULL);
}
