/*
 * The end of a message: the only callback that may wait.
 */
#include <config.h>

#include <time.h>

#include "apply.h"
#include "archive.h"
#include "callbacks-private.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "logline.h"

#define LINE_MAX_ ((size_t)65536) /* bytes of a log line */

void
filter_begin(void)
{
	struct buf labels;

	gate_init(&filter.gate);
	filter.sessions = counter_get(METRIC_SESSIONS, NULL);
	filter.messages = counter_get(METRIC_MESSAGES_OPEN, NULL);
	filter.waiting = counter_get(METRIC_WAITING, NULL);
	buf_init(&labels, LINE_MAX_);
	for (int t = 0; t < TROUBLES; t++) {
		buf_clear(&labels);
		counter_labels(&labels, "class", trouble_words[t],
			       (const char *)NULL);
		filter.failures[t] = counter_get(METRIC_FAILURES, labels.data);
	}
	buf_free(&labels);
}

static int64_t
wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t
wall_ms(void)
{
	return wall_us() / 1000;
}

static void
tell_progress(void *ctx)
{
	smfi_progress(ctx);
}

static bool
enter(SMFICTX *ctx, const struct filter_settings *s)
{
	bool in;

	counter_add(filter.waiting, 1);
	in = gate_enter(&filter.gate, (unsigned)s->concurrency,
			(unsigned)s->wait, tell_progress, ctx);
	counter_sub(filter.waiting, 1);
	return in;
}

/* What is to be done, from the facts alone. */
static void
decide(struct session *s, struct judgement *j, struct plan *plan_r,
       struct plan *shadow_r, bool *judged_r)
{
	struct message *m = &s->message;
	const uint64_t most = ingress_size_max(m->ingress);
	const char *why;
	struct reply reply;

	*judged_r = false;
	if (plan_is_flood(m)) {
		plan_refuse_flood(m, plan_r);
	} else if (most > 0 && m->size > most) {
		plan_refuse_size(m, plan_r);
	} else if (judge_message(m, s->helo, m->keep.on ||
				 m->snapshot->settings.log_json,
				 j, &why) < 0) {
		plan_fail(m, TROUBLE_INTERNAL, why, plan_r);
	} else if (m->relayed &&
		   ingress_refuses_client(m->ingress, &j->facts.client,
					  &reply)) {
		plan_refuse_client(m, &reply, plan_r);
	} else {
		*judged_r = true;
		plan_make(m, &j->verdict, j->limits, plan_r);
		if (j->has_shadow)
			plan_make(m, &j->shadow, j->limits, shadow_r);
	}
}

/* A policy is counted as it was asked: what another one in shadow mode would
 * have kept from it came to it. */
static void
count(const struct message *m, const struct judgement *j,
      const struct plan *p, double seconds)
{
	const struct ingress *i = m->ingress;
	const struct verdict *v;

	counter_add(i->results[p->result], 1);
	histogram_add(i->eom, seconds);
	if (p->trouble >= 0)
		counter_add(filter.failures[p->trouble], 1);
	if (j == NULL)
		return;
	v = i->s->traffic_mode == MODE_SHADOW ? &j->shadow : &j->verdict;
	for (size_t k = 0; i->traffic != NULL && k < v->recipients_n; k++)
		ingress_count_traffic(i, &v->recipients[k]);
	if (i->rules != NULL)
		ingress_count_rules(i, i->s->rule_set_mode == MODE_SHADOW ?
				    &j->shadow : &j->verdict);
}

static void
log_end(const struct session *s, const struct judgement *j,
	const struct plan *p, const struct plan *shadow, double seconds)
{
	const bool json = s->message.snapshot->settings.log_json;
	struct logline_end x = {
		.message = &s->message,
		.helo = s->helo,
		.judgement = j,
		.plan = p,
		.shadow = shadow,
		.seconds = seconds,
		.wall_ms = json ? wall_ms() : 0,
	};
	struct buf line;

	buf_init(&line, LINE_MAX_);
	logline_end(&x, json, &line);
	if (line.cut) {
		/* Without the trail rather than without an end. */
		buf_clear(&line);
		x.judgement = NULL;
		logline_end(&x, json, &line);
	}
	log_record(line.data);
	buf_free(&line);
}

void
filter_log_refusal(const struct session *s, const char *address,
		   enum refusal why, const struct reply *reply,
		   const struct verdict_recipient *by)
{
	const bool json = s->message.snapshot->settings.log_json;
	const struct logline_refusal x = {
		.message = &s->message,
		.helo = s->helo,
		.address = address,
		.why = why,
		.reply = reply,
		.by = by,
		.wall_ms = json ? wall_ms() : 0,
	};
	struct buf line;

	buf_init(&line, LINE_MAX_);
	logline_refusal(&x, json, &line);
	log_record(line.data);
	buf_free(&line);
}

/* Edits first; one that the MTA does not take is a failure of its own, and
 * nothing more is tried: if that is accepted, it is as it stands. */
static sfsistat
carry_out(SMFICTX *ctx, struct session *s, struct plan *p)
{
	const char *failed = apply_plan(ctx, p, s->blank);
	const char **archived = p->archived;
	const size_t archived_n = p->archived_n;

	if (failed != NULL) {
		plan_fail_edit(&s->message, failed, p);
		p->archived = archived;
		p->archived_n = archived_n;
	}
	return apply_answer(ctx, p);
}

sfsistat
filter_finish(SMFICTX *ctx, struct session *s)
{
	struct message *m = &s->message;
	const double began = clock_monotonic();
	struct plan plan, shadow;
	struct judgement j;
	bool judged = false;
	sfsistat answer;
	double seconds;

	if (enter(ctx, &m->snapshot->settings)) {
		decide(s, &j, &plan, &shadow, &judged);
		gate_leave(&filter.gate);
	} else {
		plan_fail(m, TROUBLE_OVERLOAD, "no place in time", &plan);
	}
	archive_message(&(struct archiving){ s, judged ? &j : NULL, wall_us(),
					     tell_progress, ctx }, &plan);
	answer = carry_out(ctx, s, &plan);
	seconds = clock_monotonic() - began;
	count(m, judged ? &j : NULL, &plan, seconds);
	log_end(s, judged ? &j : NULL, &plan,
		judged && j.has_shadow ? &shadow : NULL, seconds);
	return answer;
}
