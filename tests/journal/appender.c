/*
 * appender - archives messages from many threads, as sessions of a milter
 * would, and prints a line for each one when it is on the disk:
 *
 *	ID SHA256 BYTES NUMBER [again FIRST]
 *
 * Messages are made of their number; with files on the command line they are
 * those files. A failure is a line "failed NUMBER full|later WHY". The last
 * line tells the counts.
 */
#include <config.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "lib/base/arena.h"
#include "lib/base/option.h"
#include "lib/base/text.h"
#include "lib/journal/journal.h"

#define MADE_MAX ((size_t)200000)

struct arguments {
	int threads, count, size, level, segment_kib, free_mib, twice, days;
	bool help, keep_on;
};

#define FIELD(name) .offset = offsetof(struct arguments, name)
#define NUMBER(word, field, least, most)                                       \
	{ .name = word, .argument = "N", .kind = OPTION_INTEGER, .min = least, \
	  .max = most, FIELD(field), .help = "see the code" }

static const struct option_row rows[] = {
	NUMBER("threads", threads, 1, 200),
	NUMBER("count", count, 1, 10000000),
	NUMBER("size", size, 0, 100000000),
	NUMBER("level", level, -1, 19),
	NUMBER("segment-kib", segment_kib, 1, 65536),
	NUMBER("free-mib", free_mib, 1, 1000000),
	NUMBER("twice", twice, 0, 1000000),
	NUMBER("days", days, 0, 100000),
	{ .name = "keep-on", FIELD(keep_on), .help = "after a failure" },
	{ .name = "help", FIELD(help), .help = "print this and end" },
	{ .name = NULL }
};

static struct arguments given = { .threads = 1, .count = 100, .size = 2000 };
static char **files;
static int files_n;
static struct journal *journal;
static atomic_int next_number, failures;

static char *
read_file(const char *path, size_t *n_r)
{
	FILE *f = fopen(path, "rb");
	char *data = NULL;
	size_t n = 0, got;

	if (f == NULL) {
		perror(path);
		exit(EX_NOINPUT);
	}
	do {
		data = mem_grow(data, n + 65536, 1);
		got = fread(data + n, 1, 65536, f);
		n += got;
	} while (got > 0);
	fclose(f);
	*n_r = n;
	return data;
}

/* Words that a packer likes, of a length that differs. */
static char *
make_message(int number, size_t *n_r)
{
	const size_t base = (size_t)given.size;
	const size_t n = base / 2 + (size_t)number * 7919 % (base + 1);
	char *data = mem_alloc(n + 256);
	uint64_t x = (uint64_t)number * 2862933555777941757u + 3037000493u;
	size_t at = (size_t)snprintf(data, 256, "From: <s%d@example.net>\r\n"
		"To: <r%d@example.com>\r\nSubject: number %d\r\n"
		"Message-ID: <%d@example.net>\r\n\r\n", number % 10,
		number % 100, number, number);

	for (const size_t end = at + n; at < end; at++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		data[at] = at % 76 == 75 ? '\n' : "etaoin shrdlu"[x >> 33 &
			   7];
	}
	*n_r = at;
	return data;
}

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((int64_t)t.tv_sec - (int64_t)given.days * 86400) * 1000000 +
	       t.tv_nsec / 1000;
}

static void
hash_of(const void *data, size_t n, uint8_t hash[HASH_SIZE])
{
	struct hash h = { .ctx = NULL };

	hash_begin(&h);
	hash_add(&h, data, n);
	hash_end(&h, hash);
	hash_free(&h);
}

