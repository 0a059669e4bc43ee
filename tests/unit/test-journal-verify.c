#include <config.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal-help.h"
#include "lib/journal/maintain.h"
#include "lib/journal/verify.h"

static char told[2][4096];	/* by grade */

static void
tell(void *to, enum verify_grade grade, const char *line)
{
	const size_t n = strlen(told[grade]);

	(void)to;
	snprintf(told[grade] + n, sizeof(told[grade]) - n, "%s\n", line);
}

static struct verify
verify(const char *dir, const struct format_head *against)
{
	struct verify v = { .tell = tell, .against = against };

	memset(told, 0, sizeof(told));
	if (verify_archive(&v, dir, &e) < 0)
		fail_msg("%s", e.text);
	return v;
}

static void
is_right(const char *dir)
{
	const struct verify v = verify(dir, NULL);

	if (v.wrong != 0)
		fail_msg("%s", told[VERIFY_WRONG]);
}

/* Three segments, with all kinds of records. */
static void
make(const char *dir, char ids[6][FORMAT_ID_SIZE])
{
	static const char *const texts[6] = {
		"A: b\r\n\r\none",
		("A: b\r\n\r\ntwo two two two two two two "
		 "two two two two two two two two two"),
		"A: b\r\n\r\nthree",
		"A: b\r\n\r\nthree", "", "A: b\r\n\r\nsix",
	};
	static const uint8_t keys[6] = { 1, 2, 3, 3, 0, 6 };
	struct journal *j = NULL;

	for (int i = 0; i < 6; i++) {
		struct journal_receipt r;

		if (i % 2 == 0)
			j = open_journal(dir);
		r = add(j, i + 1, keys[i], texts[i]);
		memcpy(ids[i], r.id, FORMAT_ID_SIZE);
		if (i % 2 == 1)
			journal_close(j);
	}
}

static const char *
segment(const char *dir, int number)
{
	return scratch_path("%s/%010d.segment", dir, number);
}

static void
a_whole_one_is_right(const char *dir)
{
	char ids[6][FORMAT_ID_SIZE];
	struct verify v;

	make(dir, ids);
	v = verify(dir, NULL);
	assert_string_equal(told[VERIFY_WRONG], "");
	assert_string_equal(told[VERIFY_NOTE], "");
	assert_int_equal(v.segments, 3);
	assert_int_equal(v.messages, 5);
	assert_int_equal(v.again, 1);
	v = verify(dir, &v.head);
	assert_int_equal(v.wrong, 0);
}

static void
one_bit_anywhere_is_seen(const char *dir)
{
	static char data[8192];
	char ids[6][FORMAT_ID_SIZE];

	make(dir, ids);
	for (int number = 1; number <= 3; number++) {
		const char *path = segment(dir, number);
		const ssize_t n = scratch_read(path, data, sizeof(data));

		assert_true(n > FORMAT_SEGMENT_HEADER);
		for (ssize_t i = 0; i < n; i++) {
			const char was = data[i];
			const char now = (char)(was ^ 1 << i % 8);
			int fd = open(path, O_WRONLY);

			assert_int_equal(pwrite(fd, &now, 1, i), 1);
			if (verify(dir, NULL).wrong == 0)
				fail_msg("segment %d, %zd", number, i);
			assert_int_equal(pwrite(fd, &was, 1, i), 1);
			close(fd);
		}
	}
	is_right(dir);
}

/* Cut after each byte: the last segment at the end of a record is what only a
 * kept head can tell. */
static void
every_cut_is_seen(const char *dir)
{
	static char data[8192];
	char ids[6][FORMAT_ID_SIZE];
	struct format_head head;
	size_t clean = 0;

	make(dir, ids);
	head = verify(dir, NULL).head;
	for (int number = 1; number <= 3; number++) {
		const char *path = segment(dir, number);
		const ssize_t n = scratch_read(path, data, sizeof(data));

		for (ssize_t cut = 0; cut < n; cut++) {
			struct verify v;

			scratch_write(path, data, (size_t)cut);
			v = verify(dir, &head);
			if (v.wrong == 0)
				fail_msg("segment %d, %zd", number, cut);
			clean += verify(dir, NULL).wrong == 0;
		}
		scratch_write(path, data, (size_t)n);
	}
	assert_int_equal(clean, 2);	/* before the fifth and the sixth */
	is_right(dir);
}

