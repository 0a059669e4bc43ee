#include <config.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "lib/base/arena.h"
#include "lib/base/text.h"

#define LABELS_MAX ((size_t)8192)
#define VALUE_MAX 400		/* bytes of a label's value */
#define CHAINS 4096u

enum type { COUNTER, GAUGE, HISTOGRAM };

struct family {
	const char *name;	/* behind "fallbackmx_" */
	enum type type;
	const char *help;
};

static const struct family families[METRICS] = {
	[METRIC_MESSAGES] = { "messages_total", COUNTER,
		"Messages by what became of them." },
	[METRIC_REFUSED] = { "recipients_refused_total", COUNTER,
		"Senders and recipients refused before end of message." },
	[METRIC_STATEMENTS] = { "statements_total", COUNTER,
		"Recipients by what decided in the traffic policy." },
	[METRIC_RULES] = { "rules_total", COUNTER,
		"Messages in which a rule matched for some recipient." },
	[METRIC_ACTIONS] = { "actions_total", COUNTER,
		"Actions of rules that matched, once for a message and "
		"rule." },
	[METRIC_FAILURES] = { "failures_total", COUNTER,
		"Messages that the milter failed at, by kind of failure." },
	[METRIC_RELOADS] = { "reloads_total", COUNTER,
		"Configurations that were to be put in force." },
	[METRIC_ARCHIVED] = { "archived_total", COUNTER,
		"Messages that were to be archived." },
	[METRIC_EOM_SECONDS] = { "eom_seconds", HISTOGRAM,
		"How long end of message took, waiting included." },
	[METRIC_SESSIONS] = { "sessions", GAUGE, "SMTP sessions open now." },
	[METRIC_MESSAGES_OPEN] = { "messages_open", GAUGE,
		"Messages between MAIL and their end." },
	[METRIC_WAITING] = { "waiting", GAUGE,
		"Messages that wait for their turn at their end." },
	[METRIC_POLICY_OK] = { "policy_ok", GAUGE,
		"0: the last reload failed and the one before is in force." },
	[METRIC_POLICY_LOADED] = { "policy_loaded_timestamp_seconds", GAUGE,
		"When that which is in force was loaded." },
	[METRIC_START] = { "start_timestamp_seconds", GAUGE,
		"When the milter started." },
};

const double counter_bounds[COUNTER_BUCKETS] = {
	.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30
};

