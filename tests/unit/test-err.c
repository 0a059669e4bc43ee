#include <config.h>

#include <errno.h>
#include <sysexits.h>

#include "lib/base/err.h"
#include "unit.h"

static void
failing_is_one_line(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, ERR_PERM, "cannot %s", "x"), -1);
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.code, 0);
	assert_string_equal(e.text, "cannot x");
	assert_int_equal(err_stop(&e, EX_CONFIG, "cannot y"), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_CONFIG);
}

static void
errno_is_temporary(void **state)
{
	struct err e;

	(void)state;
	err_stop(&e, EX_CONFIG, "before");
	errno = ENOSPC;
	assert_int_equal(err_errno(&e, "cannot write %s", "f"), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_int_equal(e.code, 0);
	assert_string_equal(e.text, "cannot write f: No space left on device");
}

static void
context_stands_in_front(void **state)
{
	struct err e;

	(void)state;
	err_stop(&e, EX_NOPERM, "cannot open b");
	assert_int_equal(err_prefix(&e, "cannot read %s", "a"), -1);
	assert_int_equal(e.kind, ERR_STOP);
	assert_int_equal(e.code, EX_NOPERM);
	assert_string_equal(e.text, "cannot read a: cannot open b");
}

static void
long_text_is_cut(void **state)
{
	char text[4096];
	struct err e;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errno = EIO;
	for (int way = 0; way < 4; way++) {
		if (way == 0)
			err_set(&e, ERR_TEMP, "%s", text);
		else if (way == 1)
			err_stop(&e, EX_IOERR, "%s", text);
		else if (way == 2)
			err_errno(&e, "%s", text);
		else
			err_prefix(&e, "%s", text);
		assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failing_is_one_line),
		cmocka_unit_test(errno_is_temporary),
		cmocka_unit_test(context_stands_in_front),
		cmocka_unit_test(long_text_is_cut),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