static void
records_that_changed_places_are_seen(const char *dir)
{
	static char data[8192], swapped[8192];
	char ids[6][FORMAT_ID_SIZE];
	struct format_place a, b;
	struct verify v;
	ssize_t n;

	make(dir, ids);
	n = scratch_read(segment(dir, 1), data, sizeof(data));
	assert_true(format_place(ids[0], &a) && format_place(ids[1], &b));
	memcpy(swapped, data, a.offset);
	memcpy(swapped + a.offset, data + b.offset, (size_t)n - b.offset);
	memcpy(swapped + a.offset + (size_t)n - b.offset, data + a.offset,
	       b.offset - a.offset);
	scratch_write(segment(dir, 1), swapped, (size_t)n);
	assert_true(verify(dir, NULL).wrong > 0);
	/* The second one cut out. */
	scratch_write(segment(dir, 1), data, b.offset);
	v = verify(dir, NULL);
	assert_true(v.wrong > 0);
}

/* Cut out, and what is behind it moved up. */
static void
a_record_cut_out_is_seen(const char *dir)
{
	static char data[8192];
	char ids[6][FORMAT_ID_SIZE];
	struct format_place a, b;
	ssize_t n;

	make(dir, ids);
	n = scratch_read(segment(dir, 1), data, sizeof(data));
	assert_true(format_place(ids[0], &a) && format_place(ids[1], &b));
	memmove(data + a.offset, data + b.offset, (size_t)n - b.offset);
	n -= (ssize_t)(b.offset - a.offset);
	scratch_write(segment(dir, 1), data, (size_t)n);
	assert_true(verify(dir, NULL).wrong > 0);
}

/* One that stands where another stood, with a place and CRCs that are right.
 * Its bytes are as they were: the chain alone tells. */
static void
put_at(char *out, struct format_place to, const char *in,
       struct format_place from)
{
	uint8_t header[FORMAT_RECORD_HEADER];
	struct format_record r;

	memcpy(header, in + from.offset, sizeof(header));
	assert_null(format_get_record(header, &r));
	memcpy(out + to.offset, in + from.offset, format_record_size(&r));
	r.place = to;
	format_put_record(&r, header);
	memcpy(out + to.offset, header, sizeof(header));
}

static void
places_made_anew_are_seen(const char *dir)
{
	static char data[8192], swapped[8192];
	struct journal *j = open_journal(dir);
	struct format_place p[3];
	ssize_t n;

	for (uint8_t i = 0; i < 3; i++)
		assert_true(format_place(add(j, i + 1, i, "A: b\r\n\r\nc").id,
					 &p[i]));
	journal_close(j);
	is_right(dir);
	n = scratch_read(segment(dir, 1), data, sizeof(data));
	assert_true(n > 0);
	/* The second is the first again; then both have changed places. */
	memcpy(swapped, data, sizeof(data));
	put_at(swapped, p[1], data, p[0]);
	scratch_write(segment(dir, 1), swapped, (size_t)n);
	assert_true(verify(dir, NULL).wrong > 0);
	put_at(swapped, p[0], data, p[1]);
	scratch_write(segment(dir, 1), swapped, (size_t)n);
	assert_true(verify(dir, NULL).wrong > 0);
}

/* A record that was made anew with CRCs that are right. */
static void
a_forged_record_breaks_the_chain(const char *dir)
{
	static char data[8192];
	char ids[6][FORMAT_ID_SIZE];
	struct format_place p;
	struct format_record r;
	uint8_t header[FORMAT_RECORD_HEADER];
	ssize_t n;
	int fd;

	make(dir, ids);
	assert_true(format_place(ids[0], &p));
	n = scratch_read(segment(dir, 1), data, sizeof(data));
	assert_true(n > 0);
	memcpy(header, data + p.offset, sizeof(header));
	assert_null(format_get_record(header, &r));
	r.time_us += 3600;
	format_put_record(&r, header);
	fd = open(segment(dir, 1), O_WRONLY);
	assert_int_equal(pwrite(fd, header, sizeof(header), (off_t)p.offset),
			 sizeof(header));
	close(fd);
	assert_true(verify(dir, NULL).wrong > 0);
	assert_non_null(strstr(told[VERIFY_WRONG], "the chain is broken"));
}

