#include <config.h>

#include <sysexits.h>
#include <unistd.h>

#include "journal-help.h"
#include "lib/journal/maintain.h"
#include "lib/journal/verify.h"

static uint64_t told;	/* a digit for each segment that goes */
static uint64_t held;	/* and for each that stays pruned */

static void
tell(void *to, uint32_t number, uint64_t records, uint64_t bytes,
     int64_t first_us, int64_t last_us)
{
	(void)to;
	(void)bytes;
	assert_true(first_us <= last_us && records < 10);
	told = told * 10 + number;
}

static void
tell_removed(void *to, uint32_t number, uint64_t bytes)
{
	(void)to;
	(void)bytes;
	told = told * 10 + number;
}

static void
tell_held(void *to, uint32_t number, const char *why)
{
	(void)to;
	printf("# %u: %s\n", (unsigned)number, why);
	held = held * 10 + number;
}

/* Who writes while it prunes. */
static struct journal *meanwhile;

static int64_t
keep_of(const char *word)
{
	if (meanwhile != NULL) {
		add(meanwhile, 12 * DAY_US, 0, "new");
		journal_close(meanwhile);
		meanwhile = NULL;
	}
	return strcmp(word, PRUNE_DEFAULT) == 0 ? 18 * DAY_US
	       : strcmp(word, "LONG") == 0 ? 100 * DAY_US
	       : strcmp(word, "SHORT") == 0 ? 10 * DAY_US : -1;
}

/* Prunes at a day; -1: it failed. The digits of what went. */
static int64_t
prune_at(const char *dir, int64_t day, const char *word, bool dry)
{
	const struct maintain m = { .dir = dir, .now_us = day * DAY_US,
				    .dry = dry };
	struct prune p = { .word = word,
			   .keep_of = keep_of, .grace_us = 30 * DAY_US,
			   .tell = tell, .tell_removed = tell_removed,
			   .tell_held = tell_held };

	told = held = 0;
	if (maintain_prune(&m, &p, &e) < 0)
		return -1;
	return (int64_t)told;
}

static void
ignore(void *to, enum verify_grade grade, const char *line)
{
	(void)to;
	printf("# %d %s\n", (int)grade, line);
}

static struct verify
verify(const char *dir)
{
	struct verify v = { .tell = ignore };

	if (verify_archive(&v, dir, &e) < 0)
		fail_msg("%s", e.text);
	return v;
}

/* A segment a day, days 1 to n. */
static void
make(const char *dir, int n)
{
	for (int i = 1; i <= n; i++) {
		struct journal *j = open_journal(dir);

		add(j, i * DAY_US, 0, "A: b\r\n\r\n");
		journal_close(j);
	}
}

static void
what_expired_goes_in_two_steps(const char *dir)
{
	make(dir, 5);
	assert_int_equal(prune_at(dir, 13, "SHORT", true), 12);
	assert_int_equal(scratch_entries(dir), 6);	/* and a lock */
	assert_int_equal(prune_at(dir, 13, "SHORT", false), 12);
	assert_true(scratch_exists(scratch_path(
		"%s/0000000001.pruned-1123200", dir)));
	assert_false(scratch_exists(scratch_path("%s/0000000002.segment",
						 dir)));
	assert_int_equal(verify(dir).wrong, 0);
	/* Nothing more yet, and nothing is removed before its time. */
	assert_int_equal(prune_at(dir, 13, "SHORT", false), 0);
	assert_true(scratch_exists(scratch_path(
		"%s/0000000001.pruned-1123200", dir)));
	assert_int_equal(prune_at(dir, 14, "SHORT", false), 3);
	assert_int_equal(prune_at(dir, 42, "SHORT", true), 4567);
	(void)prune_at(dir, 43, "SHORT", false);
	assert_false(scratch_exists(scratch_path(
		"%s/0000000001.pruned-1123200", dir)));
	assert_int_equal(verify(dir).wrong, 0);
}

