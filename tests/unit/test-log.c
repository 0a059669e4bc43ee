#include <config.h>

#include <unistd.h>

#include "lib/base/log.h"
#include "unit.h"

static void
problem(const char *text)
{
	log_problem("%s", text);
}

static void
info(const char *text)
{
	log_info("%s", text);
}

static void
say(const char *text)
{
	log_say("%s", text);
}

static void
record(const char *text)
{
	log_record(text);
}

struct line {
	void (*log)(const char *text);
	int verbose;
	const char *said;
};

static const struct line lines[] = {
	{ problem, 0, "fallbackmx-unit: cannot do it\n" },
	{ problem, 1, "fallbackmx-unit: cannot do it\n" },
	{ info, 0, "" },
	{ info, 1, "fallbackmx-unit: cannot do it\n" },
	{ record, 0, "" },
	{ record, 1, "fallbackmx-unit: cannot do it\n" },
	{ say, 0, "fallbackmx-unit: cannot do it\n" },
	{ say, 1, "fallbackmx-unit: cannot do it\n" },
};

/* What reaches stderr. */
static size_t
catch(void (*log)(const char *), const char *text, char *said, size_t size)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	log(text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(said, 1, size - 1, file);
	said[n] = '\0';
	fclose(file);
	return n;
}

static void
stderr_gets_what_the_admin_should_know(void **state)
{
	char said[256];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		log_open("fallbackmx-unit", lines[i].verbose);
		catch(lines[i].log, "cannot do it", said, sizeof(said));
		assert_string_equal(said, lines[i].said);
	}
}

static void
long_text_stays_one_line(void **state)
{
	static char text[5000], said[8192];
	size_t n;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	log_open("fallbackmx-unit", 0);
	n = catch(say, text, said, sizeof(said));
	assert_in_range(n, 1024, sizeof(text));
	assert_ptr_equal(strchr(said, '\n'), said + n - 1);
	assert_memory_equal(said, "fallbackmx-unit: aaaa", 21);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stderr_gets_what_the_admin_should_know),
		cmocka_unit_test(long_text_stays_one_line),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
