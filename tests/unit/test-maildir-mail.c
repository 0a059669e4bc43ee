#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fsio.h"
#include "maildir-help.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define STAGE "m/" DELIVERY_STAGE
#define ADDED "Delivered-To: a@b\nX-FallbackMX: route=fallback\n"

struct stored {
	const char *in;
	size_t n;
	const char *out;	/* unless verbatim */
	size_t out_n;
};

#define TEXT(in, out) { in, sizeof(in) - 1, out, sizeof(out) - 1 }

static const struct stored mails[] = {
	TEXT("", ""),
	TEXT("A: b\r\n\r\nbody\r\n", "A: b\n\nbody\n"),
	TEXT("A: b\n\nbody\n", "A: b\n\nbody\n"),
	TEXT("no final\r\nnewline", "no final\nnewline"),
	TEXT("lone\rcr\r", "lone\rcr\r"),
	TEXT("\r\r\n\n\r", "\r\n\n\r"),
	TEXT("nul\0byte\r\n\xff\r\n", "nul\0byte\n\xff\n"),
};

static struct delivery_request
request(const char *name, uint64_t size, uint32_t flags, const char *added)
{
	struct delivery_request q = {
		.size = size, .flags = flags, .mtime = 1674821960,
		.added = (uint32_t)strlen(added),
	};

	memcpy(q.name, name, strlen(name) + 1);
	return q;
}

/* Puts it and compares the staged file. */
static void
put_and_compare(struct maildir *m, const char *dir, const struct stored *t,
		const char *added, bool verbatim)
{
	const struct delivery_request q =
		request(NAME_A, t->n, verbatim ? DELIVERY_VERBATIM : 0, added);
	const size_t n = strlen(added) + (verbatim ? t->n : t->out_n);
	struct err e = { .text = "" };
	uint64_t size = 0;
	char got[512];
	int fd = object(t->in, t->n);

	if (maildir_put(m, &q, added, fd, &size, &e) < 0)
		fail_msg("%s", e.text);
	close(fd);
	assert_int_equal(size, n);
	assert_int_equal(scratch_read(scratch_path("%s/" STAGE "/" NAME_A,
						   dir), got, sizeof(got)), n);
	assert_memory_equal(got, added, strlen(added));
	assert_memory_equal(got + strlen(added), verbatim ? t->in : t->out,
			    n - strlen(added));
}

static void
stores_the_bytes(const char *dir)
{
	struct maildir m;

	open_new(&m, dir);
	for (size_t i = 0; i < COUNT(mails); i++) {
		ROW(mails[i].in);
		put_and_compare(&m, dir, &mails[i], "", false);
		put_and_compare(&m, dir, &mails[i], "", true);
		put_and_compare(&m, dir, &mails[i], ADDED, false);
	}
	/* The same name again and again is one file. */
	assert_int_equal(listed(&m, true, NULL), 1);
	maildir_close(&m);
}

/* A mail of n bytes with a CRLF across each border of a piece. */
static char *
large(size_t n, size_t piece)
{
	char *data = malloc(n);

	assert_non_null(data);
	for (size_t i = 0; i < n; i++)
		data[i] = i % piece == piece - 1 ? '\r'
			  : i % piece == 0 && i > 0 ? '\n' : 'a';
	return data;
}

static const size_t sizes[] = {
	131071, 131072, 131073, 262143, 262144, 262145, 1500000,
};

static void
stores_large_mail(const char *dir)
{
	struct maildir m;

	open_new(&m, dir);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const size_t n = sizes[i], piece = 131072;
		const size_t pairs = (n - 1) / piece;
		const struct delivery_request q = request(NAME_A, n, 0, ADDED);
		char *data = large(n, piece), *got = malloc(n + 64);
		struct err e = { .text = "" };
		int fd = object(data, n);
		uint64_t size = 0;
		size_t at = strlen(ADDED);

		assert_non_null(got);
		assert_int_equal(maildir_put(&m, &q, ADDED, fd, &size, &e), 0);
		close(fd);
		assert_int_equal(size, at + n - pairs);
		assert_int_equal(scratch_read(scratch_path("%s/" STAGE "/"
				NAME_A, dir), got, n + 64), size);
		for (size_t k = 0; k < n; k++)
			if (data[k] != '\r' || k + 1 == n)
				assert_int_equal(got[at++], data[k]);
		free(got);
		free(data);
	}
	maildir_close(&m);
}

static const int64_t arrivals[] = { 1674821960, 946684800, 1, 4102444800 };

static void
a_file_has_its_arrival_and_is_private(const char *dir)
{
	const char *path = scratch_path("%s/" STAGE "/" NAME_A, dir);
	struct maildir m;
	struct stat s;

	umask(0);
	open_new(&m, dir);
	for (size_t i = 0; i < COUNT(arrivals); i++) {
		struct delivery_request q = request(NAME_A, 1, 0, "");
		struct err e = { .text = "" };
		int fd = object("x", 1);
		uint64_t size;

		q.mtime = arrivals[i];
		assert_int_equal(maildir_put(&m, &q, "", fd, &size, &e), 0);
		close(fd);
		assert_int_equal(stat(path, &s), 0);
		assert_true(s.st_mtim.tv_sec == arrivals[i]);
		assert_int_equal(s.st_mtim.tv_nsec, 0);
		assert_int_equal(s.st_mode, S_IFREG | 0600);
	}
	maildir_close(&m);
}

