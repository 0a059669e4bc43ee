#include <config.h>

#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "journal-help.h"
#include "lib/journal/maintain.h"

/* ext4 and xfs bring a new name to the disk with the file's own flush, so that
 * no power cut shows that the directory was forgotten. Here the calls are
 * watched: nothing that relies on a name may follow before its directory is
 * flushed. */

static int names;	/* changed since the directory was flushed */
static int seen, early;	/* names at all, flushes of files before it */

int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
	  unsigned int flags)
{
	names++;
	seen++;
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	names++;
	seen++;
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int
fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		names = 0;
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	early += names;
	return (int)syscall(SYS_fdatasync, fd);
}

static void
are_flushed(int least)
{
	assert_true(seen >= least);
	assert_int_equal(names, 0);
	assert_int_equal(early, 0);
	seen = 0;
}

static void
names_are_flushed_before_what_stands_in_them(const char *dir)
{
	struct journal *j;

	options.segment_bytes = 4096;
	j = open_journal(dir);
	for (int i = 0; i < 40; i++) {
		add(j, 1, 0, "0123456789");
		are_flushed(i == 0);
	}
	journal_close(j);
	options.segment_bytes = 0;
}

static void
erasing_ends_on_the_disk(const char *dir)
{
	struct journal *j = open_journal(dir);
	const struct journal_receipt r = add(j, 1, 0, "secret");
	bool already;

	seen = 0;
	assert_int_equal(maintain_erase(&(struct maintain){ .dir = dir }, r.id,
					"why", &already, &e), 0);
	are_flushed(2);		/* the record's segment, the new file */
	journal_close(j);
}

static int64_t
keep_of(const char *word)
{
	(void)word;
	return DAY_US;
}

static void
tell(void *to, uint32_t segment, uint64_t records, uint64_t bytes,
     int64_t first_us, int64_t last_us)
{
	(void)to;
	(void)segment;
	(void)records;
	(void)bytes;
	(void)first_us;
	(void)last_us;
}

static void
pruning_ends_on_the_disk(const char *dir)
{
	struct prune p = { .word = "ANY", .keep_of = keep_of,
			   .grace_us = DAY_US, .tell = tell };

	for (int i = 0; i < 3; i++) {
		struct journal *j = open_journal(dir);

		add(j, 1, 0, "old");
		journal_close(j);
	}
	seen = 0;
	assert_int_equal(maintain_prune(&(struct maintain){
		.dir = dir, .now_us = 9 * DAY_US }, &p, &e), 0);
	assert_int_equal(p.segments, 3);
	are_flushed(4);		/* three go, one is begun at least */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(names_are_flushed_before_what_stands_in_them),
		plain_unit_test(erasing_ends_on_the_disk),
		plain_unit_test(pruning_ends_on_the_disk),
	};

	return cmocka_run_group_tests_name("journal-order", tests, NULL, NULL);
}
