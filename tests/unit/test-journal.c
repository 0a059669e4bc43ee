#include <config.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal-help.h"

static void
bytes_are_kept(const char *dir)
{
	static const char *const texts[] = {
		"", "\r\n", "A: b\r\n\r\nc", "no header", ".\r\n..\r\n",
		"A: \xff\xfe\r\n\r\n\x80",
	};
	struct journal *j = open_journal(dir);
	char ids[COUNT(texts)][FORMAT_ID_SIZE];

	for (size_t i = 0; i < COUNT(texts); i++)
		memcpy(ids[i], add(j, 1, 0, texts[i]).id, FORMAT_ID_SIZE);
	for (size_t i = 0; i < COUNT(texts); i++)
		has(dir, ids[i], texts[i]);
	journal_close(j);
	for (size_t i = 0; i < COUNT(texts); i++)
		has(dir, ids[i], texts[i]);
}

/* Packed in pieces of odd sizes, NUL and all bytes, long lines, noise. */
static void
large_ones_are_kept(const char *dir)
{
	const size_t n = (size_t)40 << 20;
	char *data = malloc(n), *all;
	struct payload_piece pieces[64];
	struct journal_entry m = { .metadata = "{\"a\":1}", .metadata_n = 7,
				   .pieces = pieces, .pieces_n = 64 };
	struct journal *j = open_journal(dir);
	static struct archive a;
	struct journal_receipt r;
	struct format_record record;
	const char *metadata;
	uint64_t x = 1;
	size_t got;

	assert_non_null(data);
	for (size_t i = 0; i < n; i++) {
		x = x * 6364136223846793005u + 1;
		data[i] = (char)(i < n / 2 ? x >> 56 : i / 5000);
	}
	for (size_t i = 0, at = 0; i < 64; i++) {
		pieces[i].data = data + at;
		pieces[i].n = i == 63 ? n - at : i == 5 ? 0 : 65535 + i;
		at += pieces[i].n;
	}
	for (int level = 0; level < 2; level++) {
		assert_int_equal(journal_append(j, &m, &r, &e), 0);
		assert_int_equal(archive_open(&a, dir, &e), 0);
		assert_int_equal(archive_find(&a, r.id, &record, &metadata,
					      &e), 0);
		all = bytes_of(&a, &record, &got);
		assert_memory_equal(all, data, n);
		free(all);
		archive_close(&a);
	}
	journal_close(j);
	free(data);
}

static void
too_large_is_said(const char *dir)
{
	struct journal *j = open_journal(dir);
	const struct payload_piece pieces[] = { { dir, 1 },
						{ dir, FORMAT_RAW_MAX } };
	const struct journal_entry m = { .metadata = "{}", .metadata_n = 2,
					 .pieces = pieces, .pieces_n = 2 };
	struct journal_receipt r;

	assert_int_equal(journal_append(j, &m, &r, &e), -1);
	assert_int_equal(e.kind, ERR_PERM);
	journal_close(j);
}

static void
the_same_again_is_kept_once(const char *dir)
{
	struct journal *j = open_journal(dir);
	const struct journal_receipt first = add(j, 1, 7, "A: b\r\n\r\nsame");
	struct journal_receipt r = add(j, 2, 7, "A: b\r\n\r\nsame");

	assert_true(r.again);
	assert_string_equal(r.first, first.id);
	has(dir, r.id, "A: b\r\n\r\nsame");
	/* Other bytes are another copy, and say so. */
	r = add(j, 3, 7, "A: c\r\n\r\nsame");
	assert_false(r.again);
	assert_string_equal(r.first, first.id);
	has(dir, r.id, "A: c\r\n\r\nsame");
	/* Without a key nothing is compared. */
	r = add(j, 4, 0, "A: b\r\n\r\nsame");
	assert_false(r.again);
	assert_string_equal(r.first, "");
	journal_close(j);
}

static void
keys_are_known_after_a_start(const char *dir)
{
	struct journal *j = open_journal(dir);
	struct journal_receipt first = add(j, 1, 7, "same"), r;

	journal_close(j);
	for (int i = 0; i < 2; i++) {
		j = open_journal(dir);
		r = add(j, 2, 7, "same");
		assert_true(r.again);
		assert_string_equal(r.first, first.id);
		journal_close(j);
	}
}

static void
a_late_one_is_no_second_try(const char *dir)
{
	struct journal *j = open_journal(dir);
	struct journal_receipt r;

	add(j, 1, 7, "same");
	r = add(j, 1 + 8 * DAY_US, 7, "same");
	assert_false(r.again);
	journal_close(j);
}

static void
segments_follow_by_size_and_age(const char *dir)
{
	struct journal_counts c;
	struct journal *j;

	options.segment_bytes = 4096;
	j = open_journal(dir);
	for (int i = 0; i < 100; i++)
		add(j, i, 0, "0123456789");
	journal_count(j, &c);
	assert_int_equal(c.messages, 100);
	assert_int_equal(c.segments, 7);	/* 16 of 248 bytes in each */
	add(j, DAY_US + 99, 0, "x");
	journal_count(j, &c);
	assert_int_equal(c.segments, 8);
	journal_close(j);
	options.segment_bytes = 0;
	assert_int_equal(count_records(dir), 101);
}