/* The engine said another size: nothing may be left. */
static void
a_wrong_size_leaves_nothing(const char *dir)
{
	static const uint64_t wrong[] = { 0, 3, 5, UINT64_MAX };
	int before;
	struct maildir m;

	open_new(&m, dir);
	before = scratch_descriptors();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const struct delivery_request q =
			request(NAME_A, wrong[i], 0, "");
		struct err e = { .text = "" };
		int fd = object("four", 4);
		uint64_t size;

		assert_int_equal(maildir_put(&m, &q, "", fd, &size, &e), -1);
		assert_int_equal(e.kind, ERR_TEMP);
		close(fd);
		assert_int_equal(listed(&m, true, NULL), 0);
		assert_int_equal(scratch_descriptors(), before);
	}
	put(&m, NAME_A, "x");
	maildir_close(&m);
}

static void
an_unreadable_object_leaves_nothing(const char *dir)
{
	const struct delivery_request q = request(NAME_A, 1, 0, "");
	struct err e = { .text = "" };
	struct maildir m;
	uint64_t size;

	open_new(&m, dir);
	assert_int_equal(maildir_put(&m, &q, "", m.dir, &size, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, NAME_A));
	assert_int_equal(listed(&m, true, NULL), 0);
	maildir_close(&m);
}

static void
a_leftover_is_replaced(const char *dir)
{
	const char *path = scratch_path("%s/" STAGE "/" NAME_A, dir);
	char got[16] = "";
	struct maildir m;

	open_new(&m, dir);
	scratch_text(path, "left over");
	put(&m, NAME_A, "new");
	assert_int_equal(scratch_read(path, got, sizeof(got)), 3);
	assert_memory_equal(got, "new", 3);
	maildir_close(&m);
	/* A link too, and what it points to stays as it is. */
	scratch_text(scratch_path("%s/secret", dir), "secret");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../../secret", path), 0);
	open_new(&m, dir);
	put(&m, NAME_A, "new");
	assert_int_equal(scratch_read(scratch_path("%s/secret", dir), got,
				      sizeof(got)), 6);
	maildir_close(&m);
}

static void
a_batch_has_a_limit(const char *dir)
{
	struct delivery_request q;
	struct err e = { .text = "" };
	struct maildir m;
	uint64_t size;
	int fd;

	open_new(&m, dir);
	for (int i = 0; i < DELIVERY_BATCH_MAX; i++)
		put(&m, scratch_path("%d.F" ID_A ".fallbackmx", i), "x");
	q = request(NAME_B, 1, 0, "");
	fd = object("x", 1);
	assert_int_equal(maildir_put(&m, &q, "", fd, &size, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_non_null(strstr(e.text, "too many mails"));
	close(fd);
	assert_int_equal(listed(&m, true, NULL), DELIVERY_BATCH_MAX);
	assert_int_equal(maildir_sync_stage(&m, &e), 0);
	for (int i = 0; i < DELIVERY_BATCH_MAX; i++)
		assert_int_equal(maildir_commit(&m, scratch_path("%d.F" ID_A
				 ".fallbackmx", i), &e), DELIVERY_OK);
	assert_int_equal(maildir_sync_new(&m, &e), 0);
	put(&m, NAME_B, "x");
	assert_int_equal(listed(&m, true, NULL), 1);
	assert_int_equal(listed(&m, false, NULL), DELIVERY_BATCH_MAX);
	maildir_close(&m);
}

static void
a_mail_goes_its_way(const char *dir)
{
	struct err e = { .text = "" };
	char got[16] = "";
	struct maildir m;
	int fd = -1;

	open_new(&m, dir);
	put(&m, NAME_A, "mail");
	assert_int_equal(listed(&m, true, NAME_A), 1);
	assert_int_equal(listed(&m, false, NULL), 0);
	assert_int_equal(maildir_read(&m, NAME_A, false, &fd, &e), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(maildir_sync_stage(&m, &e), 0);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_OK);
	assert_int_equal(maildir_commit(&m, NAME_A, &e), DELIVERY_OK);
	assert_int_equal(maildir_sync_new(&m, &e), 0);
	assert_int_equal(listed(&m, true, NULL), 0);
	assert_int_equal(listed(&m, false, "n/" NAME_A), 1);
	assert_int_equal(maildir_read(&m, NAME_A, true, &fd, &e), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(maildir_read(&m, NAME_A, false, &fd, &e), 0);
	assert_int_equal(fsio_pread(fd, got, sizeof(got), 0), 4);
	assert_memory_equal(got, "mail", 4);
	assert_int_equal(fcntl(fd, F_GET_SEALS), SEALS);
	close(fd);
	assert_int_equal(maildir_list(&m, false, &fd, &e), 0);
	assert_int_equal(fcntl(fd, F_GET_SEALS), SEALS);
	close(fd);
	maildir_close(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(stores_the_bytes),
		plain_unit_test(stores_large_mail),
		plain_unit_test(a_file_has_its_arrival_and_is_private),
		plain_unit_test(a_wrong_size_leaves_nothing),
		plain_unit_test(an_unreadable_object_leaves_nothing),
		plain_unit_test(a_leftover_is_replaced),
		plain_unit_test(a_batch_has_a_limit),
		plain_unit_test(a_mail_goes_its_way),
	};

	return cmocka_run_group_tests_name("maildir-mail", tests, NULL, NULL);
}
