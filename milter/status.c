#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "snapshot.h"
#include "status.h"

#define NAME_SIZE 320
#define LABELS_MAX ((size_t)256)

static const char *
show_time(time_t t, char out[32])
{
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		out[0] = '\0';
	return out;
}

static uint64_t
gauge(enum metric m)
{
	return counter_read(counter_get(m, NULL));
}

/* The mistakes of the last reload, each behind two blanks. */
static void
tell_mistakes(const struct snapshot_state *state, struct buf *out)
{
	const char *line = state->mistakes;
	char since[32];

	if (state->failing_since == 0)
		return;
	buf_printf(out, "RELOAD FAILED, since %s; what was loaded before "
		   "stays in force:\n", show_time(state->failing_since,
						  since));
	while (line != NULL && *line != '\0') {
		const size_t n = strcspn(line, "\n");

		buf_printf(out, "  %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static void
tell_document(struct buf *out, const char *what, const struct policy *p,
	      enum policy_kind kind, const char *file, int mode)
{
	char shown[NAME_SIZE];
	const char *name;

	if (p == NULL)
		return;
	name = policy_name(p, kind);
	buf_printf(out, "  %s%s%s (%s): %s\n", what, name ? " " : "",
		   name ? name : "", filter_modes[mode],
		   text_quote(shown, sizeof(shown), file, strlen(file)));
}

/* One ingress point's part of a family. */
struct part {
	struct buf *out;
	const char *title;
	char first[128];	/* its label, with which all labels begin */
};

/* a="b",c="d" as a=b c=d; values are ours and AWS's names, without escapes
 * but for those of odd file names. */
static void
tell_labels(struct buf *out, const char *labels)
{
	for (; *labels != '\0'; labels++)
		if (*labels != '"')
			buf_add(out, *labels == ',' ? " " : labels, 1);
}

/* The upper bound of the bucket in which the share-th is. */
static void
tell_share(struct buf *out, const uint64_t *buckets, uint64_t n,
	   unsigned percent)
{
	size_t i = 0;

	while (i < COUNTER_BUCKETS && buckets[i] * 100 < n * percent)
		i++;
	if (i < COUNTER_BUCKETS)
		buf_printf(out, " p%u<=%gms", percent, counter_bounds[i] * 1e3);
	else
		buf_printf(out, " p%u>%gms", percent,
			   counter_bounds[COUNTER_BUCKETS - 1] * 1e3);
}

static void
tell_seconds(struct buf *out, const struct histogram *h)
{
	uint64_t buckets[COUNTER_BUCKETS + 1];
	double seconds;
	const uint64_t n = histogram_read(h, buckets, &seconds);

	buf_printf(out, "%" PRIu64, n);
	if (n > 0) {
		buf_printf(out, " mean=%.1fms", seconds / (double)n * 1e3);
		tell_share(out, buckets, n, 50);
		tell_share(out, buckets, n, 99);
	}
}

static void
tell_series(void *arg, const char *labels, const struct counter *c,
	    const struct histogram *h)
{
	const struct part *p = arg;
	const size_t n = strlen(p->first);

	if (strncmp(labels, p->first, n) != 0 ||
	    (labels[n] != ',' && labels[n] != '\0'))
		return;
	buf_printf(p->out, "  %s ", p->title);
	tell_labels(p->out, labels + n + (labels[n] == ','));
	buf_printf(p->out, "%s", labels[n] == ',' ? ": " : "");
	if (h != NULL)
		tell_seconds(p->out, h);
	else
		buf_printf(p->out, "%" PRIu64, counter_read(c));
	buf_add(p->out, "\n", 1);
}

static void
tell_ingress(const struct ingress *g, struct buf *out)
{
	static const struct {
		enum metric metric;
		const char *title;
	} parts[] = {
		{ METRIC_MESSAGES, "messages" },
		{ METRIC_REFUSED, "refused" },
		{ METRIC_STATEMENTS, "statement" },
		{ METRIC_RULES, "rule" },
		{ METRIC_ACTIONS, "action" },
		{ METRIC_EOM_SECONDS, "end of message:" },
	};
	const struct ingress_settings *s = g->s;
	struct part p = { .out = out };

	buf_printf(out, "\nIngress point %s%s\n", s->name,
		   s->open ? "" : " (CLOSED)");
	tell_document(out, "traffic policy", g->traffic, POLICY_TRAFFIC,
		      s->traffic_policy, s->traffic_mode);
	tell_document(out, "rule set", g->rules, POLICY_RULE_SET, s->rule_set,
		      s->rule_set_mode);
	snprintf(p.first, sizeof(p.first), "ingress=\"%s\"", s->name);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		p.title = parts[i].title;
		counter_each(parts[i].metric, tell_series, &p);
	}
}

static void
tell_failure(void *arg, const char *labels, const struct counter *c,
	     const struct histogram *h)
{
	struct buf *out = arg;

	(void)h;
	buf_add(out, " ", 1);
	tell_labels(out, labels);
	buf_printf(out, ": %" PRIu64, counter_read(c));
}

int
status_text(void *arg, struct buf *out)
{
	struct snapshot *s = snapshot_hold();
	struct snapshot_state state;
	char when[32];

	(void)arg;
	snapshot_state(&state);
	buf_printf(out, "fallbackmx-milter %s, process %d, since %s\n",
		   PACKAGE_VERSION, (int)getpid(),
		   show_time((time_t)gauge(METRIC_START), when));
	buf_printf(out, "Configuration %u, loaded %s\n", state.generation,
		   show_time(state.loaded, when));
	tell_mistakes(&state, out);
	buf_printf(out, "Now: sessions=%" PRIu64 " messages=%" PRIu64
		   " waiting=%" PRIu64 "\nFailures:", gauge(METRIC_SESSIONS),
		   gauge(METRIC_MESSAGES_OPEN), gauge(METRIC_WAITING));
	counter_each(METRIC_FAILURES, tell_failure, out);
	buf_add(out, "\n", 1);
	for (size_t i = 0; s != NULL && i < s->n; i++)
		tell_ingress(&s->ingresses[i], out);
	snapshot_drop(s);
	free(state.mistakes);
	return state.failing_since == 0 ? EX_OK : EX_CONFIG;
}
