/*
 * alive - tells who waits for us that we are still at it, while a thread is
 * busy where it cannot say so itself: in a flush. One thread does it for all.
 * Not for ever: nobody can end a call that a disk does not answer, so after a
 * time he is left to his own patience.
 */
#ifndef FALLBACKMX_MILTER_ALIVE_H
#define FALLBACKMX_MILTER_ALIVE_H

#define ALIVE_SECONDS 5

struct alive {
	const char *name;	/* of the message, for the log */
	unsigned seconds, told;	/* at most; up to now */
	void (*tell)(void *arg);
	void *arg;
	struct alive *next, *before;
};

/* x->name, seconds, tell and arg are set. From now on tell(arg) is called every
 * ALIVE_SECONDS by another thread, for so many seconds and until alive_end()
 * has returned; never both at once. */
void alive_begin(struct alive *x);
void alive_end(struct alive *x);

/* How many have begun and not ended. Any thread. */
unsigned alive_waiting(void);

#endif
