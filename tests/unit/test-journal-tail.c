#include <config.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal-help.h"
#include "lib/journal/verify.h"

static void
ignore(void *to, enum verify_grade grade, const char *line)
{
	(void)to;
	printf("# %d %s\n", (int)grade, line);
}

/* What the appends of one writer left, cut after each byte of the last two:
 * all that stands whole is there, and a new writer goes on behind it. */
static void
torn_tails_lose_nothing(const char *dir)
{
	static char data[8192];
	struct journal *j = open_journal(dir);
	const char *path = scratch_path("%s/0000000001.segment", dir);
	const char *next = scratch_path("%s/0000000002.segment", dir);
	struct format_place ends[3];
	ssize_t n;

	for (size_t i = 0; i < 3; i++)
		assert_true(format_place(add(j, 1, 0, "A: b\r\n\r\nabcdef").id,
					 &ends[i]));
	journal_close(j);
	n = scratch_read(path, data, sizeof(data));
	for (ssize_t cut = (ssize_t)ends[1].offset; cut <= n; cut++) {
		const size_t whole = cut == n ? 3
			: cut >= (ssize_t)ends[2].offset ? 2 : 1;

		scratch_write(path, data, (size_t)cut);
		unlink(next);
		assert_int_equal(count_records(dir), whole);
		j = open_journal(dir);
		assert_int_equal(*journal_found(j) != '\0', cut != n &&
				 cut != (ssize_t)ends[1].offset &&
				 cut != (ssize_t)ends[2].offset);
		add(j, 1, 0, "more");
		journal_close(j);
		assert_int_equal(count_records(dir), whole + 1);
	}
}

/* The zeros that a writer who was killed left behind its end are none; bytes
 * among them are. Who closes in order leaves no zeros. */
static void
room_is_no_torn_tail(const char *dir)
{
	static const char text[] = "A: b\r\n\r\nabcdef";
	const char *path = scratch_path("%s/0000000001.segment", dir);
	const char *killed = scratch_path("%s/killed", dir);
	const char *there = scratch_path("%s/0000000001.segment", killed);
	struct journal *j = open_journal(dir);
	struct verify v = { .tell = ignore };
	struct stat with, without;
	int fd;

	assert_int_equal(mkdir(killed, 0700), 0);
	add(j, 1, 0, text);
	add(j, 1, 0, text);
	scratch_copy(path, there, 0600);
	journal_close(j);
	assert_int_equal(stat(path, &without), 0);
	assert_int_equal(stat(there, &with), 0);
	assert_true(with.st_size > without.st_size);
	fd = open(there, O_WRONLY);
	for (off_t at = without.st_size; at < with.st_size; at += 499) {
		assert_int_equal(verify_archive(&v, killed, &e), 0);
		assert_int_equal(v.wrong, 0);
		j = open_journal(killed);
		assert_string_equal(journal_found(j), "");
		journal_close(j);
		assert_int_equal(pwrite(fd, "x", 1, at), 1);
		j = open_journal(killed);
		assert_non_null(strstr(journal_found(j), "behind its end"));
		journal_close(j);
		assert_int_equal(verify_archive(&v, killed, &e), 0);
		assert_int_equal(v.wrong, 1);
		v.wrong = 0;
		assert_int_equal(count_records(killed), 2);
		assert_int_equal(pwrite(fd, "", 1, at), 1);
	}
	/* However long the file says that it is. */
	assert_int_equal(ftruncate(fd, (off_t)1 << 42), 0);
	assert_int_equal(verify_archive(&v, killed, &e), 0);
	assert_int_equal(v.wrong, 0);
	close(fd);
}

/* Bytes that were acknowledged before something else was written are never
 * taken for a torn tail. */
