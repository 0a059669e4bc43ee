#include <config.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ledger-help.h"

static void
refused(const char *dir, bool read_only, struct err *e)
{
	struct ledger *l = (struct ledger *)dir;

	*e = (struct err){ .kind = ERR_TEMP };
	assert_int_equal(ledger_open(&l, dir, read_only, e), -1);
	assert_null(l);
	assert_int_equal(e->kind, ERR_STOP);
	assert_non_null(strstr(e->text, dir));
}

static void
the_uuid_is_made_once(const char *dir)
{
	char uuid[DELIVERY_UUID_LEN + 1];
	struct ledger *l = opened(dir);

	assert_int_equal(strlen(ledger_uuid(l)), DELIVERY_UUID_LEN);
	assert_int_equal(strspn(ledger_uuid(l), "0123456789abcdef-"),
			 DELIVERY_UUID_LEN);
	memcpy(uuid, ledger_uuid(l), sizeof(uuid));
	ledger_close(l);
	for (int i = 0; i < 3; i++) {
		struct err e = { .text = "" };

		assert_int_equal(ledger_open(&l, dir, i == 1, &e), 0);
		assert_string_equal(ledger_uuid(l), uuid);
		ledger_close(l);
	}
	/* Another one is another. */
	assert_int_equal(unlink(scratch_path("%s/ledger.db", dir)), 0);
	l = opened(dir);
	assert_string_not_equal(ledger_uuid(l), uuid);
	ledger_close(l);
}

static void
a_missing_one_is_not_made_for_readers(const char *dir)
{
	struct ledger *l = (struct ledger *)dir;
	struct err e;

	assert_int_equal(ledger_open(&l, dir, true, &e), 0);
	assert_null(l);
	assert_int_equal(scratch_entries(dir), 0);
	ledger_close(l);
	refused(scratch_path("%s/missing", dir), false, &e);
}

static void
readers_leave_no_trace(const char *dir)
{
	struct ledger *l = opened(dir);
	struct ledger_object o = object(1), found;
	struct err e;
	int before;

	added(l, 1);
	ledger_close(l);
	before = scratch_entries(dir);
	assert_int_equal(chmod(dir, 0500), 0);
	assert_int_equal(ledger_open(&l, dir, true, &e), 0);
	assert_int_equal(ledger_find(l, o.oid, &found, &e), 0);
	assert_true(found.id > 0);
	assert_int_equal(ledger_begin(l, &e) < 0 ||
			 ledger_add(l, SOURCE, &o, &e) < 0 ||
			 ledger_deleted(l, found.id, 1, &e) < 0, true);
	assert_int_equal(e.kind, ERR_STOP);
	ledger_close(l);
	assert_int_equal(scratch_entries(dir), before);
}

/* F44: a state directory may be called anything. */
static const char *const odd[] = {
	"a?b", "a#b", "a%b", "a%41b", "a b", "a\nb", "\xc3\xbc", "?immutable=1",
};

