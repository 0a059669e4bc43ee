#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "scratch.h"
#include "sync/spool.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void
sha(const void *data, size_t n, uint8_t digest[HASH_SIZE])
{
	struct hash h = { .ctx = NULL };

	hash_begin(&h);
	hash_add(&h, data, n);
	hash_end(&h, digest);
	hash_free(&h);
}

/* The slow way: bytes one by one. */
static size_t
without_cr(const char *in, size_t n, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (in[i] != '\r' || i + 1 == n || in[i + 1] != '\n')
			out[at++] = in[i];
	return at;
}

/* Where the body begins: behind the first line that is empty. */
static size_t
body_at(const char *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && in[i - 1] != '\n')
			continue;
		if (in[i] == '\n')
			return i + 1;
		if (in[i] == '\r' && i + 1 < n && in[i + 1] == '\n')
			return i + 2;
	}
	return n;
}

static void
measured_right(const struct spool *r, const char *data, size_t n,
	       const struct spooler *s)
{
	const uint8_t none[HASH_SIZE] = { 0 };
	const size_t body = body_at(data, n);
	char *content = malloc(n + 1);
	uint8_t digest[HASH_SIZE];
	size_t content_n = n;

	assert_non_null(content);
	assert_int_equal(r->size, n);
	sha(data, n, digest);
	assert_memory_equal(r->object, s->identify || s->verbatim ? digest
			    : none, HASH_SIZE);
	sha(data + body, n - body, digest);
	assert_memory_equal(r->body, digest, HASH_SIZE);
	if (s->verbatim)
		memcpy(content, data, n);
	else
		content_n = without_cr(data, n, content);
	assert_int_equal(r->content_size, content_n);
	sha(content, content_n, digest);
	assert_memory_equal(r->content, digest, HASH_SIZE);
	free(content);
}

/* Spools n bytes in pieces and compares with what is slow and sure. */
static void
spool_in_pieces(struct spooler *s, const char *data, size_t n, size_t piece,
		struct spool *r)
{
	struct err e = { .text = "" };

	assert_int_equal(spool_begin(s, n, &e), 0);
	for (size_t at = 0; at < n; at += piece)
		assert_int_equal(spool_add(s, data + at, n - at < piece
					   ? n - at : piece, &e), 0);
	assert_int_equal(spool_end(s, r, &e), 0);
	measured_right(r, data, n, s);
}

struct shape {
	const char *text;
	size_t n;
};

#define SHAPE(text) { text, sizeof(text) - 1 }

static const struct shape shapes[] = {
	SHAPE(""),
	SHAPE("\n"),
	SHAPE("\r\n"),
	SHAPE("\r"),
	SHAPE("\r\r\n"),
	SHAPE("\n\n"),
	SHAPE("\r\n\r\n"),
	SHAPE("\nbody without header"),
	SHAPE("\r\nbody without header\r\n"),
	SHAPE("A: b"),
	SHAPE("A: b\r\n"),
	SHAPE("A: b\n"),
	SHAPE("A: b\r"),
	SHAPE("A: b\r\n\r"),
	SHAPE("A: b\r\n\rx\r\n\r\nbody"),
	SHAPE("A: b\r\n\r\n"),
	SHAPE("A: b\n\n"),
	SHAPE("A: b\r\n\n"),
	SHAPE("A: b\n\r\n"),
	SHAPE("A: b\r\r\n\r\nbody"),
	SHAPE("A: b\r\n\r\r\n\r\nbody"),
	SHAPE("A: b\r\n \r\n\r\nbody"),
	SHAPE("A: b\r\n\r\nbody\r\n\r\nmore\r\n"),
	SHAPE("A: b\n\nbody\n\nmore"),
	SHAPE("A: b\r\n\r\n\r\n\r\n"),
	SHAPE("A: b\r\n\r\nlone\rcr and\nlf\r"),
	SHAPE("A: \0\r\n\r\n\0\xff\r\n"),
	SHAPE("\r\n\r\n\n\r\n"),
};

