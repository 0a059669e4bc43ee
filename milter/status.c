#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "policy/survey.h"
#include "snapshot.h"
#include "status.h"

#define NAME_SIZE 320

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
	const char *name = policy_name(p, kind);

	buf_printf(out, "  %s%s%s (%s): %s\n", what, name ? " " : "",
		   name ? name : "", filter_modes[mode],
		   text_quote(shown, sizeof(shown), file, strlen(file)));
}

/* The traffic policy and how many recipients each statement decided. */
static void
tell_traffic(struct buf *out, const struct ingress *g)
{
	const size_t n = survey_statements(g->traffic);

	tell_document(out, "traffic policy", g->traffic, POLICY_TRAFFIC,
		      g->s->traffic_policy, g->s->traffic_mode);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "    PolicyStatements[%zu] %s: %" PRIu64 "\n",
			   i, survey_denies(g->traffic, i) ? "DENY" : "ALLOW",
			   counter_read(ingress_statement(g, i)));
	buf_printf(out, "    DefaultAction %s: %" PRIu64 "\n",
		   survey_default_denies(g->traffic) ? "DENY" : "ALLOW",
		   counter_read(ingress_statement(g, n)));
	if (policy_size_max(g->traffic) > 0)
		buf_printf(out, "    MaxMessageSizeBytes: %" PRIu64 "\n",
			   counter_read(ingress_statement(g, n + 1)));
}

/* The rule set and in how many messages each rule matched. */
static void
tell_rules(struct buf *out, const struct ingress *g)
{
	tell_document(out, "rule set", g->rules, POLICY_RULE_SET,
		      g->s->rule_set, g->s->rule_set_mode);
	for (size_t i = 0; i < survey_rules(g->rules); i++) {
		const char *name = survey_rule(g->rules, i);

		buf_printf(out, "    Rules[%zu]%s%s: %" PRIu64 "\n", i,
			   *name ? " " : "", name,
			   counter_read(ingress_rule(g, i)));
	}
}

/* Of a family, the series that belong to one ingress point. */
struct part {
	struct buf *out;
	char first[128];	/* `ingress="NAME"`, with which labels begin;
				 * "": any */
};

/* ` WORD=N`, WORD being the value of the first label that is left. */
static void
tell_word(void *arg, const char *labels, const struct counter *c,
	  const struct histogram *h)
{
	const struct part *p = arg;
	const size_t n = strlen(p->first);
	const char *word;

	(void)h;
	if (strncmp(labels, p->first, n) != 0 || (n > 0 && labels[n] != ','))
		return;
	word = strchr(labels + n, '=') + 2;
	buf_printf(p->out, " %.*s%s=%" PRIu64, (int)strcspn(word, "\""), word,
		   strstr(labels, ",mode=\"shadow\"") ? "(shadow)" : "",
		   counter_read(c));
}

static void
tell_words(struct buf *out, const char *title, enum metric m,
	   const struct ingress *g)
{
	struct part p = { .out = out };

	if (g != NULL)
		snprintf(p.first, sizeof(p.first), "ingress=\"%s\"",
			 g->s->name);
	buf_printf(out, "%s", title);
	counter_each(m, tell_word, &p);
	buf_add(out, "\n", 1);
}

/* `archive main: stored=1 again=0 failed=0` */
static void
tell_archives(struct buf *out, const struct snapshot *s)
{
	for (size_t i = 0; i < s->archives_n; i++) {
		struct part p = { .out = out };

		snprintf(p.first, sizeof(p.first), "archive=\"%s\"",
			 s->archives[i].name);
		buf_printf(out, "Archive %s:", s->archives[i].name);
		counter_each(METRIC_ARCHIVED, tell_word, &p);
		buf_add(out, "\n", 1);
	}
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
tell_ingress(const struct ingress *g, struct buf *out)
{
	buf_printf(out, "\nIngress point %s%s\n", g->s->name,
		   g->s->open ? "" : " (CLOSED)");
	if (g->traffic != NULL)
		tell_traffic(out, g);
	if (g->rules != NULL)
		tell_rules(out, g);
	tell_words(out, "  messages:", METRIC_MESSAGES, g);
	tell_words(out, "  refused before:", METRIC_REFUSED, g);
	if (g->rules != NULL)
		tell_words(out, "  actions:", METRIC_ACTIONS, g);
	buf_printf(out, "  end of message: ");
	tell_seconds(out, g->eom);
	buf_add(out, "\n", 1);
}

int
status_text(void *arg, struct buf *out)
{
	struct snapshot *s = snapshot_hold();
	struct snapshot_state state;
	char when[32], file[NAME_SIZE];

	(void)arg;
	snapshot_state(&state);
	buf_printf(out, "fallbackmx-milter %s, process %d, since %s\n",
		   PACKAGE_VERSION, (int)getpid(),
		   show_time((time_t)gauge(METRIC_START), when));
	buf_printf(out, "Configuration %u, loaded %s, of %s\n",
		   state.generation, show_time(state.loaded, when),
		   s ? text_quote(file, sizeof(file), s->file,
				  strlen(s->file)) : "");
	tell_mistakes(&state, out);
	buf_printf(out, "Now: sessions=%" PRIu64 " messages=%" PRIu64
		   " waiting=%" PRIu64 "\n", gauge(METRIC_SESSIONS),
		   gauge(METRIC_MESSAGES_OPEN), gauge(METRIC_WAITING));
	tell_words(out, "Failures:", METRIC_FAILURES, NULL);
	tell_archives(out, s);
	for (size_t i = 0; s != NULL && i < s->n; i++)
		tell_ingress(&s->ingresses[i], out);
	snapshot_drop(s);
	free(state.mistakes);
	return state.failing_since == 0 ? EX_OK : EX_CONFIG;
}
