#include <config.h>

#include "journal-help.h"

struct journal_options options = { .free_bytes = 1 };
struct err e;

struct journal *
open_journal(const char *dir)
{
	struct journal *j = NULL;
	const int ret = journal_open(dir, &options, &j, &e);

	if (ret < 0)
		fail_msg("%s", e.text);
	return j;
}

/* Appends text; key is one byte repeated, 0: none. */
struct journal_receipt
add(struct journal *j, int64_t time_us, uint8_t key, const char *text)
{
	const struct payload_piece piece = { text, strlen(text) };
	uint8_t bytes[HASH_SIZE];
	const struct journal_entry m = {
		.time_us = time_us, .key = key ? bytes : NULL,
		.metadata = "{\"a\":1}", .metadata_n = 7,
		.pieces = &piece, .pieces_n = 1,
	};
	struct journal_receipt r;

	memset(bytes, key, sizeof(bytes));
	if (journal_append(j, &m, &r, &e) < 0)
		fail_msg("%s", e.text);
	return r;
}

char *
bytes_of(struct archive *a, const struct format_record *r, size_t *n_r)
{
	struct payload_reader *p = archive_payload(a, r, &e);
	char *all = malloc(r->raw_n + 1);
	const void *data;
	ssize_t got;

	*n_r = 0;
	assert_non_null(all);
	assert_non_null(p);
	while ((got = payload_next(p, &data, &e)) > 0) {
		memcpy(all + *n_r, data, (size_t)got);
		*n_r += (size_t)got;
	}
	if (got < 0)
		fail_msg("%s", e.text);
	assert_int_equal(*n_r, r->raw_n);
	payload_close(p);
	return all;
}

void
has(const char *dir, const char *id, const char *text)
{
	static struct archive a;
	struct format_record r;
	const char *metadata;
	char *all;
	size_t n;

	if (archive_open(&a, dir, &e) < 0 ||
	    archive_find(&a, id, &r, &metadata, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(metadata, "{\"a\":1}");
	all = bytes_of(&a, &r, &n);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(all, text, n);
	free(all);
	archive_close(&a);
}

/* Records that can be read; all of them, or to the first damage. */
size_t
count_records(const char *dir)
{
	static struct archive a;
	struct format_record r;
	const char *metadata;
	size_t n = 0;

	if (archive_open(&a, dir, &e) < 0)
		return 0;
	while (archive_next(&a, &r, &metadata, &e) == ARCHIVE_RECORD)
		n++;
	archive_close(&a);
	return n;
}