/* Two that have it open, in turn: neither adds to the other's segment. */
static void
two_writers_take_turns(const char *dir)
{
	struct journal *a = open_journal(dir), *b = open_journal(dir);
	struct journal_receipt r;

	for (int i = 0; i < 5; i++) {
		add(a, 1, 0, "of a");
		add(b, 1, 0, "of b");
	}
	assert_int_equal(count_records(dir), 10);
	add(a, 1, 9, "known to both");
	r = add(b, 1, 9, "known to both");
	assert_true(r.again);
	journal_close(a);
	journal_close(b);
	assert_int_equal(count_records(dir), 12);
}

static void
a_lock_is_waited_for_and_then_said(const char *dir)
{
	const struct payload_piece piece = { "x", 1 };
	const struct journal_entry m = { .metadata = "{}", .metadata_n = 2,
					 .pieces = &piece, .pieces_n = 1 };
	struct journal_receipt r;
	struct journal *j;
	int fd;

	options.lock_wait_ms = 50;
	j = open_journal(dir);
	fd = open(scratch_path("%s/lock", dir), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(journal_append(j, &m, &r, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_false(r.full);
	close(fd);
	assert_int_equal(journal_append(j, &m, &r, &e), 0);
	options.lock_wait_ms = 0;
	journal_close(j);
}

static void
no_room_is_told_apart(const char *dir)
{
	const struct payload_piece piece = { "x", 1 };
	const struct journal_entry m = { .metadata = "{}", .metadata_n = 2,
					 .pieces = &piece, .pieces_n = 1 };
	struct journal_receipt r;
	struct journal *j;

	options.free_bytes = (uint64_t)1 << 60;
	j = open_journal(dir);
	assert_int_equal(journal_append(j, &m, &r, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_true(r.full);
	journal_close(j);
	options.free_bytes = 1;
	assert_int_equal(scratch_entries(dir), 1);	/* the lock */
}

static void
a_missing_directory_is_said(const char *dir)
{
	struct journal *j;

	assert_int_equal(journal_open(scratch_path("%s/none", dir), &options,
				      &j, &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_CONFIG);
	assert_non_null(strstr(e.text, "/none"));
}

#define THREADS 16
#define EACH 50

static struct journal *shared;
static char shared_ids[THREADS][EACH][FORMAT_ID_SIZE];

static void *
append_some(void *which)
{
	const size_t k = (size_t)((char(*)[EACH][FORMAT_ID_SIZE])which -
				  shared_ids);

	for (size_t i = 0; i < EACH; i++) {
		char text[64];
		const struct payload_piece piece = {
			text, (size_t)snprintf(text, sizeof(text),
					       "A: %zu %zu\r\n\r\n", k, i) };
		const struct journal_entry m = {
			.time_us = 1, .metadata = "{\"a\":1}",
			.metadata_n = 7, .pieces = &piece, .pieces_n = 1 };
		struct journal_receipt r;
		struct err mine;

		if (journal_append(shared, &m, &r, &mine) < 0)
			abort();
		memcpy(shared_ids[k][i], r.id, FORMAT_ID_SIZE);
	}
	return NULL;
}

static void
threads_each_get_their_own(const char *dir)
{
	pthread_t threads[THREADS];
	struct journal_counts c;
	char text[64];

	shared = open_journal(dir);
	for (size_t k = 0; k < THREADS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, append_some,
						&shared_ids[k]), 0);
	for (size_t k = 0; k < THREADS; k++)
		pthread_join(threads[k], NULL);
	journal_count(shared, &c);
	journal_close(shared);
	assert_int_equal(c.messages, THREADS * EACH);
	assert_true(c.flushes <= c.messages);
	assert_int_equal(count_records(dir), THREADS * EACH);
	for (size_t k = 0; k < THREADS; k++)
		for (size_t i = 0; i < EACH; i += 7) {
			snprintf(text, sizeof(text), "A: %zu %zu\r\n\r\n", k,
				 i);
			has(dir, shared_ids[k][i], text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(bytes_are_kept),
		plain_unit_test(large_ones_are_kept),
		plain_unit_test(too_large_is_said),
		plain_unit_test(the_same_again_is_kept_once),
		plain_unit_test(keys_are_known_after_a_start),
		plain_unit_test(a_late_one_is_no_second_try),
		plain_unit_test(segments_follow_by_size_and_age),
		plain_unit_test(two_writers_take_turns),
		plain_unit_test(a_lock_is_waited_for_and_then_said),
		plain_unit_test(no_room_is_told_apart),
		plain_unit_test(a_missing_directory_is_said),
		plain_unit_test(threads_each_get_their_own),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