struct series {
	struct series *next;	/* in its family, in the order they came */
	struct series *chain;	/* of those with the same hash */
	enum metric metric;
	char *labels;
	union {
		struct counter counter;
		struct histogram histogram;
	};
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct series *first[METRICS], **last[METRICS];
static struct series *chains[CHAINS];
static size_t series_n;
static struct series spare;	/* for what is too many */

static void
add_value(struct buf *out, const char *s)
{
	char shown[VALUE_MAX];

	text_quote(shown, sizeof(shown), s, strlen(s));
	for (const char *p = shown; *p != '\0'; p++) {
		if (*p == '\\' || *p == '"')
			buf_add(out, "\\", 1);
		buf_add(out, p, 1);
	}
}

void
counter_labels(struct buf *out, ...)
{
	const char *name;
	va_list ap;

	va_start(ap, out);
	while ((name = va_arg(ap, const char *)) != NULL) {
		buf_printf(out, "%s%s=\"", out->len > 0 ? "," : "", name);
		add_value(out, va_arg(ap, const char *));
		buf_add(out, "\"", 1);
	}
	va_end(ap);
}

static unsigned
hash(enum metric m, const char *labels)
{
	unsigned h = 2166136261u ^ (unsigned)m;		/* FNV-1a */

	for (; *labels != '\0'; labels++)
		h = (h ^ (unsigned char)*labels) * 16777619u;
	return h % CHAINS;
}

static struct series *
find_or_make(enum metric m, const char *labels)
{
	struct series **chain = &chains[hash(m, labels)];
	struct series *s;

	for (s = *chain; s != NULL; s = s->chain)
		if (s->metric == m && strcmp(s->labels, labels) == 0)
			return s;
	if (series_n >= COUNTER_SERIES_MAX)
		return &spare;
	s = mem_alloc(sizeof(*s));
	s->metric = m;
	s->labels = mem_strdup(labels);
	s->chain = *chain;
	*chain = s;
	if (last[m] == NULL)
		last[m] = &first[m];
	*last[m] = s;
	last[m] = &s->next;
	series_n++;
	return s;
}

static struct series *
get(enum metric m, const char *labels)
{
	struct series *s;

	pthread_mutex_lock(&lock);
	s = find_or_make(m, labels ? labels : "");
	pthread_mutex_unlock(&lock);
	return s;
}

struct counter *
counter_get(enum metric m, const char *labels)
{
	if (families[m].type == HISTOGRAM)
		abort();
	return &get(m, labels)->counter;
}

struct histogram *
histogram_get(enum metric m, const char *labels)
{
	if (families[m].type != HISTOGRAM)
		abort();
	return &get(m, labels)->histogram;
}

void
histogram_add(struct histogram *h, double seconds)
{
	size_t i = 0;

	while (i < COUNTER_BUCKETS && seconds > counter_bounds[i])
		i++;
	atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
	if (seconds > 0)
		atomic_fetch_add_explicit(&h->microseconds,
					  (uint64_t)(seconds * 1e6),
					  memory_order_relaxed);
}

uint64_t
histogram_read(const struct histogram *h, uint64_t buckets[COUNTER_BUCKETS + 1],
	       double *seconds_r)
{
	uint64_t n = 0;

	for (size_t i = 0; i <= COUNTER_BUCKETS; i++) {
		n += atomic_load_explicit(&h->buckets[i],
					  memory_order_relaxed);
		buckets[i] = n;
	}
	*seconds_r = (double)atomic_load_explicit(&h->microseconds,
						  memory_order_relaxed) / 1e6;
	return n;
}

/* `name{labels} `, with one more label for a bucket. */
static void
print_name(struct buf *out, const struct series *s, const char *suffix,
	   const char *more)
{
	const bool both = *s->labels != '\0' && *more != '\0';
	const bool any = *s->labels != '\0' || *more != '\0';

	buf_printf(out, "fallbackmx_%s%s%s", families[s->metric].name, suffix,
		   any ? "{" : "");
	buf_add(out, s->labels, strlen(s->labels));
	buf_printf(out, "%s%s%s ", both ? "," : "", more, any ? "}" : "");
}

static void
print_histogram(struct buf *out, const struct series *s)
{
	uint64_t buckets[COUNTER_BUCKETS + 1];
	char more[32];
	double seconds;
	const uint64_t n = histogram_read(&s->histogram, buckets, &seconds);

	for (size_t i = 0; i < COUNTER_BUCKETS; i++) {
		snprintf(more, sizeof(more), "le=\"%g\"", counter_bounds[i]);
		print_name(out, s, "_bucket", more);
		buf_printf(out, "%" PRIu64 "\n", buckets[i]);
	}
	print_name(out, s, "_bucket", "le=\"+Inf\"");
	buf_printf(out, "%" PRIu64 "\n", n);
	print_name(out, s, "_sum", "");
	buf_printf(out, "%.6f\n", seconds);
	print_name(out, s, "_count", "");
	buf_printf(out, "%" PRIu64 "\n", n);
}

void
counter_print(struct buf *out)
{
	static const char *const types[] = {
		[COUNTER] = "counter", [GAUGE] = "gauge",
		[HISTOGRAM] = "histogram",
	};

	pthread_mutex_lock(&lock);
	for (int m = 0; m < METRICS; m++) {
		const struct family *f = &families[m];

		if (first[m] == NULL)
			continue;
		buf_printf(out, "# HELP fallbackmx_%s %s\n"
			   "# TYPE fallbackmx_%s %s\n", f->name, f->help,
			   f->name, types[f->type]);
		for (const struct series *s = first[m]; s; s = s->next) {
			if (f->type == HISTOGRAM) {
				print_histogram(out, s);
				continue;
			}
			print_name(out, s, "", "");
			buf_printf(out, "%" PRIu64 "\n",
				   counter_read(&s->counter));
		}
	}
	pthread_mutex_unlock(&lock);
}

/* a="b",c="d" as "a":"b","c":"d",: the escapes are the same. */
static void
json_labels(struct buf *out, const char *s)
{
	while (*s != '\0') {
		const size_t name = strcspn(s, "=");
		size_t value = name + 2;

		while (s[value] != '"')
			value += s[value] == '\\' ? 2 : 1;
		buf_add(out, "\"", 1);
		buf_add(out, s, name);
		buf_add(out, "\":", 2);
		buf_add(out, s + name + 1, value - name);
		buf_add(out, ",", 1);
		s += value + 1;
		s += *s == ',';
	}
}

static void
json_series(struct buf *out, const struct series *s)
{
	uint64_t buckets[COUNTER_BUCKETS + 1], n;
	double seconds;

	buf_add(out, "{", 1);
	json_labels(out, s->labels);
	if (families[s->metric].type != HISTOGRAM) {
		buf_printf(out, "\"value\":%" PRIu64 "}",
			   counter_read(&s->counter));
		return;
	}
	n = histogram_read(&s->histogram, buckets, &seconds);
	buf_printf(out, "\"count\":%" PRIu64 ",\"sum\":%.6f,\"buckets\":{", n,
		   seconds);
	for (size_t i = 0; i < COUNTER_BUCKETS; i++)
		buf_printf(out, "\"%g\":%" PRIu64 ",", counter_bounds[i],
			   buckets[i]);
	buf_printf(out, "\"+Inf\":%" PRIu64 "}}", n);
}

void
counter_json(struct buf *out)
{
	const char *glue = "";

	buf_add(out, "{", 1);
	pthread_mutex_lock(&lock);
	for (int m = 0; m < METRICS; m++) {
		if (first[m] == NULL)
			continue;
		buf_printf(out, "%s\"%s\":[", glue, families[m].name);
		for (const struct series *s = first[m]; s; s = s->next) {
			json_series(out, s);
			if (s->next != NULL)
				buf_add(out, ",", 1);
		}
		buf_add(out, "]", 1);
		glue = ",";
	}
	pthread_mutex_unlock(&lock);
	buf_add(out, "}", 1);
}

void
counter_each(enum metric m, void (*see)(void *arg, const char *labels,
					const struct counter *c,
					const struct histogram *h), void *arg)
{
	const bool histogram = families[m].type == HISTOGRAM;

	pthread_mutex_lock(&lock);
	for (const struct series *s = first[m]; s != NULL; s = s->next)
		see(arg, s->labels, histogram ? NULL : &s->counter,
		    histogram ? &s->histogram : NULL);
	pthread_mutex_unlock(&lock);
}
