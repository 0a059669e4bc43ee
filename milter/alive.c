#include <config.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "alive.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct alive *all;
static bool running;

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
			x->tell(x->arg);
		pthread_mutex_unlock(&lock);
	}
}

void
alive_begin(struct alive *x, void (*tell)(void *arg), void *arg)
{
	pthread_t thread;

	*x = (struct alive){ .tell = tell, .arg = arg };
	pthread_mutex_lock(&lock);
	x->next = all;
	if (all != NULL)
		all->before = x;
	all = x;
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
	pthread_mutex_unlock(&lock);
}
