/*
 * alive - tells who waits for us that we are still at it, while a thread is
 * busy where it cannot say so itself: in a flush. One thread does it for all.
 */
#ifndef FALLBACKMX_MILTER_ALIVE_H
#define FALLBACKMX_MILTER_ALIVE_H

#define ALIVE_SECONDS 5

struct alive {
	void (*tell)(void *arg);
	void *arg;
	struct alive *next, *before;
};

/* From now on tell(arg) is called every ALIVE_SECONDS by another thread,
 * until alive_end() has returned; never both at once. */
void alive_begin(struct alive *x, void (*tell)(void *arg), void *arg);
void alive_end(struct alive *x);

#endif
