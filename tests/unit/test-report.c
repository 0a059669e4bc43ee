#include <config.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sync/report.h"
#include "unit.h"

static void
drop(struct report *r)
{
	munmap(r, sizeof(*r));
}

static void
a_child_counts_for_its_parent(void **state)
{
	struct report *r = report_new();
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		report_count(r, OUTCOME_IMPORTED);
		report_count(r, OUTCOME_FAILED);
		report_exit(r, EX_TEMPFAIL);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(r->outcome[OUTCOME_IMPORTED], 1);
	assert_int_equal(r->outcome[OUTCOME_FAILED], 1);
	assert_int_equal(r->outcome[OUTCOME_GONE], 0);
	assert_int_equal(r->exit_code, EX_TEMPFAIL);
	drop(r);
}

/* From good to bad; those of the last line are equally bad. */
static const int order[] = {
	EX_OK, EX_DATAERR, EX_TEMPFAIL, EX_IOERR, EX_NOPERM, EX_CONFIG,
	EX_SOFTWARE,
};
static const int worst[] = { EX_USAGE, EX_UNAVAILABLE, EX_SOFTWARE, 1 };

static void
the_worse_code_stays(void **state)
{
	struct report *r = report_new();

	(void)state;
	for (size_t i = 0; i < COUNT(order); i++)
		for (size_t k = 0; k < COUNT(order); k++) {
			r->exit_code = order[i];
			report_exit(r, order[k]);
			assert_int_equal(r->exit_code,
					 order[i > k ? i : k]);
		}
	for (size_t i = 0; i < COUNT(worst); i++) {
		r->exit_code = EX_CONFIG;
		report_exit(r, worst[i]);
		assert_int_equal(r->exit_code, worst[i]);
	}
	drop(r);
}

struct ending {
	enum outcome outcome;
	int code;
};

static const struct ending endings[] = {
	{ OUTCOME_IMPORTED, EX_OK }, { OUTCOME_DUPLICATE, EX_OK },
	{ OUTCOME_SKIPPED, EX_OK }, { OUTCOME_WAITING, EX_OK },
	{ OUTCOME_UNROUTED, EX_TEMPFAIL }, { OUTCOME_DEFERRED, EX_TEMPFAIL },
	{ OUTCOME_SUSPECT, EX_IOERR }, { OUTCOME_GONE, EX_OK },
	{ OUTCOME_FAILED, EX_TEMPFAIL },
};

static void
outcomes_make_the_code(void **state)
{
	struct report *r = report_new();

	(void)state;
	assert_int_equal(COUNT(endings), OUTCOMES);
	for (size_t i = 0; i < COUNT(endings); i++) {
		memset(r, 0, sizeof(*r));
		r->listed = 1;
		report_count(r, endings[i].outcome);
		report_close(r, 1.5);
		assert_int_equal(r->exit_code, endings[i].code);
		assert_true(r->seconds > 1.4 && r->seconds < 1.6);
		r->exit_code = EX_CONFIG;
		report_close(r, 1.5);
		assert_int_equal(r->exit_code, EX_CONFIG);
	}
	drop(r);
}

static void
every_object_is_accounted_for(void **state)
{
	struct report *r = report_new();

	(void)state;
	r->listed = 2;
	report_count(r, OUTCOME_IMPORTED);
	report_close(r, 0);
	assert_int_equal(r->exit_code, EX_SOFTWARE);
	memset(r, 0, sizeof(*r));
	report_count(r, OUTCOME_IMPORTED);
	r->exit_code = EX_CONFIG;
	report_close(r, 0);
	assert_int_equal(r->exit_code, EX_SOFTWARE);
	drop(r);
}

/* What goes to fd while print runs. */
static void
catch(int fd, void (*print)(const struct report *), const struct report *r,
      char *text, size_t size)
{
	FILE *file = tmpfile();
	int saved = dup(fd);
	size_t n;

	assert_non_null(file);
	fflush(NULL);
	dup2(fileno(file), fd);
	print(r);
	fflush(NULL);
	dup2(saved, fd);
	close(saved);
	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
}

static void
prints_every_counter(void **state)
{
	struct report r = { .listed = 45, .deleted = 46, .bytes = UINT64_MAX,
			    .seconds = 0.0123 };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < OUTCOMES; i++)
		r.outcome[i] = i + 1;
	catch(STDOUT_FILENO, report_json, &r, text, sizeof(text));
	assert_string_equal(text, "{\"listed\":45,\"imported\":1,"
		"\"duplicate\":2,\"skipped\":3,\"waiting\":4,\"unrouted\":5,"
		"\"deferred\":6,\"suspect\":7,\"gone\":8,\"deleted\":46,"
		"\"failed\":9,\"bytes\":18446744073709551615,"
		"\"seconds\":0.012}\n");
	catch(STDERR_FILENO, report_summary, &r, text, sizeof(text));
	assert_string_equal(text, "fallbackmx: listed=45 imported=1 "
		"duplicate=2 skipped=3 waiting=4 unrouted=5 deferred=6 "
		"suspect=7 gone=8 deleted=46 failed=9 "
		"bytes=18446744073709551615 seconds=0.012\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_counts_for_its_parent),
		cmocka_unit_test(the_worse_code_stays),
		cmocka_unit_test(outcomes_make_the_code),
		cmocka_unit_test(every_object_is_accounted_for),
		cmocka_unit_test(prints_every_counter),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