static void
damage_is_no_torn_tail(const char *dir)
{
	const char *path = scratch_path("%s/0000000001.segment", dir);
	struct journal *j = open_journal(dir);
	struct format_place places[3];
	struct journal_receipt r[3];
	int fd;

	for (size_t i = 0; i < 3; i++) {
		r[i] = add(j, 1, 0, "A: b\r\n\r\nabcdef");
		assert_true(format_place(r[i].id, &places[i]));
	}
	journal_close(j);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "?", 1, (off_t)places[1].offset + 30), 1);
	close(fd);
	j = open_journal(dir);
	assert_non_null(strstr(journal_found(j), "damaged"));
	add(j, 1, 0, "more");
	journal_close(j);
	has(dir, r[0].id, "A: b\r\n\r\nabcdef");
	has(dir, r[2].id, "A: b\r\n\r\nabcdef");
}

/* The last record anew, with CRCs that are right: no append leaves that, so it
 * is not cut off as one that was not finished. */
static void
a_forged_one_is_no_torn_tail(const char *dir)
{
	struct journal *j = open_journal(dir);
	struct verify v = { .tell = ignore };
	uint8_t header[FORMAT_RECORD_HEADER];
	struct format_record r;
	struct format_place p;
	int fd;

	add(j, 1, 0, "A: b\r\n\r\nabcdef");
	assert_true(format_place(add(j, 1, 0, "A: b\r\n\r\nabcdef").id, &p));
	journal_close(j);
	fd = open(scratch_path("%s/0000000001.segment", dir), O_RDWR);
	assert_int_equal(pread(fd, header, sizeof(header), (off_t)p.offset),
			 sizeof(header));
	assert_null(format_get_record(header, &r));
	r.time_us += 3600;
	format_put_record(&r, header);
	assert_int_equal(pwrite(fd, header, sizeof(header), (off_t)p.offset),
			 sizeof(header));
	close(fd);
	j = open_journal(dir);
	assert_non_null(strstr(journal_found(j), "damaged"));
	add(j, 1, 0, "more");
	journal_close(j);
	assert_int_equal(count_records(dir), 3);
	assert_int_equal(verify_archive(&v, dir, &e), 0);
	assert_int_equal(v.wrong, 1);
}

static uint64_t
count_wrong(const char *dir)
{
	struct verify v = { .tell = ignore };

	if (verify_archive(&v, dir, &e) < 0)
		fail_msg("%s", e.text);
	return v.wrong;
}

/* Of the last record of the first segment no byte may change or be missing. */
static void
the_last_one_is_guarded(const char *dir, ssize_t from)
{
	const char *path = scratch_path("%s/0000000001.segment", dir);
	static char data[8192];
	const ssize_t n = scratch_read(path, data, sizeof(data));

	assert_true(n > from);
	for (ssize_t i = from; i < n; i++) {
		data[i] ^= 1;
		scratch_write(path, data, (size_t)n);
		data[i] ^= 1;
		if (count_wrong(dir) == 0)
			fail_msg("a bit at %zd", i);
		scratch_write(path, data, (size_t)i);
		if (count_wrong(dir) == 0)
			fail_msg("cut at %zd", i);
	}
	scratch_write(path, data, (size_t)n);
	assert_int_equal(count_wrong(dir), 0);
}

/* Who ends in order says where the end is: nothing there is torn, though it was
 * written last, and whether somebody goes on or not. */
static void
a_sealed_end_is_not_torn(const char *dir)
{
	struct journal *j = open_journal(dir);
	struct format_place p;

	add(j, 1, 0, "A: b\r\n\r\nabcdef");
	assert_true(format_place(add(j, 1, 0, "A: b\r\n\r\nabcdef").id, &p));
	assert_int_equal(journal_seal(j, 2, &e), 0);
	journal_close(j);
	the_last_one_is_guarded(dir, (ssize_t)p.offset);
	j = open_journal(dir);
	assert_string_equal(journal_found(j), "");
	add(j, 1, 0, "more");
	journal_close(j);
	the_last_one_is_guarded(dir, (ssize_t)p.offset);
	assert_int_equal(count_records(dir), 3);
}

/* Not one that holds nothing, and no end that another one has sealed, or may
 * still move. */
