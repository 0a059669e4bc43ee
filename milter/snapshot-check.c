/*
 * What the documents of a snapshot ask for, against what the settings give:
 * targets outside, headers, analyses, address lists.
 */
#include <config.h>

#include <string.h>

#include "snapshot-private.h"
#include "tag.h"

#define LINES_MAX ((size_t)262144)

static const struct target_settings *
find_way(const struct loading *l, const char *target)
{
	const struct filter_settings *s = &l->s->settings;

	for (size_t i = 0; i < s->targets_n; i++)
		if (survey_same_target(s->targets[i].target, target))
			return &s->targets[i];
	return NULL;
}

/* The archive of that name; there is room for all. */
static const struct vault *
use_archive(struct snapshot *s, const char *name)
{
	struct vault *a = s->archives;

	while (a < s->archives + s->archives_n && strcmp(a->name, name) != 0)
		a++;
	if (a == s->archives + s->archives_n) {
		a->name = name;
		s->archives_n++;
	}
	return a;
}

static void
use_archives(struct loading *l)
{
	struct snapshot *s = l->s;

	s->archives = arena_alloc(l->arena, (s->settings.targets_n + 1) *
				  sizeof(*s->archives));
	if (s->settings.archive->rest != NULL)
		s->rest_archive = use_archive(s, s->settings.archive->rest);
}

/* What is enforced may ask for it; what a shadow asks for is not kept. */
static void
map_target(struct loading *l, const struct action *x, bool enforced,
	   const struct target_settings *t)
{
	const struct vault *a = NULL;

	if (t != NULL && t->way == TARGET_CARRY && enforced &&
	    x->kind == &action_archive)
		a = use_archive(l->s, t->archive);
	snapshot_map(l->s, x, t, a);
}

/* Whether what comes in there may have to be kept. */
static void
mark_ingress(struct snapshot *s, struct ingress *g)
{
	enum storage storage;
	size_t n;

	g->archives = s->rest_archive != NULL;
	for (size_t i = 0; g->rules != NULL && i < survey_rules(g->rules) &&
	     g->s->rule_set_mode == MODE_ENFORCE; i++) {
		const struct action *x = survey_actions(g->rules, i, &n);

		for (size_t k = 0; k < n; k++)
			g->archives |= snapshot_archive(s, &x[k], &storage) !=
				NULL;
	}
}

static void
check_target(struct loading *l, struct config_mistakes *m, bool enforced,
	     const struct action *x, const char *path, const char *rule)
{
	const char *member, *target = survey_target(x, &member), *place;
	const struct target_settings *t;

	if (target == NULL)
		return;
	t = find_way(l, target);
	map_target(l, x, enforced, t);
	place = arena_printf(l->arena, "%s.%s%s%s", path, action_name(x),
			     *member ? "." : "", member);
	target = snapshot_shown(l, target);
	if (t == NULL)
		config_mistake(m, place, target, "a target that is mapped, for "
			       "%s: add {\"target\": \"%s\", \"action\": "
			       "\"%s\"} (or \"skip\") to milter.targets of "
			       "%s", rule, target, x->kind == &action_archive ?
			       "carry" : "local", l->file);
	else if (t->way == TARGET_CARRY && x->kind != &action_archive)
		config_mistake(m, place, target, "a target mapped to local or "
			       "skip, for %s: this version carries archives "
			       "only; change it in milter.targets of %s", rule,
			       l->file);
}

/* The tag is ours: forged copies go anyway, and what a rule adds under that
 * name would be one. */
static void
check_header(struct loading *l, struct config_mistakes *m,
	     const struct action *x, const char *path, const char *rule)
{
	const char *name = survey_header(x);

	if (name == NULL || !tag_is_name(name))
		return;
	config_mistake(m, arena_printf(l->arena, "%s.%s.HeaderName", path,
				       action_name(x)), name, "another name, "
		       "for %s: the milter writes that header itself and "
		       "removes all others; %sleave the action out", rule,
		       x->kind == &action_add_header ?
		       "rename the rule's, or " : "");
}

static void
check_actions(struct loading *l, struct config_mistakes *m, bool enforced,
	      const struct policy *p)
{
	for (size_t i = 0; i < survey_rules(p); i++) {
		size_t n;
		const struct action *actions = survey_actions(p, i, &n);
		const char *rule = survey_rule(p, i);

		rule = *rule == '\0' ? "a rule without a name" :
			arena_printf(l->arena, "the rule %s", rule);
		for (size_t k = 0; k < n; k++) {
			const char *path = arena_printf(
				l->arena, "Rules[%zu].Actions[%zu]", i, k);

			check_target(l, m, enforced, &actions[k], path, rule);
			check_header(l, m, &actions[k], path, rule);
		}
	}
}

