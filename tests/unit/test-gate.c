#include <config.h>

#include <stdatomic.h>
#include <unistd.h>

#include "milter/gate.h"
#include "unit.h"

#define CROWD 32

static struct gate gate;
static _Atomic unsigned inside, most, done, ticks;

static void
tick(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ticks, 1);
}

static void
bounded(void **state)
{
	(void)state;
	gate_init(&gate);
	assert_true(gate_enter(&gate, 2, 0, tick, NULL));
	assert_true(gate_enter(&gate, 2, 0, tick, NULL));
	assert_false(gate_enter(&gate, 2, 0, tick, NULL));
	/* A reload may have given more places. */
	assert_true(gate_enter(&gate, 3, 0, tick, NULL));
	gate_leave(&gate);
	gate_leave(&gate);
	assert_true(gate_enter(&gate, 2, 0, tick, NULL));
	gate_leave(&gate);
	gate_leave(&gate);
	assert_int_equal(gate.inside, 0);
}

static void *
pass(void *arg)
{
	unsigned now, seen;

	(void)arg;
	if (!gate_enter(&gate, 4, 60, tick, NULL))
		return NULL;
	now = atomic_fetch_add(&inside, 1) + 1;
	seen = atomic_load(&most);
	while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	usleep(2000);
	atomic_fetch_sub(&inside, 1);
	gate_leave(&gate);
	atomic_fetch_add(&done, 1);
	return NULL;
}

static void
crowd(void **state)
{
	pthread_t all[CROWD];

	(void)state;
	gate_init(&gate);
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&all[i], NULL, pass, NULL), 0);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(all[i], NULL);
	assert_int_equal(done, CROWD);
	assert_true(most >= 1 && most <= 4);
	assert_int_equal(gate.inside, 0);
	assert_null(gate.first);
}

static void *
give_way(void *arg)
{
	(void)arg;
	usleep(100000);
	gate_leave(&gate);
	return NULL;
}

/* Who waits is called when a place is free; who gives up leaves no trace. */
static void
waits(void **state)
{
	pthread_t other;

	(void)state;
	gate_init(&gate);
	assert_true(gate_enter(&gate, 1, 0, tick, NULL));
	assert_int_equal(pthread_create(&other, NULL, give_way, NULL), 0);
	assert_true(gate_enter(&gate, 1, 60, tick, NULL));
	pthread_join(other, NULL);
	assert_false(gate_enter(&gate, 1, 1, tick, NULL));
	assert_null(gate.first);
	gate_leave(&gate);
	assert_true(gate_enter(&gate, 1, 0, tick, NULL));
}

static void
tells_progress(void **state)
{
	(void)state;
	gate_init(&gate);
	assert_true(gate_enter(&gate, 1, 0, tick, NULL));
	atomic_store(&ticks, 0);
	assert_false(gate_enter(&gate, 1, GATE_TICK + 1, tick, NULL));
	assert_true(ticks >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounded),
		cmocka_unit_test(crowd),
		cmocka_unit_test(waits),
		cmocka_unit_test(tells_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