static void
only_an_end_of_ones_own_is_sealed(const char *dir)
{
	struct journal *j = open_journal(dir), *other;

	assert_int_equal(journal_seal(j, 1, &e), 0);
	assert_int_equal(scratch_entries(dir), 1);	/* the lock */
	add(j, 1, 0, "one");
	other = open_journal(dir);
	assert_int_equal(journal_seal(other, 1, &e), 0);
	assert_int_equal(scratch_entries(dir), 2);
	assert_int_equal(journal_seal(j, 1, &e), 0);
	assert_int_equal(journal_seal(j, 1, &e), 0);
	assert_int_equal(scratch_entries(dir), 3);
	/* Whoever goes on after all does so where the next segment is. */
	add(j, 1, 0, "two");
	assert_int_equal(scratch_entries(dir), 3);
	add(other, 1, 0, "three");
	assert_int_equal(journal_seal(j, 1, &e), 0);
	assert_int_equal(scratch_entries(dir), 4);
	journal_close(j);
	journal_close(other);
	assert_int_equal(count_records(dir), 3);
	assert_int_equal(count_wrong(dir), 0);
}

/* The words say what to do, and that helps. */
static void
a_last_segment_without_a_header_is_moved(const char *dir)
{
	const char *path = scratch_path("%s/0000000001.segment", dir);
	struct journal *j = open_journal(dir);

	add(j, 1, 0, "A: b\r\n\r\nabcdef");
	journal_close(j);
	scratch_write(path, "FMX", 3);
	assert_int_equal(journal_open(dir, &options, &j, &e), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_DATAERR);
	assert_non_null(strstr(e.text, "keep 0000000001.segment in another "
			       "directory"));
	unlink(path);
	j = open_journal(dir);
	add(j, 1, 0, "more");
	journal_close(j);
	assert_int_equal(count_records(dir), 1);
}

/* Others are written behind it while we look: it is there by then. */
static void
what_comes_while_it_is_read_is_no_damage(const char *dir)
{
	const char *path = scratch_path("%s/0000000001.segment", dir);
	struct journal *j = open_journal(dir);
	static uint8_t whole[65536], holed[65536];
	static struct archive a;
	struct format_place second, third;
	struct format_record r;
	const char *metadata;
	ssize_t n;

	add(j, 1, 0, "first");
	assert_true(format_place(add(j, 2, 0, "second").id, &second));
	assert_true(format_place(add(j, 3, 0, "third").id, &third));
	journal_close(j);
	n = scratch_read(path, whole, sizeof(whole));
	assert_true(n > 0);
	memcpy(holed, whole, (size_t)n);
	memset(holed + second.offset, 0,
	       (size_t)(third.offset - second.offset));
	scratch_write(path, holed, (size_t)n);
	assert_int_equal(archive_open(&a, dir, &e), 0);
	assert_int_equal(archive_next(&a, &r, &metadata, &e), ARCHIVE_RECORD);
	scratch_write(path, whole, (size_t)n);
	for (int64_t i = 2; i <= 3; i++) {
		assert_int_equal(archive_next(&a, &r, &metadata, &e),
				 ARCHIVE_RECORD);
		assert_int_equal(r.time_us, i);
	}
	assert_int_equal(archive_next(&a, &r, &metadata, &e), ARCHIVE_END);
	archive_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(torn_tails_lose_nothing),
		plain_unit_test(room_is_no_torn_tail),
		plain_unit_test(damage_is_no_torn_tail),
		plain_unit_test(a_forged_one_is_no_torn_tail),
		plain_unit_test(a_sealed_end_is_not_torn),
		plain_unit_test(only_an_end_of_ones_own_is_sealed),
		plain_unit_test(a_last_segment_without_a_header_is_moved),
		plain_unit_test(what_comes_while_it_is_read_is_no_damage),
	};

	return cmocka_run_group_tests_name("journal-tail", tests, NULL, NULL);
}