static void
check_analyses(struct loading *l, struct config_mistakes *m,
	       const struct policy *p)
{
	const struct filter_settings *s = &l->s->settings;
	const char *analyzer, *field;

	for (size_t i = 0; survey_analysis(p, i, &analyzer, &field); i++) {
		size_t k = 0;

		while (k < s->analyses_n &&
		       (strcmp(s->analyses[k].analyzer, analyzer) != 0 ||
			strcmp(s->analyses[k].field, field) != 0))
			k++;
		if (k == s->analyses_n)
			config_mistake(m, "Analysis", analyzer, "one that a "
				       "header answers: add {\"analyzer\": "
				       "\"%s\", \"result_field\": \"%s\", "
				       "\"header\": \"NAME\"} to "
				       "milter.analyses of %s",
				       snapshot_shown(l, analyzer),
				       snapshot_shown(l, field), l->file);
	}
}

static void
check_answers(struct loading *l, struct config_mistakes *m,
	      const struct policy *p)
{
	struct buf lines;
	char *line, *rest;

	buf_init(&lines, LINES_MAX);
	policy_missing_facts(p, &lines);
	for (line = lines.data; line != NULL && *line != '\0'; line = rest) {
		rest = line + strcspn(line, "\n");
		if (*rest != '\0')
			*rest++ = '\0';
		m->n++;
		buf_printf(m->lines, "%s: %s", m->file, line);
		if (strncmp(line, "address list ", 13) == 0)
			buf_printf(m->lines, "; add it to "
				   "milter.address_lists of %s", l->file);
		buf_add(m->lines, "\n", 1);
	}
	buf_free(&lines);
}

/* What an enforced policy cannot ask or do is a mistake; in shadow mode it is
 * said, and the rest is tried. */
static void
check_loaded(struct loading *l, const struct loaded *x)
{
	struct config_mistakes m = { .file = snapshot_shown(l, x->file) };
	struct buf lines;
	char *line, *rest;

	buf_init(&lines, LINES_MAX);
	m.lines = &lines;
	check_actions(l, &m, x->enforced, x->policy);
	check_analyses(l, &m, x->policy);
	check_answers(l, &m, x->policy);
	if (x->enforced) {
		buf_add(l->m.lines, lines.data, lines.len);
		l->m.n += m.n;
	}
	for (line = lines.data; !x->enforced && line != NULL && *line != '\0';
	     line = rest) {
		rest = line + strcspn(line, "\n");
		if (*rest != '\0')
			*rest++ = '\0';
		buf_printf(l->warnings, "in shadow mode: %s\n", line);
	}
	buf_free(&lines);
}

/* Nobody but a checker knows the queue id. */
static void
warn_of_results(struct loading *l)
{
	const struct filter_settings *s = &l->s->settings;

	if (s->authserv_id != NULL && !s->authserv_job)
		buf_printf(l->warnings, "%s: milter.authserv_id without "
			   "authserv_job: results that a sender wrote under "
			   "this name are believed where the checkers leave "
			   "them in the mail; set AuthservIDWithJobID yes in "
			   "opendkim.conf and opendmarc.conf, then "
			   "\"authserv_job\": true\n", l->file);
}

static size_t
count_actions(const struct policy *p)
{
	size_t all = 0, n;

	for (size_t i = 0; i < survey_rules(p); i++) {
		survey_actions(p, i, &n);
		all += n;
	}
	return all;
}

void
snapshot_check(struct loading *l)
{
	struct snapshot *s = l->s;
	size_t actions = 0;

	for (size_t i = 0; i < s->policies_n; i++)
		actions += count_actions(s->policies[i].policy);
	for (s->mapped_room = 2; s->mapped_room < 2 * actions;)
		s->mapped_room *= 2;
	s->mapped = arena_alloc(l->arena, s->mapped_room * sizeof(*s->mapped));
	use_archives(l);
	for (size_t i = 0; i < s->policies_n; i++)
		check_loaded(l, &s->policies[i]);
	for (size_t i = 0; i < s->n; i++)
		mark_ingress(s, &s->ingresses[i]);
	warn_of_results(l);
}