/* Nobody wrote any more, and whoever did last has it open. */
static void
the_last_segment_goes_when_it_expired(const char *dir)
{
	struct journal *j;

	make(dir, 2);
	j = open_journal(dir);
	add(j, 3 * DAY_US, 7, "the third");
	assert_int_equal(prune_at(dir, 12, "SHORT", true), 1);
	assert_int_equal(prune_at(dir, 14, "SHORT", true), 123);
	assert_int_equal(scratch_entries(dir), 4);	/* and a lock */
	assert_int_equal(prune_at(dir, 14, "SHORT", false), 123);
	assert_int_equal(verify(dir).wrong, 0);
	assert_int_equal(verify(dir).messages, 0);
	/* It goes on behind that, and does not refer to what is gone. */
	assert_false(add(j, 14 * DAY_US, 7, "the third").again);
	add(j, 15 * DAY_US, 0, "more");
	journal_close(j);
	assert_int_equal(verify(dir).wrong, 0);
	assert_int_equal(verify(dir).messages, 2);
	assert_int_equal(prune_at(dir, 24, "SHORT", true), 0);
	/* What records that something went is no mail: it ends some time. */
	assert_int_equal(prune_at(dir, 26, "SHORT", false), 456);
	assert_int_equal(prune_at(dir, 27, "SHORT", false), 0);
	assert_int_equal(verify(dir).wrong, 0);
}

static void
the_last_segment_stays_for_one_of_its_messages(const char *dir)
{
	struct journal *j;

	options.segment_age_us = 1000 * DAY_US;
	j = open_journal(dir);
	add(j, 1 * DAY_US, 0, "old");
	add(j, 1 * DAY_US + 1, 0, "old");
	assert_int_equal(prune_at(dir, 5, "SHORT", false), 0);
	journal_close(j);
	j = open_journal(dir);
	add(j, 1 * DAY_US, 0, "old");
	add(j, 8 * DAY_US, 0, "new");
	assert_int_equal(prune_at(dir, 14, "SHORT", false), 1);
	assert_int_equal(prune_at(dir, 17, "SHORT", false), 2);
	assert_int_equal(verify(dir).messages, 2);
	journal_close(j);
}

/* One that comes when prune has looked. */
static void
the_last_segment_stays_for_one_that_comes(const char *dir)
{
	make(dir, 1);
	options.segment_age_us = 1000 * DAY_US;
	meanwhile = open_journal(dir);
	add(meanwhile, 2 * DAY_US, 0, "old");
	assert_int_equal(prune_at(dir, 13, "SHORT", false), 1);
	assert_null(meanwhile);
	assert_int_equal(verify(dir).messages, 2);
	assert_int_equal(verify(dir).wrong, 0);
}

static void
the_last_segment_stays_if_it_is_damaged(const char *dir)
{
	static char data[8192];
	const char *path = scratch_path("%s/0000000002.segment", dir);
	struct journal *j;
	ssize_t n;

	make(dir, 1);
	j = open_journal(dir);
	for (int i = 0; i < 3; i++)
		add(j, 2 * DAY_US, 0, "A: b\r\n\r\n");
	journal_close(j);
	n = scratch_read(path, data, sizeof(data));
	data[FORMAT_SEGMENT_HEADER + 30] ^= 1;
	scratch_write(path, data, (size_t)n);
	assert_int_equal(prune_at(dir, 50, "SHORT", true), 1);
	assert_int_equal(prune_at(dir, 50, "SHORT", false), 1);
}

/* Nor where something before it stays, or for ever. */
static void
the_last_segment_stays_behind_others(const char *dir)
{
	struct journal *j = open_journal(dir);

	add(j, 100 * DAY_US, 0, "new");
	journal_close(j);
	make(dir, 1);
	assert_int_equal(prune_at(dir, 50, "SHORT", false), 0);
	assert_int_equal(prune_at(dir, 51, "SHORT", false), 0);
	assert_int_equal(scratch_entries(dir), 5);	/* and two locks */
}

static void
a_promise_is_not_shortened(const char *dir)
{
	const struct maintain m = { .dir = dir, .now_us = 50 * DAY_US };
	struct prune p = { .word = "SHORT",
			   .keep_of = keep_of, .grace_us = 30 * DAY_US,
			   .tell = tell, .tell_removed = tell_removed,
			   .tell_held = tell_held, .shorten = true };

	make(dir, 3);
	assert_int_equal(prune_at(dir, 5, "LONG", false), 0);
	assert_int_equal(prune_at(dir, 50, "SHORT", true), -1);
	assert_int_equal(prune_at(dir, 50, "SHORT", false), -1);
	assert_int_equal(e.code, EX_CONFIG);
	assert_non_null(strstr(e.text, "LONG"));
	told = 0;
	assert_int_equal(maintain_prune(&m, &p, &e), 0);
	assert_int_equal(told, 123);
	assert_int_equal(prune_at(dir, 50, "LONG", false), 0);
	assert_int_equal(verify(dir).wrong, 0);
}