static void
segments_that_are_gone_are_seen(const char *dir)
{
	char ids[6][FORMAT_ID_SIZE];
	struct format_head head;

	make(dir, ids);
	head = verify(dir, NULL).head;
	for (int number = 1; number <= 2; number++) {
		const char *away = scratch_path("%s/away", dir);

		assert_int_equal(rename(segment(dir, number), away), 0);
		assert_true(verify(dir, NULL).wrong > 0);
		assert_true(verify(dir, &head).wrong > 0);
		assert_int_equal(rename(away, segment(dir, number)), 0);
	}
	/* Of the last one only a head knows. */
	unlink(segment(dir, 3));
	assert_int_equal(verify(dir, NULL).wrong, 0);
	assert_true(verify(dir, &head).wrong > 0);
}

static int
damage_read(const char *dir)
{
	static struct archive a;
	struct format_record r;
	const char *metadata;
	enum archive_found found;
	int n = 0;

	assert_int_equal(archive_open(&a, dir, &e), 0);
	while ((found = archive_next(&a, &r, &metadata, &e)) != ARCHIVE_END) {
		assert_true(found != ARCHIVE_FAILED);
		n += found == ARCHIVE_DAMAGED;
	}
	archive_close(&a);
	return n;
}

/* Not only verify: a list that is short says so. */
static void
readers_tell_what_is_missing(const char *dir)
{
	char ids[6][FORMAT_ID_SIZE];
	struct format_place p;

	make(dir, ids);
	assert_int_equal(damage_read(dir), 0);
	assert_true(format_place(ids[3], &p));
	assert_int_equal(truncate(segment(dir, 2), (off_t)p.offset), 0);
	assert_int_equal(damage_read(dir), 1);
	assert_non_null(strstr(e.text, "segment 2 ends at"));
	unlink(segment(dir, 2));
	assert_int_equal(damage_read(dir), 1);
	assert_string_equal(e.text, "segments 2 to 2 are missing");
}

static void
another_archives_segment_is_seen(const char *dir)
{
	static char data[8192];
	char ids[6][FORMAT_ID_SIZE];
	const char *other = scratch_path("%s/other", dir);
	ssize_t n;

	make(dir, ids);
	assert_int_equal(mkdir(other, 0700), 0);
	make(other, ids);
	n = scratch_read(segment(other, 2), data, sizeof(data));
	scratch_write(segment(dir, 2), data, (size_t)n);
	assert_true(verify(dir, NULL).wrong > 0);
	assert_non_null(strstr(told[VERIFY_WRONG], "another archive"));
	/* Renamed, it is not where it says. */
	n = scratch_read(segment(other, 1), data, sizeof(data));
	scratch_write(segment(dir, 2), data, (size_t)n);
	assert_true(verify(dir, NULL).wrong > 0);
}

static void
a_kept_head_is_met_later(const char *dir)
{
	char ids[6][FORMAT_ID_SIZE];
	struct format_head head, other;
	struct journal *j = open_journal(dir);

	add(j, 1, 0, "x");
	head = verify(dir, NULL).head;
	other = head;
	other.chain[0] ^= 1;
	add(j, 1, 0, "y");
	journal_close(j);
	make(dir, ids);
	assert_int_equal(verify(dir, &head).wrong, 0);
	assert_int_equal(verify(dir, &other).wrong, 1);
	other = head;
	other.uuid[0] ^= 1;
	assert_true(verify(dir, &other).wrong > 0);
}

static void
an_unfinished_append_is_told(const char *dir)
{
	char ids[6][FORMAT_ID_SIZE];
	FILE *f;
	struct journal *j;

	make(dir, ids);
	f = fopen(segment(dir, 3), "ab");
	fputs("FMXR\1\1 and no more", f);
	fclose(f);
	assert_int_equal(verify(dir, NULL).wrong, 1);
	j = open_journal(dir);
	add(j, 1, 0, "more");
	journal_close(j);
	is_right(dir);
	assert_non_null(strstr(told[VERIFY_NOTE], "behind its end"));
}