static void
odd_directories_hold_their_ledger(const char *dir)
{
	for (size_t i = 0; i < COUNT(odd); i++) {
		const char *path = scratch_path("%s/%s", dir, odd[i]);
		struct ledger *l;
		struct err e;

		ROW(odd[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		l = opened(path);
		added(l, 1);
		ledger_close(l);
		assert_true(scratch_exists(scratch_path("%s/ledger.db",
							path)));
		assert_int_equal(ledger_open(&l, path, true, &e), 0);
		assert_non_null(l);
		ledger_close(l);
	}
	assert_int_equal(scratch_entries(dir), COUNT(odd));
}

static void
what_is_no_database_is_refused(const char *dir)
{
	const char *path = scratch_path("%s/ledger.db", dir);
	struct err e;

	/* SQLite takes a file of one byte for an empty one. */
	for (size_t n = 2; n <= 8192; n *= 2) {
		char *junk = malloc(n), *got = malloc(n + 1);

		assert_non_null(junk);
		assert_non_null(got);
		memset(junk, 'j', n);
		for (int way = 0; way < 2; way++) {
			printf("# %zu bytes, %d\n", n, way);
			scratch_write(path, junk, n);
			refused(dir, way == 1, &e);
			assert_int_equal(e.code, EX_IOERR);
			assert_non_null(strstr(e.text, "move it away"));
			assert_non_null(strstr(e.text, "--take-over"));
			assert_int_equal(scratch_read(path, got, n + 1), n);
			assert_memory_equal(got, junk, n);
		}
		free(got);
		free(junk);
	}
}

/* Bytes of the SQLite file format, section 1.3. */
#define VERSION_AT 60
#define APPLICATION_AT 68

static void
patch(const char *path, long at, uint8_t byte)
{
	FILE *f = fopen(path, "r+b");

	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_equal(fputc(byte, f), byte);
	assert_int_equal(fclose(f), 0);
}

static void
a_foreign_one_is_refused_and_stays(const char *dir)
{
	const char *path = scratch_path("%s/ledger.db", dir);
	static char before[65536], after[65536];
	struct err e;
	ssize_t n;

	ledger_close(opened(dir));
	patch(path, APPLICATION_AT, 'x');
	n = scratch_read(path, before, sizeof(before));
	for (int way = 0; way < 2; way++) {
		refused(dir, way == 1, &e);
		assert_int_equal(e.code, EX_CONFIG);
		assert_non_null(strstr(e.text, "no ledger of fallbackmx"));
		assert_int_equal(scratch_read(path, after, sizeof(after)), n);
		assert_memory_equal(after, before, (size_t)n);
	}
}

/* The header promises the remedy for every refusal. */
static void
a_foreign_one_is_refused_with_the_remedy(const char *dir)
{
	struct err e;

	ledger_close(opened(dir));
	patch(scratch_path("%s/ledger.db", dir), APPLICATION_AT, 'x');
	refused(dir, false, &e);
	assert_true(strstr(e.text, "move it away") != NULL ||
		    strstr(e.text, "--state-dir") != NULL);
}

static void
a_newer_one_is_refused_with_the_remedy(const char *dir)
{
	struct err e;

	ledger_close(opened(dir));
	patch(scratch_path("%s/ledger.db", dir), VERSION_AT, 1);
	for (int way = 0; way < 2; way++) {
		refused(dir, way == 1, &e);
		assert_int_equal(e.code, EX_CONFIG);
		assert_non_null(strstr(e.text, "schema version"));
		assert_non_null(strstr(e.text, "newer fallbackmx"));
	}
}

static void
a_damaged_one_is_refused_with_the_remedy(const char *dir)
{
	const char *path = scratch_path("%s/ledger.db", dir);
	struct err e;

	ledger_close(opened(dir));
	/* The first page's b-tree header: of no kind that there is. */
	patch(path, 100, 0xee);
	refused(dir, false, &e);
	assert_int_equal(e.code, EX_IOERR);
	assert_non_null(strstr(e.text, "move it away"));
}

static void
one_that_lost_its_end_is_refused(const char *dir)
{
	const char *path = scratch_path("%s/ledger.db", dir);
	struct ledger *l = opened(dir);
	struct err e;
	int r;

	for (int i = 1; i < 50; i++)
		added(l, i);
	ledger_close(l);
	assert_int_equal(truncate(path, 4096), 0);
	e = (struct err){ .kind = ERR_TEMP };
	r = ledger_open(&l, dir, false, &e);
	if (r == 0) {
		struct ledger_object found;

		r = ledger_find(l, object(1).oid, &found, &e);
		ledger_close(l);
	}
	assert_int_equal(r, -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_non_null(strstr(e.text, "move it away"));
}

static void
an_unreadable_one_is_refused(const char *dir)
{
	const char *path = scratch_path("%s/ledger.db", dir);
	struct err e;

	ledger_close(opened(dir));
	assert_int_equal(chmod(path, 0), 0);
	refused(dir, false, &e);
	refused(dir, true, &e);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	refused(dir, false, &e);
	refused(dir, true, &e);
}

/* A run that was killed early has left an empty file. */
static void
an_empty_file_becomes_a_ledger(const char *dir)
{
	scratch_text(scratch_path("%s/ledger.db", dir), "");
	ledger_close(opened(dir));
}

static void
rollback_gives_all_up(const char *dir)
{
	struct ledger *l = opened(dir);
	struct ledger_object o = object(1), found;
	struct ledger_mailbox m;
	struct err e;
	bool first;

	ledger_rollback(l);
	begin(l);
	set(l, added(l, 1), 1, ROW_DONE);
	assert_int_equal(ledger_mailbox(l, "/m/new", "", &m, &e), 0);
	assert_true(m.id > 0);
	assert_int_equal(ledger_notice(l, SOURCE, "k", &first, &e), 0);
	ledger_rollback(l);
	ledger_rollback(l);
	assert_int_equal(ledger_find(l, o.oid, &found, &e), 0);
	assert_int_equal(found.id, 0);
	assert_int_equal(ledger_mailbox(l, "/m/new", "", &m, &e), 0);
	assert_int_equal(m.id, 0);
	begin(l);
	assert_int_equal(ledger_notice(l, SOURCE, "k", &first, &e), 0);
	assert_true(first);
	added(l, 1);
	/* Closing gives up too. */
	ledger_close(l);
	l = opened(dir);
	assert_int_equal(ledger_find(l, o.oid, &found, &e), 0);
	assert_int_equal(found.id, 0);
	ledger_close(l);
}

static void
two_see_what_is_committed(const char *dir)
{
	struct ledger *a = opened(dir), *b = opened(dir);
	struct ledger_object o = object(1), found;
	struct err e;
	int64_t id;

	begin(a);
	id = added(a, 1);
	assert_int_equal(ledger_find(b, o.oid, &found, &e), 0);
	assert_int_equal(found.id, 0);
	commit(a);
	assert_int_equal(ledger_find(b, o.oid, &found, &e), 0);
	assert_true(found.id == id);
	/* One moment, until it begins something. */
	assert_int_equal(ledger_read(b, &e), 0);
	assert_int_equal(state_of(b, id, 1), ROW_NONE);
	set(a, id, 1, ROW_INTENT);
	assert_int_equal(state_of(b, id, 1), ROW_NONE);
	assert_int_equal(ledger_read(b, &e), 0);
	assert_int_equal(state_of(b, id, 1), ROW_NONE);
	begin(b);
	assert_int_equal(state_of(b, id, 1), ROW_INTENT);
	set(b, id, 1, ROW_DONE);
	commit(b);
	assert_int_equal(state_of(a, id, 1), ROW_DONE);
	ledger_close(a);
	ledger_close(b);
}

static void
a_second_writer_waits(const char *dir)
{
	struct ledger *l = opened(dir);
	int ready[2], status;
	int64_t id = added(l, 1);
	pid_t pid;
	char c;

	ledger_close(l);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		l = opened(dir);
		begin(l);
		set(l, id, 1, ROW_INTENT);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(200 * 1000);
		commit(l);
		ledger_close(l);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &c, 1), 1);
	l = opened(dir);
	begin(l);
	assert_int_equal(state_of(l, id, 1), ROW_INTENT);
	commit(l);
	ledger_close(l);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define OPENERS 6

/* The first runs of several sources may begin at one moment. */
static void
many_make_one(const char *dir)
{
	for (int round = 0; round < 10; round++) {
		const char *path = scratch_path("%s/%d", dir, round);
		int gate[2], failed = 0;
		char c;

		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(pipe(gate), 0);
		for (int i = 0; i < OPENERS; i++) {
			struct ledger *l;
			struct err e = { .text = "" };

			if (fork() != 0)
				continue;
			close(gate[1]);
			/* The end of the file opens the gate. */
			if (read(gate[0], &c, 1) != 0)
				_exit(2);
			if (ledger_open(&l, path, false, &e) < 0) {
				printf("# %s\n", e.text);
				fflush(stdout);
				_exit(1);
			}
			ledger_close(l);
			_exit(0);
		}
		close(gate[0]);
		close(gate[1]);
		for (int i = 0; i < OPENERS; i++) {
			int status;

			assert_true(wait(&status) > 0);
			failed += status != 0;
		}
		assert_int_equal(failed, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(the_uuid_is_made_once),
		plain_unit_test(a_missing_one_is_not_made_for_readers),
		plain_unit_test(readers_leave_no_trace),
		plain_unit_test(odd_directories_hold_their_ledger),
		plain_unit_test(what_is_no_database_is_refused),
		plain_unit_test(a_foreign_one_is_refused_and_stays),
		plain_unit_test(a_foreign_one_is_refused_with_the_remedy),
		plain_unit_test(a_newer_one_is_refused_with_the_remedy),
		plain_unit_test(a_damaged_one_is_refused_with_the_remedy),
		plain_unit_test(one_that_lost_its_end_is_refused),
		plain_unit_test(an_unreadable_one_is_refused),
		plain_unit_test(an_empty_file_becomes_a_ledger),
		plain_unit_test(rollback_gives_all_up),
		plain_unit_test(two_see_what_is_committed),
		plain_unit_test(a_second_writer_waits),
		plain_unit_test(many_make_one),
	};

	return cmocka_run_group_tests_name("ledger-open", tests, NULL, NULL);
}
