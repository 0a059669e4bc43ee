#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "source-help.h"

struct dated {
	const char *name;
	int64_t mtime;
	long mtime_ns;
};

static const struct dated dated[] = {
	{ "c", 1000, 5 }, { "b", 1000, 6 }, { "a", 1001, 0 },
	{ "z", 999, 999999999 }, { "e", 1000, 7 }, { "d", 1000, 7 },
	{ "sub/y", 1000, 8 }, { "sub/x/w", -5, 0 },
};

static void
the_oldest_comes_first(const char *dir)
{
	struct object o;
	struct err e;

	open_source(dir, false);
	assert_int_equal(mkdir(file_of(dir, "sub"), 0700), 0);
	assert_int_equal(mkdir(file_of(dir, "sub/x"), 0700), 0);
	for (size_t i = 0; i < COUNT(dated); i++) {
		put_file(dir, dated[i].name, dated[i].name);
		scratch_age(file_of(dir, dated[i].name), dated[i].mtime,
			    dated[i].mtime_ns);
	}
	assert_string_equal(keys(true),
			    "sub/x/w\nz\nc\nb\nd\ne\nsub/y\na\n");
	close_source();
	open_source(dir, false);
	assert_int_equal(source.kind->next(&source, &o, &e), 1);
	assert_true(o.mtime == -5 && o.size == 7);
	assert_int_equal(source.kind->left(&source), COUNT(dated) - 1);
	assert_int_equal(source.kind->next(&source, &o, &e), 1);
	assert_true(o.mtime == 999 && o.mtime_ns == 999999999);
	close_source();
}

static void
only_plain_files_are_objects(const char *dir)
{
	open_source(dir, false);
	assert_string_equal(keys(true), "");
	put_file(dir, "plain", "x");
	put_file(dir, "empty", "");
	scratch_age(file_of(dir, "plain"), 1, 0);
	put_file(dir, ".hidden", "x");
	assert_int_equal(mkdir(file_of(dir, ".git"), 0700), 0);
	put_file(dir, ".git/x", "x");
	assert_int_equal(mkdir(file_of(dir, "sub"), 0700), 0);
	put_file(dir, "sub/.hidden", "x");
	assert_int_equal(symlink("plain", file_of(dir, "link")), 0);
	assert_int_equal(symlink(".git", file_of(dir, "linked")), 0);
	assert_int_equal(symlink("/nowhere", file_of(dir, "dead")), 0);
	assert_int_equal(mkfifo(file_of(dir, "fifo"), 0600), 0);
	assert_string_equal(keys(true), "plain\nempty\n");
	close_source();
}

