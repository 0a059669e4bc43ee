#include <config.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "alive.h"
#include "lib/base/log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct alive *all;
static bool running;
static unsigned waiting;

static void
tell_one(struct alive *x)
{
	if (x->told > x->seconds)
		return;
	x->told += ALIVE_SECONDS;
	if (x->told <= x->seconds)
		x->tell(x->arg);
	else
		log_problem("%s: the archive has not answered for %u seconds; "
			    "Postfix is not told any more to wait", x->name,
			    x->seconds);
}

/* Ends when nobody waits any more: the next one begins another. */
static void *
tell_all(void *arg)
{
	const struct timespec pause = { .tv_sec = ALIVE_SECONDS };

	(void)arg;
	for (;;) {
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&lock);
		if (all == NULL) {
			running = false;
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		for (struct alive *x = all; x != NULL; x = x->next)
			tell_one(x);
		pthread_mutex_unlock(&lock);
	}
}

void
alive_begin(struct alive *x)
{
	pthread_t thread;

	pthread_mutex_lock(&lock);
	x->next = all;
	if (all != NULL)
		all->before = x;
	all = x;
	waiting++;
	if (!running && pthread_create(&thread, NULL, tell_all, NULL) == 0) {
		pthread_detach(thread);
		running = true;
	}
	pthread_mutex_unlock(&lock);
}

void
alive_end(struct alive *x)
{
	pthread_mutex_lock(&lock);
	if (x->before != NULL)
		x->before->next = x->next;
	else
		all = x->next;
	if (x->next != NULL)
		x->next->before = x->before;
	waiting--;
	pthread_mutex_unlock(&lock);
}

unsigned
alive_waiting(void)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	n = waiting;
	pthread_mutex_unlock(&lock);
	return n;
}