static void
erased_bytes_are_gone_and_explained(const char *dir)
{
	static char data[65536];
	const struct maintain m = { .dir = dir, .now_us = 99 };
	static struct archive a;
	struct format_record r;
	const char *metadata;
	char ids[6][FORMAT_ID_SIZE];
	bool already = true;
	struct format_head head;

	options.level = -1;
	make(dir, ids);
	options.level = 0;
	head = verify(dir, NULL).head;
	assert_int_equal(maintain_erase(&m, ids[1], "asked for", &already,
					&e), 0);
	assert_false(already);
	assert_int_equal(maintain_erase(&m, ids[1], "again", &already, &e), 0);
	assert_true(already);
	is_right(dir);
	assert_int_equal(verify(dir, &head).wrong, 0);
	assert_int_equal(verify(dir, NULL).erased, 1);
	assert_true(scratch_read(segment(dir, 1), data, sizeof(data)) > 0);
	assert_null(memmem(data, sizeof(data), "two two", 7));
	has(dir, ids[0], "A: b\r\n\r\none");
	assert_int_equal(archive_open(&a, dir, &e), 0);
	assert_int_equal(archive_find(&a, ids[1], &r, &metadata, &e), 0);
	assert_int_equal(r.state, FORMAT_ERASED);
	assert_string_equal(metadata, "{\"a\":1}");
	assert_null(archive_payload(&a, &r, &e));
	assert_int_equal(e.code, EX_UNAVAILABLE);
	archive_close(&a);
	/* The record of it taken away. */
	unlink(segment(dir, 4));
	assert_true(verify(dir, NULL).wrong > 0);
	assert_non_null(strstr(told[VERIFY_WRONG], "no record says why"));
}

static void
what_cannot_be_erased_is_said(const char *dir)
{
	const struct maintain m = { .dir = dir, .now_us = 99 };
	char ids[6][FORMAT_ID_SIZE];
	bool already;

	make(dir, ids);
	assert_int_equal(maintain_erase(&m, ids[3], "x", &already, &e), -1);
	assert_int_equal(e.code, EX_DATAERR);
	assert_non_null(strstr(e.text, ids[2]));
	assert_int_equal(maintain_erase(&m, "nonsense", "x", &already, &e),
			 -1);
	assert_int_equal(e.code, EX_USAGE);
	assert_int_equal(scratch_entries(dir), 5);
}

/* A journal that is open meanwhile goes on, and does not refer to bytes that
 * are gone. */
static void
a_writer_goes_on_after_an_erasure(const char *dir)
{
	const struct maintain m = { .dir = dir, .now_us = 99 };
	struct journal *j = open_journal(dir);
	const struct journal_receipt first = add(j, 1, 7, "the same");
	struct journal_receipt r;
	bool already;

	assert_int_equal(maintain_erase(&m, first.id, "x", &already, &e), 0);
	r = add(j, 2, 7, "the same");
	assert_false(r.again);
	has(dir, r.id, "the same");
	journal_close(j);
	is_right(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(a_whole_one_is_right),
		plain_unit_test(one_bit_anywhere_is_seen),
		plain_unit_test(every_cut_is_seen),
		plain_unit_test(records_that_changed_places_are_seen),
		plain_unit_test(a_record_cut_out_is_seen),
		plain_unit_test(places_made_anew_are_seen),
		plain_unit_test(a_forged_record_breaks_the_chain),
		plain_unit_test(segments_that_are_gone_are_seen),
		plain_unit_test(readers_tell_what_is_missing),
		plain_unit_test(another_archives_segment_is_seen),
		plain_unit_test(a_kept_head_is_met_later),
		plain_unit_test(an_unfinished_append_is_told),
		plain_unit_test(erased_bytes_are_gone_and_explained),
		plain_unit_test(what_cannot_be_erased_is_said),
		plain_unit_test(a_writer_goes_on_after_an_erasure),
	};

	return cmocka_run_group_tests_name("journal-verify", tests, NULL,
					   NULL);
}
