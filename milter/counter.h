/*
 * counter - numbers that only grow, gauges, and one kind of histogram, by name
 * and labels. They live as long as the process, so a reload loses none.
 *
 * counter_get() and its like take a lock and are for start and reload; adding
 * is one atomic step and for every thread. Names and help are ours; label
 * values are foreign and escaped by counter_labels().
 */
#ifndef FALLBACKMX_MILTER_COUNTER_H
#define FALLBACKMX_MILTER_COUNTER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define COUNTER_BUCKETS 14	/* of a histogram, without +Inf */
#define COUNTER_SERIES_MAX 65536	/* of all; one more gives a series that
					 * is counted and not shown */

struct counter {
	_Atomic uint64_t n;
};

/* Seconds. Buckets are not cumulative here; printed they are. */
struct histogram {
	_Atomic uint64_t buckets[COUNTER_BUCKETS + 1];
	_Atomic uint64_t microseconds;
};

extern const double counter_bounds[COUNTER_BUCKETS];	/* seconds */

/* The families; the words of Prometheus are in counter.c. */
enum metric {
	METRIC_MESSAGES,	/* ingress, result */
	METRIC_REFUSED,		/* ingress, reason: at MAIL or RCPT */
	METRIC_STATEMENTS,	/* ingress, policy, statement, action, mode */
	METRIC_RULES,		/* ingress, rule_set, rule, mode */
	METRIC_ACTIONS,		/* ingress, action, mode */
	METRIC_FAILURES,	/* class */
	METRIC_RELOADS,		/* result */
	METRIC_ARCHIVED,	/* archive, result */
	METRIC_EOM_SECONDS,	/* histogram: ingress */
	/* gauges */
	METRIC_SESSIONS,	/* open now */
	METRIC_MESSAGES_OPEN,	/* between MAIL and their end */
	METRIC_WAITING,		/* for a place at end of message */
	METRIC_POLICY_OK,	/* 0: a reload failed, the old one stays */
	METRIC_POLICY_LOADED,	/* Unix time of what is in force */
	METRIC_START,		/* Unix time */
	METRICS,
};

/* `name="value",...` of pairs of words, ended by NULL; values escaped. */
void counter_labels(struct buf *out, ...) __attribute__((sentinel));

/* The series with these labels ("" or NULL: none), made if it is new. Never
 * NULL; lives for ever. */
struct counter *counter_get(enum metric m, const char *labels);
struct histogram *histogram_get(enum metric m, const char *labels);

static inline void
counter_add(struct counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(&c->n, n, memory_order_relaxed);
}

/* Of gauges. */
static inline void
counter_set(struct counter *c, uint64_t n)
{
	atomic_store_explicit(&c->n, n, memory_order_relaxed);
}

static inline void
counter_sub(struct counter *c, uint64_t n)
{
	atomic_fetch_sub_explicit(&c->n, n, memory_order_relaxed);
}

static inline uint64_t
counter_read(const struct counter *c)
{
	return atomic_load_explicit(&c->n, memory_order_relaxed);
}

void histogram_add(struct histogram *h, double seconds);

/* Fills the cumulative buckets and the sum; returns how many there are. */
uint64_t histogram_read(const struct histogram *h,
			uint64_t buckets[COUNTER_BUCKETS + 1],
			double *seconds_r);

/* All of them as Prometheus' text format 0.0.4. */
void counter_print(struct buf *out);

/* The same as JSON: an object whose members are the families, each a list of
 * objects with the labels and value, or count, sum and buckets. */
void counter_json(struct buf *out);

/* Calls see() for each series, in the order they came; c or h is NULL. see()
 * must not call counter_get(). */
void counter_each(enum metric m, void (*see)(void *arg, const char *labels,
					     const struct counter *c,
					     const struct histogram *h),
		  void *arg);

#endif
