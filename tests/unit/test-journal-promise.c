#include <config.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "journal-help.h"
#include "lib/journal/maintain.h"

/* What may go wrong around a writer that is right: what it was promised to
 * keep is there, and whole. */

static void
order_to_erase(const char *dir, const char *id)
{
	char text[256];
	const int n = snprintf(text, sizeof(text), "{\"control\":\"erase\","
			       "\"id\":\"%s\",\"sha256\":\"00\"}", id);
	struct journal *j = open_journal(dir);
	struct journal_receipt r;

	assert_int_equal(journal_control(j, 1, text, (size_t)n, &r, &e), 0);
	journal_close(j);
}

/* Between the record that says so and the moment when the bytes are gone the
 * same message may come again: it would be left without any. */
static void
bytes_that_will_be_erased_are_not_relied_on(const char *dir)
{
	struct journal *j = open_journal(dir);
	const struct journal_receipt first = add(j, 1, 7, "same");
	struct journal_receipt r;
	bool already;

	order_to_erase(dir, first.id);
	add(j, 1, 9, "other");	/* reads what the other process wrote */
	r = add(j, 2, 7, "same");
	assert_false(r.again);
	assert_int_equal(maintain_erase(&(struct maintain){ .dir = dir },
					first.id, "why", &already, &e), 0);
	has(dir, r.id, "same");
	has(dir, add(j, 2, 7, "same").id, "same");
	assert_true(add(j, 2, 9, "other").again);
	journal_close(j);
}

/* What another writer adds between our look at its segment and our first
 * record is before that. */
static void
the_end_is_where_it_is_and_not_where_it_was(const char *dir)
{
	struct journal *a = open_journal(dir), *b;
	struct journal_receipt r[3];

	r[0] = add(a, 1, 0, "one");
	b = open_journal(dir);
	r[1] = add(a, 1, 0, "two");
	r[2] = add(b, 1, 0, "three");
	add(a, 1, 0, "four");
	journal_close(a);
	journal_close(b);
	assert_int_equal(count_records(dir), 4);
	has(dir, r[0].id, "one");
	has(dir, r[1].id, "two");
	has(dir, r[2].id, "three");
}

/* A backup that is restored, or a hand that slips. */
static void
a_segment_that_was_taken_away_gets_no_more(const char *dir)
{
	const char *path = scratch_path("%s/0000000002.segment", dir);
	struct journal *j = open_journal(dir);
	struct journal_receipt before, r;

	before = add(j, 1, 0, "before");
	journal_close(j);
	j = open_journal(dir);
	add(j, 1, 0, "in the second one");
	assert_int_equal(unlink(path), 0);
	r = add(j, 1, 0, "behind");
	has(dir, r.id, "behind");
	journal_close(j);
	has(dir, before.id, "before");
}

#define MANY 22
#define LONG ((size_t)14 << 20)

static struct journal *shared;
static char *metadata;
static char ids[MANY][FORMAT_ID_SIZE];

static void *
append_long(void *id)
{
	const struct payload_piece piece = { "x", 1 };
	const struct journal_entry m = { .metadata = metadata,
					 .metadata_n = LONG, .pieces = &piece,
					 .pieces_n = 1 };
	struct journal_receipt r;
	struct err mine;

	if (journal_append(shared, &m, &r, &mine) < 0)
		abort();
	memcpy(id, r.id, FORMAT_ID_SIZE);
	return NULL;
}

/* All wait while another process has the lock, and are then one group: more
 * than a segment can hold. */
static void
long_metadata_do_not_overflow_a_segment(const char *dir)
{
	static struct archive a;
	struct format_record r;
	pthread_t threads[MANY];
	const char *found;
	int fd;

	metadata = malloc(LONG);
	assert_non_null(metadata);
	memset(metadata, ' ', LONG);
	memcpy(metadata, "{}", 2);
	shared = open_journal(dir);
	fd = open(scratch_path("%s/lock", dir), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	for (size_t k = 0; k < MANY; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, append_long,
						ids[k]), 0);
	sleep(1);
	close(fd);
	for (size_t k = 0; k < MANY; k++)
		pthread_join(threads[k], NULL);
	journal_close(shared);
	free(metadata);
	assert_int_equal(archive_open(&a, dir, &e), 0);
	for (size_t k = 0; k < MANY; k++)
		if (archive_find(&a, ids[k], &r, &found, &e) < 0)
			fail_msg("%s", e.text);
	archive_close(&a);
}

/* ThreadSanitizer takes several bytes for each that a thread touches. */
#ifdef __SANITIZE_THREAD__
#define HAS_SHADOWS 1
#else
#define HAS_SHADOWS 0
#endif

#define STRANGERS 8
#define NOISE ((size_t)100 << 20)

static void *
append_noise(void *noise)
{
	const struct payload_piece piece = { noise, NOISE };
	const struct journal_entry m = { .metadata = "{}", .metadata_n = 2,
					 .pieces = &piece, .pieces_n = 1 };
	struct journal_receipt r;
	struct err mine;

	if (journal_append(shared, &m, &r, &mine) == 0)
		abort();
	return NULL;
}

/* While a disk is slow, strangers can send as much as they like. */
static void
who_waits_does_not_fill_the_memory(const char *dir)
{
	char *noise = calloc(1, NOISE);
	pthread_t threads[STRANGERS];
	struct rusage usage;
	int fd;

	assert_non_null(noise);
	options.level = -1;
	options.lock_wait_ms = 300;
	shared = open_journal(dir);
	fd = open(scratch_path("%s/lock", dir), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	for (size_t k = 0; k < STRANGERS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL,
						append_noise, noise), 0);
	for (size_t k = 0; k < STRANGERS; k++)
		pthread_join(threads[k], NULL);
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	assert_in_range(usage.ru_maxrss / 1024, 1, HAS_SHADOWS ? 2000 : 600);
	close(fd);
	journal_close(shared);
	options.level = options.lock_wait_ms = 0;
	free(noise);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(bytes_that_will_be_erased_are_not_relied_on),
		plain_unit_test(the_end_is_where_it_is_and_not_where_it_was),
		plain_unit_test(a_segment_that_was_taken_away_gets_no_more),
		plain_unit_test(long_metadata_do_not_overflow_a_segment),
		plain_unit_test(who_waits_does_not_fill_the_memory),
	};

	return cmocka_run_group_tests_name("journal-promise", tests, NULL,
					   NULL);
}