static const size_t pieces[] = { 1, 2, 3, 5, 1000 };

static void
every_shape_in_all_pieces(struct spooler *s)
{
	for (size_t i = 0; i < COUNT(shapes); i++)
		for (size_t k = 0; k < COUNT(pieces); k++) {
			const struct shape *t = &shapes[i];
			struct spool r;

			ROW(t->text);
			spool_in_pieces(s, t->text, t->n, pieces[k], &r);
			assert_int_equal(r.fd >= 0, s->dir != NULL);
			fsio_close(&r.fd);
		}
}

static void
hashes_every_shape(const char *dir)
{
	static struct spooler s;

	s.dir = dir;
	every_shape_in_all_pieces(&s);
	s.identify = true;
	every_shape_in_all_pieces(&s);
	s.verbatim = true;
	every_shape_in_all_pieces(&s);
	spooler_free(&s);
}

static void
measures_only(const char *dir)
{
	static struct spooler s;
	int before = scratch_descriptors();

	every_shape_in_all_pieces(&s);
	assert_int_equal(scratch_descriptors(), before);
	assert_int_equal(scratch_entries(dir), 0);
	spooler_free(&s);
}

/* Like a mail of that size: lines, CRLF at every place in a piece. */
static char *
large(size_t n)
{
	char *data = malloc(n + 1);

	assert_non_null(data);
	for (size_t i = 0; i < n; i++)
		data[i] = i % 77 == 76 ? '\n' : i % 77 == 75 ? '\r'
			  : (char)('a' + i * 31 % 26);
	memcpy(data + n / 3 / 77 * 77, "\r\n", 2);
	return data;
}

static const size_t sizes[] = {
	16383, 16384, 16385, 65535, 65536, 65537, SPOOL_MEMORY_MAX - 1,
	SPOOL_MEMORY_MAX, SPOOL_MEMORY_MAX + 1, 3 * SPOOL_MEMORY_MAX,
};

static void
holds(int fd, const char *data, size_t n)
{
	char *got = malloc(n + 1);

	assert_non_null(got);
	assert_int_equal(fsio_pread(fd, got, n + 1, 0), n);
	assert_memory_equal(got, data, n);
	free(got);
}

