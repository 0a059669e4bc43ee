#include <config.h>

#include <errno.h>
#include <time.h>

#include "gate.h"

struct gate_waiter {
	struct gate_waiter *next;
	pthread_cond_t call;
	unsigned places;
	bool in;
};

void
gate_init(struct gate *g)
{
	*g = (struct gate){ .inside = 0 };
	pthread_mutex_init(&g->lock, NULL);
	g->last = &g->first;
}

/* Whoever waits longest enters, as long as there is room. */
static void
let_in(struct gate *g)
{
	while (g->first != NULL && g->inside < g->first->places) {
		struct gate_waiter *w = g->first;

		g->first = w->next;
		if (g->first == NULL)
			g->last = &g->first;
		g->inside++;
		w->in = true;
		pthread_cond_signal(&w->call);
	}
}

static void
give_up(struct gate *g, struct gate_waiter *w)
{
	struct gate_waiter **at = &g->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (*at == NULL)
		g->last = at;
	/* It may have wanted fewer places than those behind it. */
	let_in(g);
}

static void
wait_until(struct gate *g, struct gate_waiter *w, time_t when)
{
	const struct timespec at = { .tv_sec = when };

	while (!w->in &&
	       pthread_cond_timedwait(&w->call, &g->lock, &at) != ETIMEDOUT)
		;
}

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1;
}

static void
wait_in_line(struct gate *g, struct gate_waiter *w, unsigned seconds,
	     void (*tick)(void *arg), void *arg)
{
	const time_t end = now() + (time_t)seconds;

	for (time_t t = now(); !w->in && t < end; t = now()) {
		wait_until(g, w, t + GATE_TICK < end ? t + GATE_TICK : end);
		if (w->in)
			break;
		pthread_mutex_unlock(&g->lock);
		tick(arg);
		pthread_mutex_lock(&g->lock);
	}
	if (!w->in)
		give_up(g, w);
}

bool
gate_enter(struct gate *g, unsigned places, unsigned seconds,
	   void (*tick)(void *arg), void *arg)
{
	struct gate_waiter w = { .places = places };
	pthread_condattr_t clock;

	pthread_mutex_lock(&g->lock);
	if (g->first == NULL && g->inside < places) {
		g->inside++;
		pthread_mutex_unlock(&g->lock);
		return true;
	}
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&w.call, &clock);
	*g->last = &w;
	g->last = &w.next;
	wait_in_line(g, &w, seconds, tick, arg);
	pthread_mutex_unlock(&g->lock);
	pthread_cond_destroy(&w.call);
	pthread_condattr_destroy(&clock);
	return w.in;
}

void
gate_leave(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->inside--;
	let_in(g);
	pthread_mutex_unlock(&g->lock);
}