/* F25 */
static const char *const odd[] = {
	" leading blank", "trailing blank ", "-rf", "--", "a\nb", "a\tb",
	"quote\"'`$(x)", "back\\slash", "100%s%n", "\xc3\xbc", "\xff\xfe",
	"*", "?", "~", "a.", "a..b", "#", "\x01\x1b[31m",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void
any_name_is_a_key(const char *dir)
{
	open_source(dir, false);
	assert_int_equal(mkdir(file_of(dir, "sub\n"), 0700), 0);
	for (size_t i = 0; i < 2 * COUNT(odd); i++) {
		const char *key = scratch_path("%s%s", i % 2 ? "sub\n/" : "",
					       odd[i / 2]);
		struct version v;

		ROW(key);
		put_file(dir, key, key);
		assert_string_equal(keys(true), scratch_path("%s\n", key));
		assert_int_equal(fetch_text(key, key, &v), FETCH_OK);
		assert_int_equal(remove_key(key, &v), REMOVAL_OK);
		assert_string_equal(keys(true), "");
	}
	close_source();
	assert_int_equal(scratch_entries(file_of(dir, "")), 1);
	assert_int_equal(scratch_entries(file_of(dir, "sub\n")), 0);
}

static void
a_version_names_its_bytes(const char *dir)
{
	char hex[2 * HASH_SIZE + 1];
	uint8_t digest[HASH_SIZE];
	struct hash h = { .ctx = NULL };
	struct version v;
	struct stat s;

	hash_begin(&h);
	hash_add(&h, "mail", 4);
	hash_end(&h, digest);
	hash_free(&h);
	text_hex(hex, digest, HASH_SIZE);
	open_source(dir, false);
	put_file(dir, "a", "mail");
	assert_int_equal(fetch_text("a", "mail", &v), FETCH_OK);
	assert_string_equal(v.etag, hex);
	assert_int_equal(stat(file_of(dir, "a"), &s), 0);
	assert_true(v.ino == s.st_ino && v.dev == s.st_dev && v.size == 4);
	close_source();
}

static void
what_has_gone_is_gone(const char *dir)
{
	struct version v;

	open_source(dir, false);
	put_file(dir, "file", "x");
	assert_int_equal(symlink("file", file_of(dir, "link")), 0);
	assert_int_equal(mkdir(file_of(dir, "sub"), 0700), 0);
	assert_int_equal(symlink("sub", file_of(dir, "linked")), 0);
	assert_int_equal(mkfifo(file_of(dir, "fifo"), 0600), 0);
	put_file(dir, "sub/x", "x");
	assert_int_equal(fetch("missing", &v), FETCH_GONE);
	assert_int_equal(fetch("sub/missing", &v), FETCH_GONE);
	assert_int_equal(fetch("no/such", &v), FETCH_GONE);
	assert_int_equal(fetch("file/x", &v), FETCH_GONE);
	assert_int_equal(fetch("link", &v), FETCH_GONE);
	assert_int_equal(fetch("linked/x", &v), FETCH_GONE);
	assert_int_equal(fetch("fifo", &v), FETCH_GONE);
	assert_int_equal(fetch("sub", &v), FETCH_GONE);
	close_source();
}

/* F26: nothing outside of the source is ever read. */
static void
keys_do_not_leave_the_source(const char *dir)
{
	static const char *const outside[] = {
		"../secret", "sub/../../secret", "/etc/passwd", "./../secret",
	};
	struct version v;

	open_source(dir, false);
	scratch_text(scratch_path("%s/secret", dir), "x");
	assert_int_equal(mkdir(file_of(dir, "sub"), 0700), 0);
	put_file(dir, "a", "x");
	assert_int_equal(fetch("a", &v), FETCH_OK);
	for (size_t i = 0; i < COUNT(outside); i++) {
		ROW(outside[i]);
		assert_int_not_equal(fetch(outside[i], &v), FETCH_OK);
		assert_int_not_equal(remove_key(outside[i], &v), REMOVAL_OK);
	}
	close_source();
	assert_true(scratch_exists(scratch_path("%s/secret", dir)));
}

static void
a_key_too_long_is_told(const char *dir)
{
	char key[1100];
	struct version v;

	open_source(dir, false);
	memset(key, 'a', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	for (size_t i = 99; i < sizeof(key) - 1; i += 100) {
		key[i] = '\0';
		assert_int_equal(mkdir(file_of(dir, key), 0700), 0);
		key[i] = '/';
	}
	put_file(dir, key, "x");
	assert_int_equal(fetch(key, &v), FETCH_FAILED);
	assert_int_equal(said.kind, ERR_PERM);
	assert_non_null(strstr(said.text, "longer than 1024 bytes"));
	close_source();
}

static void
an_unreadable_file_fails(const char *dir)
{
	struct version v;

	open_source(dir, false);
	put_file(dir, "a", "x");
	assert_int_equal(chmod(file_of(dir, "a"), 0), 0);
	assert_int_equal(fetch("a", &v), FETCH_FAILED);
	assert_non_null(strstr(said.text, "cannot open a"));
	close_source();
}

struct settle {
	int settle;
	int64_t age;	/* of mtime; ctime is now */
	enum fetch answer;
};

static const struct settle settles[] = {
	{ 0, 0, FETCH_OK }, { 0, 86400, FETCH_OK }, { 0, -86400, FETCH_OK },
	{ 3600, 0, FETCH_BUSY },
	/* An old mtime can be given to a new file, an old ctime cannot. */
	{ 3600, 86400, FETCH_BUSY },
	{ 3600, -1800, FETCH_BUSY },
};

static void
fresh_files_wait(const char *dir)
{
	struct version v;

	open_source(dir, false);
	for (size_t i = 0; i < COUNT(settles); i++) {
		printf("# row %zu\n", i);
		settings.settle = settles[i].settle;
		put_file(dir, "a", "x");
		scratch_age(file_of(dir, "a"), time(NULL) - settles[i].age, 0);
		assert_int_equal(fetch("a", &v), settles[i].answer);
	}
	close_source();
}

static void
a_file_with_a_writer_waits(const char *dir)
{
	struct version v;
	int fd;

	open_source(dir, false);
	put_file(dir, "a", "half");
	fd = open(file_of(dir, "a"), O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	assert_int_equal(fetch("a", &v), FETCH_BUSY);
	assert_int_equal(write(fd, " whole", 6), 6);
	close(fd);
	assert_int_equal(fetch_text("a", "half whole", &v), FETCH_OK);
	/* Readers do not matter. */
	fd = open(file_of(dir, "a"), O_RDONLY);
	assert_int_equal(fetch_text("a", "half whole", &v), FETCH_OK);
	close(fd);
	close_source();
}

/* Files of the kernel hold more, or less, than they say. */
static void
a_file_that_is_not_as_long_as_it_says_waits(const char *dir)
{
	static const struct {
		const char *root, *key;
	} files[] = {
		{ "/proc/self", "status" }, { "/sys/kernel", "uevent_seqnum" },
	};
	struct err e;

	for (size_t i = 0; i < COUNT(files); i++) {
		struct version v;

		ROW(files[i].key);
		if (access(scratch_path("%s/%s", files[i].root, files[i].key),
			   R_OK) < 0)
			continue;
		open_source(dir, true);
		close_source();
		settings.path = files[i].root;
		assert_int_equal(source_open(&source, &settings, &listener,
					     NULL, &e), 0);
		assert_int_equal(fetch(files[i].key, &v), FETCH_BUSY);
		close_source();
	}
}

#define CHANGES 50	/* 25 ms */

static void
a_file_that_changes_while_it_is_read_waits(const char *dir)
{
	_Atomic unsigned *changes = mmap(NULL, sizeof(*changes),
					 PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *path;
	struct version v;
	enum fetch r = FETCH_OK;
	unsigned seen = 0;
	pid_t pid;

	assert_ptr_not_equal(changes, MAP_FAILED);
	open_source(dir, false);
	put_file(dir, "a", "x");
	path = file_of(dir, "a");
	assert_int_equal(truncate(path, 64 << 20), 0);
	pid = fork();
	if (pid == 0) {
		const pid_t parent = getppid();

		for (mode_t m = 0; getppid() == parent; m ^= 1) {
			chmod(path, 0600 | m);
			atomic_fetch_add(changes, 1);
			usleep(500);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	/* The other one may not have run meanwhile, or too shortly for the
	 * kernel's times of files: then once more. */
	for (int i = 0; i < 1000 && r == FETCH_OK && seen < CHANGES; i++) {
		const unsigned before = atomic_load(changes);

		r = fetch("a", &v);
		seen = atomic_load(changes) - before;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(r, FETCH_BUSY);
	assert_int_equal(fetch("a", &v), FETCH_OK);
	close_source();
}

static void
a_part_that_cannot_be_listed_is_told(const char *dir)
{
	char said_so[512] = "";
	int fd = open(scratch_path("%s/stderr", dir), O_RDWR | O_CREAT, 0600);

	open_source(dir, false);
	put_file(dir, "a", "x");
	assert_int_equal(mkdir(file_of(dir, "closed"), 0), 0);
	dup2(fd, STDERR_FILENO);
	assert_string_equal(keys(false), "a\n");
	assert_true(pread(fd, said_so, sizeof(said_so) - 1, 0) > 0);
	assert_non_null(strstr(said_so, file_of(dir, "closed/")));
	assert_int_equal(chmod(file_of(dir, "closed"), 0700), 0);
	assert_string_equal(keys(true), "a\n");
	close_source();
}

static void
a_source_that_cannot_be_opened_is_told(const char *dir)
{
	static const struct {
		const char *name;
		int code;
	} wrong[] = {
		{ "missing", EX_CONFIG }, { "file", EX_CONFIG },
		{ "closed", EX_NOPERM },
	};
	struct err e;

	scratch_text(scratch_path("%s/file", dir), "x");
	assert_int_equal(mkdir(scratch_path("%s/closed", dir), 0), 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		settings.path = scratch_path("%s/%s", dir, wrong[i].name);
		e = (struct err){ .kind = ERR_TEMP };
		assert_int_equal(source_open(&source, &settings, &listener,
					     dir, &e), -1);
		assert_int_equal(e.kind, ERR_STOP);
		assert_int_equal(e.code, wrong[i].code);
		assert_non_null(strstr(e.text, wrong[i].name));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(the_oldest_comes_first),
		plain_unit_test(only_plain_files_are_objects),
		plain_unit_test(any_name_is_a_key),
		plain_unit_test(a_version_names_its_bytes),
		plain_unit_test(what_has_gone_is_gone),
		plain_unit_test(keys_do_not_leave_the_source),
		plain_unit_test(a_key_too_long_is_told),
		plain_unit_test(an_unreadable_file_fails),
		plain_unit_test(fresh_files_wait),
		plain_unit_test(a_file_with_a_writer_waits),
		plain_unit_test(a_file_that_is_not_as_long_as_it_says_waits),
		plain_unit_test(a_file_that_changes_while_it_is_read_waits),
		plain_unit_test(a_part_that_cannot_be_listed_is_told),
		plain_unit_test(a_source_that_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests_name("source-dir", tests, NULL, NULL);
}
