/*
 * gate - at most so many messages at once behind it; the others wait, in the
 * order they came, and for so long only. For threads.
 */
#ifndef FALLBACKMX_MILTER_GATE_H
#define FALLBACKMX_MILTER_GATE_H

#include <pthread.h>
#include <stdbool.h>

#define GATE_TICK 5	/* seconds between two calls of tick */

struct gate_waiter;

struct gate {
	pthread_mutex_t lock;
	unsigned inside;
	struct gate_waiter *first, **last;	/* who waits, oldest first */
};

void gate_init(struct gate *g);

/*
 * Enters. False: there was no place within `seconds`. While waiting tick(arg)
 * is called every GATE_TICK seconds, outside the lock. places may differ from
 * call to call: it holds for who enters.
 */
bool gate_enter(struct gate *g, unsigned places, unsigned seconds,
		void (*tick)(void *arg), void *arg);
void gate_leave(struct gate *g);

#endif
