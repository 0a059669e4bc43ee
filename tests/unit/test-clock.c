#include <config.h>

#include <time.h>

#include "lib/base/clock.h"
#include "scratch.h"

static void
monotonic_never_goes_back(void **state)
{
	double last = clock_monotonic();

	(void)state;
	assert_true(last > 0);
	for (int i = 0; i < 10000; i++) {
		double now = clock_monotonic();

		assert_true(now >= last);
		last = now;
	}
}

static void
wall_is_the_time_since_1970(void **state)
{
	const time_t before = time(NULL);
	const int64_t now = clock_wall();
	const time_t after = time(NULL);

	(void)state;
	assert_true(before <= now && now <= after);
}

static void
boot_id_is_the_kernels(void **state)
{
	char text[64] = "";
	ssize_t n = scratch_read("/proc/sys/kernel/random/boot_id", text,
				 sizeof(text) - 1);

	(void)state;
	if (n < 0) {
		assert_string_equal(clock_boot_id(), "");
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	assert_int_equal(strlen(text), 36);
	assert_string_equal(clock_boot_id(), text);
	assert_string_equal(clock_boot_id(), text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monotonic_never_goes_back),
		cmocka_unit_test(wall_is_the_time_since_1970),
		cmocka_unit_test(boot_id_is_the_kernels),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
