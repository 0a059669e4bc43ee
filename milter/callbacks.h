/*
 * callbacks - what libmilter calls: a thin layer between it and the rest.
 *
 * libmilter may call from a thread per connection or from a pool whose threads
 * change between two calls of one connection, so nothing here belongs to a
 * thread. Before end of message nothing blocks. A session without private data
 * gets it whenever it is missed.
 */
#ifndef FALLBACKMX_MILTER_CALLBACKS_H
#define FALLBACKMX_MILTER_CALLBACKS_H

#include "lib/base/err.h"

/* Registers all of them with libmilter, once, before its socket is opened. */
int callbacks_register(struct err *e);

/* One more connection than this is closed at once: before descriptors run out,
 * as libmilter's accept loop would spin then. */
void callbacks_limit(unsigned sessions);

/* From now on no message begins: 451 4.3.2. */
void callbacks_drain(void);

/* Connections that are open. */
unsigned callbacks_sessions(void);

/* Messages that are between their first recipient and their end. */
unsigned callbacks_in_the_middle(void);

#endif
