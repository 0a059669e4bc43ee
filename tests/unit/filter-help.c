#include <config.h>

#include "filter-help.h"
#include "lib/mail/decode.h"
#include "milter/envelope.h"

#define LINES_MAX ((size_t)65536)
#define HELD 1000	/* more references than anybody drops */

static const char ordinary[] = "{\"ingress_points\": [{\"name\": \"mx-in\"}]}";

static void
read_settings(struct stage *t, const char *text)
{
	struct buf lines;
	struct err e;

	buf_init(&lines, LINES_MAX);
	text = arena_printf(&t->a, "{\"milter\": %s}", *text ? text : ordinary);
	if (filter_settings_parse(&t->snapshot.settings, "f", text,
				  strlen(text), &lines, &e) < 0)
		fail_msg("%s%s", e.text, lines.data);
	buf_free(&lines);
}

/* The ingress points as the snapshot would have them. */
static void
make_ingresses(struct stage *t)
{
	static struct ingress_settings built_in[] = {
		{ .name = "submission", .open = true, .deny_text = "no" },
		{ .name = "default", .open = true, .deny_text = "no" },
	};
	struct snapshot *s = &t->snapshot;

	s->ingresses = t->ingresses;
	for (size_t i = 0; i < s->settings.ingresses_n; i++) {
		struct ingress *g = &t->ingresses[s->n++];

		g->s = &s->settings.ingresses[i];
		if (strcmp(g->s->name, "submission") == 0)
			s->submission = g;
		else if (g->s->listener == NULL && g->s->macro == NULL &&
			 g->s->daemon_name == NULL)
			s->rest = g;
	}
	if (s->submission == NULL) {
		s->submission = &t->ingresses[s->n++];
		s->submission->s = &built_in[0];
	}
	if (s->rest == NULL) {
		s->rest = &t->ingresses[s->n++];
		s->rest->s = &built_in[1];
	}
}

void
stage_begin(struct stage *t, const char *settings)
{
	*t = (struct stage){ .traffic = NULL };
	decode_init();
	read_settings(t, settings);
	t->snapshot.refs = HELD;
	make_ingresses(t);
	facts_ip("192.0.2.1", &t->client);
}

void
stage_end(struct stage *t)
{
	message_end(&t->m);
	filter_settings_free(&t->snapshot.settings);
	policy_free(t->traffic);
	policy_free(t->rules);
	arena_free(&t->a);
}

static struct policy *
load(enum policy_kind kind, const char *text)
{
	struct policy *p = policy_new();
	struct buf lines;
	struct config_mistakes m = { "f", &lines, 0 };

	buf_init(&lines, LINES_MAX);
	policy_add(p, kind, NULL, text, strlen(text), false, &m);
	if (m.n > 0)
		fail_msg("%s", lines.data);
	buf_free(&lines);
	return p;
}

void
stage_traffic(struct stage *t, const char *text)
{
	policy_free(t->traffic);
	t->traffic = load(POLICY_TRAFFIC, text);
	t->ingresses[0].traffic = t->traffic;
}

void
stage_rules(struct stage *t, const char *text)
{
	policy_free(t->rules);
	t->rules = load(POLICY_RULE_SET, text);
	t->ingresses[0].rules = t->rules;
}

void
stage_macro(struct stage *t, const char *name, const char *value)
{
	size_t i = 0;

	while (i < STAGE_MACROS - 1 && t->macros[i].name != NULL &&
	       strcmp(t->macros[i].name, name) != 0)
		i++;
	t->macros[i].name = name;
	t->macros[i].value = value;
}

static const char *
get_macro(void *from, const char *name)
{
	const struct stage *t = from;

	for (size_t i = 0; i < STAGE_MACROS; i++)
		if (t->macros[i].name != NULL &&
		    strcmp(t->macros[i].name, name) == 0)
			return t->macros[i].value;
	return NULL;
}

void
stage_mail(struct stage *t, const char *client, char *const *arguments)
{
	const struct macros macros = { get_macro, t };

	if (client != NULL && facts_ip(client, &t->client) < 0)
		t->client = (struct ip){ 0 };
	message_begin(&t->m, &t->snapshot, &t->client, &macros, arguments);
	message_set_queue_id(&t->m, "4bXyz1");
}

bool
stage_rcpt(struct stage *t, const char *text)
{
	struct arena work = { NULL };
	const char *address = envelope_meant(NULL, text, &work);
	const bool ok = judge_recipient(&t->m, "helo.example", text, address,
					&t->why, &t->reply, &t->by);

	arena_free(&work);
	return ok;
}

void
stage_header(struct stage *t, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;

	assert_non_null(copy);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		char *value = strchr(line, ':');

		/* A fold stays part of the value. */
		while (rest != NULL && (*rest == ' ' || *rest == '\t')) {
			rest[-1] = '\n';
			strsep(&rest, "\n");
		}
		assert_non_null(value);
		*value++ = '\0';
		message_add_header(&t->m, line, value, false);
	}
	message_end_header(&t->m);
	free(copy);
}

void
stage_finish(struct stage *t)
{
	const char *why;

	if (judge_message(&t->m, "helo.example", true, &t->j, &why) < 0)
		plan_fail(&t->m, TROUBLE_INTERNAL, why, &t->p);
	else
		plan_make(&t->m, &t->j.verdict, t->j.limits, &t->p);
}

const char *
stage_edits(struct stage *t)
{
	const struct plan *p = &t->p;
	const char *text;
	struct buf out;

	buf_init(&out, LINES_MAX);
	for (size_t i = 0; i < p->removals_n; i++)
		buf_printf(&out, "-%s:%u ", p->removals[i].name,
			   p->removals[i].ordinal);
	for (size_t i = 0; i < p->fields_n; i++)
		buf_printf(&out, "+%s: %s ", p->fields[i].name,
			   p->fields[i].value);
	if (p->tag != NULL)
		buf_printf(&out, "tag=%s", p->tag);
	for (size_t i = 0; i < p->gone_n; i++)
		buf_printf(&out, " gone=%s", p->gone[i]);
	for (size_t i = 0; i < p->come_n; i++)
		buf_printf(&out, " come=%s", p->come[i]);
	if (p->hold != NULL)
		buf_printf(&out, " hold=%s", p->hold);
	text = arena_strdup(&t->a, out.data ? out.data : "");
	buf_free(&out);
	return text;
}