static void
archive(int number, const char *data, size_t n)
{
	/* In three pieces, as a milter has header, separator and body. */
	const struct payload_piece pieces[] = {
		{ data, n / 3 }, { data + n / 3, 0 },
		{ data + n / 3, n - n / 3 },
	};
	uint8_t hash[HASH_SIZE];
	char hex[2 * HASH_SIZE + 1], metadata[1024];
	struct journal_entry m = {
		.time_us = now_us(), .key = hash, .metadata = metadata,
		.pieces = pieces, .pieces_n = 3,
	};
	struct journal_receipt r;
	struct err e;

	hash_of(data, n, hash);
	text_hex(hex, hash, HASH_SIZE);
	m.metadata_n = (size_t)snprintf(metadata, sizeof(metadata),
		"{\"queue_id\":\"4b%06X\",\"client\":{\"address\":"
		"\"192.0.2.%d\",\"name\":\"mx.example.net\"},\"helo\":"
		"\"mx.example.net\",\"envelope\":{\"from\":{\"address\":"
		"\"s%d@example.net\",\"parameters\":[\"SIZE=%zu\"]},"
		"\"recipients\":[{\"address\":\"r%d@example.com\"}]},"
		"\"number\":%d}", (unsigned)number, number % 250, number % 10,
		n, number % 100, number);
	if (journal_append(journal, &m, &r, &e) < 0) {
		printf("failed %d %s %s\n", number, r.full ? "full" : "later",
		       e.text);
		atomic_fetch_add(&failures, 1);
		return;
	}
	printf("%s %s %zu %d%s%s\n", r.id, hex, n, number,
	       r.again ? " again " : "", r.again ? r.first : "");
}

static void *
work(void *unused)
{
	const int count = files_n > 0 ? files_n : given.count;

	for (;;) {
		const int number = atomic_fetch_add(&next_number, 1);
		/* The message that came again is an earlier one. */
		const int of = given.twice > 0 && number % given.twice ==
			given.twice - 1 ? number - given.twice / 2 : number;
		size_t n;
		char *data;

		if (number >= count || (atomic_load(&failures) > 0 &&
					!given.keep_on))
			return unused;
		data = files_n > 0 ? read_file(files[number], &n)
		       : make_message(of, &n);
		archive(number, data, n);
		free(data);
	}
}

static void
tell_counts(void)
{
	struct journal_counts c;

	journal_count(journal, &c);
	printf("counts messages=%llu again=%llu flushes=%llu groups=%llu "
	       "segments=%llu failed=%llu raw=%llu stored=%llu\n",
	       (unsigned long long)c.messages, (unsigned long long)c.again,
	       (unsigned long long)c.flushes, (unsigned long long)c.groups,
	       (unsigned long long)c.segments, (unsigned long long)c.failed,
	       (unsigned long long)c.raw_bytes,
	       (unsigned long long)c.stored_bytes);
}

int
main(int argc, char **argv)
{
	struct journal_options o = { .level = 0 };
	pthread_t threads[200];
	struct err e;
	int first;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (option_parse(rows, &given, argc, argv, &first, &e) != 0 ||
	    argc - first < 1) {
		fprintf(stderr, "appender: expected DIR [FILE...]\n");
		return EX_USAGE;
	}
	files = argv + first + 1;
	files_n = argc - first - 1;
	o.level = given.level;
	o.segment_bytes = (uint64_t)given.segment_kib << 10;
	o.free_bytes = (uint64_t)given.free_mib << 20;
	if (journal_open(argv[first], &o, &journal, &e) < 0) {
		fprintf(stderr, "appender: %s\n", e.text);
		return e.code ? e.code : EX_TEMPFAIL;
	}
	if (*journal_found(journal) != '\0')
		fprintf(stderr, "appender: %s\n", journal_found(journal));
	for (int i = 0; i < given.threads; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			abort();
	for (int i = 0; i < given.threads; i++)
		pthread_join(threads[i], NULL);
	tell_counts();
	if (journal_seal(journal, now_us(), &e) < 0)
		fprintf(stderr, "appender: %s\n", e.text);
	journal_close(journal);
	return atomic_load(&failures) > 0 ? EX_TEMPFAIL : EX_OK;
}