static void
holds_the_bytes_read_only(const char *dir)
{
	static struct spooler s;

	s.dir = dir;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const size_t n = sizes[i];
		char *data = large(n);
		struct spool r;

		printf("# %zu\n", n);
		spool_in_pieces(&s, data, n, i % 2 ? SPOOL_CHUNK : n, &r);
		holds(r.fd, data, n);
		assert_int_equal(fcntl(r.fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(pwrite(r.fd, "x", 1, 0), -1);
		assert_int_equal(pwrite(r.fd, "x", 1, (off_t)n), -1);
		assert_int_equal(ftruncate(r.fd, 0), -1);
		if (n > SPOOL_MEMORY_MAX)
			assert_int_equal(fcntl(r.fd, F_GETFL) & O_ACCMODE,
					 O_RDONLY);
		else
			assert_int_equal(fcntl(r.fd, F_GET_SEALS), SEALS);
		holds(r.fd, data, n);
		/* The file has no name. */
		assert_int_equal(scratch_entries(dir), 0);
		close(r.fd);
		free(data);
	}
	spooler_free(&s);
}

/* The source's word decides only about the place. */
static void
a_wrong_size_does_no_harm(const char *dir)
{
	static struct spooler s;
	struct err e = { .text = "" };
	struct spool r;

	s.dir = dir;
	for (int way = 0; way < 2; way++) {
		assert_int_equal(spool_begin(&s, way ? UINT64_MAX : 0, &e), 0);
		assert_int_equal(spool_add(&s, "A: b\r\n\r\nc", 9, &e), 0);
		assert_int_equal(spool_end(&s, &r, &e), 0);
		measured_right(&r, "A: b\r\n\r\nc", 9, &s);
		holds(r.fd, "A: b\r\n\r\nc", 9);
		close(r.fd);
	}
	spooler_free(&s);
}

static void
gives_up_what_is_in_work(const char *dir)
{
	static struct spooler s;
	int before = scratch_descriptors();
	struct err e = { .text = "" };
	struct spool r;

	s.dir = dir;
	for (int way = 0; way < 2; way++) {
		assert_int_equal(spool_begin(&s, way ? 1 << 24 : 1, &e), 0);
		assert_int_equal(spool_add(&s, "A: given up\r\n\r\nx", 16, &e),
				 0);
		assert_int_equal(scratch_descriptors(), before + 1);
		spool_cancel(&s);
		spool_cancel(&s);
		assert_int_equal(scratch_descriptors(), before);
		spool_in_pieces(&s, "A: b\n\nc", 7, 2, &r);
		spool_cancel(&s);
		holds(r.fd, "A: b\n\nc", 7);
		close(r.fd);
	}
	spooler_free(&s);
}

static void
nothing_is_given_up_before_the_first(const char *dir)
{
	static struct spooler s;

	s.dir = dir;
	assert_int_equal(dup2(STDERR_FILENO, 0), 0);
	spool_cancel(&s);
	assert_true(fcntl(0, F_GETFD) >= 0);
	spooler_free(&s);
}

static void
a_missing_place_is_told(const char *dir)
{
	static struct spooler s;
	struct err e = { .kind = ERR_STOP };
	int before = scratch_descriptors();

	s.dir = scratch_path("%s/missing", dir);
	assert_int_equal(spool_begin(&s, SPOOL_MEMORY_MAX + 1, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "/missing"));
	spool_cancel(&s);
	assert_int_equal(scratch_descriptors(), before);
	spooler_free(&s);
}

static void
a_place_without_room_is_told(const char *dir)
{
	const struct rlimit small = { 4096, 4096 };
	static struct spooler s;
	static char data[8192];
	struct err e = { .kind = ERR_STOP };

	s.dir = dir;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(spool_begin(&s, SPOOL_MEMORY_MAX + 1, &e), 0);
	assert_int_equal(spool_add(&s, data, sizeof(data), &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	spool_cancel(&s);
	spooler_free(&s);
}

static void
knows_what_ses_wrote(const char *dir)
{
	static const char mail[] =
		"Return-Path: <sender@example.net>\r\n"
		"Received: from mx.example.net (mx.example.net [192.0.2.7])\r\n"
		" by inbound-smtp.us-east-1.amazonaws.com with SMTP id"
		" abc123\r\n"
		" for alice@example.com;\r\n"
		" Fri, 27 Jan 2023 12:19:20 +0000 (UTC)\r\n"
		"Message-ID: <1@example.net>\r\n\r\nbody\r\n";
	static struct spooler s;
	struct spool r;

	s.dir = dir;
	for (size_t piece = 1; piece < 400; piece += 57) {
		spool_in_pieces(&s, mail, sizeof(mail) - 1, piece, &r);
		close(r.fd);
		assert_true(r.received.found);
		assert_string_equal(r.received.id, "abc123");
		assert_string_equal(r.received.recipient, "alice@example.com");
		assert_true(r.received.arrival == 1674821960);
		assert_string_equal(r.message_id, "<1@example.net>");
		/* Nothing of it stays for the next one. */
		spool_in_pieces(&s, "A: b\n\nc", 7, piece, &r);
		close(r.fd);
		assert_false(r.received.found);
		assert_string_equal(r.message_id, "");
	}
	spooler_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(hashes_every_shape),
		plain_unit_test(measures_only),
		plain_unit_test(holds_the_bytes_read_only),
		plain_unit_test(a_wrong_size_does_no_harm),
		plain_unit_test(gives_up_what_is_in_work),
		plain_unit_test(nothing_is_given_up_before_the_first),
		plain_unit_test(a_missing_place_is_told),
		plain_unit_test(a_place_without_room_is_told),
		plain_unit_test(knows_what_ses_wrote),
	};

	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