/* What came again later needs the bytes of the first one. */
static void
bytes_stay_as_long_as_somebody_needs_them(const char *dir)
{
	struct journal *j = open_journal(dir);
	struct journal_receipt r;

	add(j, DAY_US, 7, "same");
	journal_close(j);
	j = open_journal(dir);
	r = add(j, 5 * DAY_US, 7, "same");
	assert_true(r.again);
	journal_close(j);
	make(dir, 1);
	assert_int_equal(prune_at(dir, 13, "SHORT", true), 0);
	assert_int_equal(prune_at(dir, 16, "SHORT", true), 123);
}

static void
a_damaged_segment_stays(const char *dir)
{
	static char data[4096];
	const char *path = scratch_path("%s/0000000002.segment", dir);
	ssize_t n;

	make(dir, 3);
	n = scratch_read(path, data, sizeof(data));
	data[n - 100] ^= 1;
	scratch_write(path, data, (size_t)n);
	assert_int_equal(prune_at(dir, 50, "SHORT", true), 1);
}

static void
what_was_pruned_comes_back_by_its_name(const char *dir)
{
	make(dir, 3);
	assert_int_equal(prune_at(dir, 12, "SHORT", false), 1);
	assert_int_equal(rename(
		scratch_path("%s/0000000001.pruned-1036800", dir),
		scratch_path("%s/0000000001.segment", dir)), 0);
	assert_int_equal(verify(dir).wrong, 0);
	assert_int_equal(verify(dir).messages, 3);
}

/* Who was told SHORT by mistake, and says LONG then, gets nothing removed. */
static void
what_is_to_be_kept_longer_is_not_removed(const char *dir)
{
	make(dir, 3);
	assert_int_equal(prune_at(dir, 12, "SHORT", false), 1);
	assert_int_equal(prune_at(dir, 13, "LONG", false), 0);
	assert_int_equal(prune_at(dir, 60, "LONG", false), 0);
	assert_int_equal(held, 1);
	assert_true(scratch_exists(scratch_path(
		"%s/0000000001.pruned-1036800", dir)));
}

/* A clock that was years ahead: what it pruned can be had back. */
static void
what_a_wrong_clock_pruned_stays(const char *dir)
{
	make(dir, 3);
	assert_int_equal(prune_at(dir, 5000, "SHORT", false), 123);
	assert_int_equal(prune_at(dir, 5, "SHORT", false), 0);
	assert_in_range(held, 123, 321);	/* in some order */
}

/* The record that promised a longer time may be what is damaged. */
static void
damage_shortens_nothing(const char *dir)
{
	static char data[4096];
	const char *path = scratch_path("%s/0000000004.segment", dir);
	ssize_t n;

	make(dir, 3);
	assert_int_equal(prune_at(dir, 5, "LONG", false), 0);
	make(dir, 5);
	n = scratch_read(path, data, sizeof(data));
	data[n - 20] ^= 1;
	scratch_write(path, data, (size_t)n);
	assert_int_equal(prune_at(dir, 50, NULL, false), -1);
	assert_int_equal(e.code, EX_DATAERR);
	assert_int_equal(prune_at(dir, 50, "LONG", false), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(what_expired_goes_in_two_steps),
		plain_unit_test(the_last_segment_goes_when_it_expired),
		plain_unit_test(the_last_segment_stays_for_one_of_its_messages),
		plain_unit_test(the_last_segment_stays_for_one_that_comes),
		plain_unit_test(the_last_segment_stays_if_it_is_damaged),
		plain_unit_test(the_last_segment_stays_behind_others),
		plain_unit_test(a_promise_is_not_shortened),
		plain_unit_test(bytes_stay_as_long_as_somebody_needs_them),
		plain_unit_test(a_damaged_segment_stays),
		plain_unit_test(what_is_to_be_kept_longer_is_not_removed),
		plain_unit_test(what_a_wrong_clock_pruned_stays),
		plain_unit_test(damage_shortens_nothing),
		plain_unit_test(what_was_pruned_comes_back_by_its_name),
	};

	return cmocka_run_group_tests_name("journal-prune", tests, NULL,
					   NULL);
}
