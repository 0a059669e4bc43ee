#include <config.h>

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "addresslist-document.h"
#include "policy-private.h"

#define WORDS_MAX ((size_t)65536)	/* of one line about what is missing */

static const struct document_kind *const kinds[] = {
	&document_traffic, &document_rule_set, &document_relay,
	&document_archive, &document_address_list, NULL
};

struct policy *
policy_new(void)
{
	struct policy *p = mem_alloc(sizeof(*p));

	p->last = &p->documents;
	return p;
}

static void
document_free(struct document *d)
{
	arena_free(&d->arena);
	free(d);
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	while (p->documents != NULL) {
		struct document *d = p->documents;

		p->documents = d->next;
		document_free(d);
	}
	free(p->slots);
	free(p);
}

static bool
same_slot(const struct slot *a, enum slot_kind kind, const char *name,
	  const char *field)
{
	if (a->kind != kind)
		return false;
	if (kind == SLOT_ANALYSIS)
		return strcmp(a->name, name) == 0 &&
			strcmp(a->field, field) == 0;
	return name == NULL || strcasecmp(a->name, name) == 0;
}

size_t
policy_slot(struct policy *p, enum slot_kind kind, const char *name,
	    const char *field)
{
	for (size_t i = 0; i < p->slots_n; i++)
		if (same_slot(&p->slots[i], kind, name, field))
			return i;
	p->slots = mem_grow(p->slots, p->slots_n + 1, sizeof(*p->slots));
	p->slots[p->slots_n] = (struct slot){ kind, name, field };
	return p->slots_n++;
}

void
policy_take_conditions(struct policy *p, struct arena *a,
		       const struct list *choices, bool unless,
		       struct condition *out)
{
	const struct choice *items = choices->items;

	for (size_t i = 0; i < choices->n; i++) {
		out[i].match = (const struct match *)items[i].kind;
		out[i].of = items[i].value;
		out[i].id = p->conditions_n++;
		out[i].unless = unless;
		if (out[i].match->prepare != NULL)
			out[i].match->prepare(&out[i], p, a);
	}
}

bool
policy_same_name(const char *called, const char *name)
{
	const char *slash;

	if (name == NULL)
		return false;
	if (strcmp(called, name) == 0)
		return true;
	slash = strrchr(called, '/');
	if (slash != NULL && strcmp(slash + 1, name) == 0)
		return true;
	slash = strrchr(name, '/');
	return slash != NULL && strcmp(slash + 1, called) == 0;
}

/* Which kind a document is, by the members that only that kind has. */
static const struct document_kind *
tell_kind(const json_t *v)
{
	for (size_t i = 0; kinds[i] != NULL; i++)
		for (const char *const *key = kinds[i]->tells; *key; key++)
			if (json_object_get(v, *key) != NULL)
				return kinds[i];
	return NULL;
}

static const struct document_kind *
find_kind(enum policy_kind kind)
{
	for (size_t i = 0; kinds[i] != NULL; i++)
		if (kinds[i]->kind == kind)
			return kinds[i];
	return NULL;
}

/* Which kind to read it as; NULL with a mistake told. */
static const struct document_kind *
choose_kind(struct reader *r, const json_t *v, enum policy_kind kind)
{
	const struct document_kind *is = tell_kind(v);
	const struct document_kind *wanted = find_kind(kind);

	if (wanted != NULL && is != NULL && is != wanted) {
		document_mistake(r, NULL, is->what, "%s", wanted->what);
		return NULL;
	}
	if (is == NULL && wanted == NULL)
		document_mistake(r, NULL, json_is_object(v) ? "an object of "
				 "another kind" : "no object", "a traffic "
				 "policy, a rule set, a relay, an archive or "
				 "an address list");
	return wanted ? wanted : is;
}

static void
read_json(struct reader *r, struct document *d, enum policy_kind kind,
	  const char *text, size_t n)
{
	json_t *v = document_load(text, n, r->m);

	if (v == NULL)
		return;
	d->kind = choose_kind(r, v, kind);
	if (d->kind != NULL)
		document_read(r, v, d->kind->shape, NULL, &d->of);
	json_decref(v);
}

enum form {
	FORM_JSON,
	FORM_CSV,
	FORM_NEITHER,
};

static enum form
form_of(enum policy_kind kind, const char *text, size_t n)
{
	size_t i = 0;

	if (n > POLICY_MAX)
		return FORM_JSON;	/* which refuses it */
	while (i < n && memchr(" \t\r\n", text[i], 4) != NULL)
		i++;
	if (kind == POLICY_UNKNOWN && addresslist_is_csv(text, n))
		return FORM_CSV;
	if (kind == POLICY_ADDRESS_LIST &&
	    (i == n || (text[i] != '{' && text[i] != '[')))
		return FORM_CSV;
	if (kind == POLICY_UNKNOWN && i < n &&
	    isalpha((unsigned char)text[i]))
		return FORM_NEITHER;
	return FORM_JSON;
}

static void
read_csv(struct reader *r, struct document *d, const char *text, size_t n)
{
	struct addresslist_document *list;

	list = arena_alloc(&d->arena, sizeof(*list));
	d->kind = &document_address_list;
	d->of = list;
	addresslist_read_csv(r, text, n, list);
}

static void
read_document(struct reader *r, struct document *d, enum policy_kind kind,
	      const char *text, size_t n)
{
	if (document_begin(&text, &n, r->m) < 0)
		return;
	switch (form_of(kind, text, n)) {
	case FORM_JSON:
		read_json(r, d, kind, text, n);
		break;
	case FORM_CSV:
		read_csv(r, d, text, n);
		break;
	case FORM_NEITHER:
		document_mistake(r, NULL, "neither", "JSON, or CSV of one "
				 "column with the header line address");
	}
}

/* Address lists may come before or after the conditions that ask for them. */
static void
link_lists(struct policy *p, struct condition *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].list_name != NULL)
			c[i].list = policy_find_list(p, c[i].list_name);
}

static void
link_all(struct policy *p)
{
	for (size_t i = 0; p->traffic && i < p->traffic->n; i++)
		link_lists(p, p->traffic->statements[i].conditions,
			   p->traffic->statements[i].conditions_n);
	for (size_t i = 0; p->rule_set && i < p->rule_set->n; i++)
		link_lists(p, p->rule_set->rules[i].conditions,
			   p->rule_set->rules[i].conditions_n);
}

static void
check_single(struct policy *p, const struct document *d,
	     struct config_mistakes *m)
{
	if (!d->kind->single)
		return;
	for (const struct document *x = p->documents; x != NULL; x = x->next)
		if (x->kind == d->kind)
			config_mistake_plain(m, "", "a second one", "%s only "
					     "once", d->kind->what);
}

enum policy_kind
policy_add(struct policy *p, enum policy_kind kind, const char *name,
	   const char *text, size_t n, bool aws, struct config_mistakes *m)
{
	struct document *d = mem_alloc(sizeof(*d));
	struct reader r = { &d->arena, m, aws };
	const size_t before = m->n;
	enum policy_kind found;

	read_document(&r, d, kind, text, n);
	found = d->kind ? d->kind->kind : POLICY_UNKNOWN;
	if (m->n == before)
		check_single(p, d, m);
	if (m->n > before) {
		document_free(d);
		return found;
	}
	if (found == POLICY_ADDRESS_LIST && name != NULL)
		((struct addresslist_document *)d->of)->called =
			arena_strdup(&d->arena, name);
	if (d->kind->take != NULL)
		d->kind->take(p, d);
	*p->last = d;
	p->last = &d->next;
	link_all(p);
	return found;
}

static void
add_once(struct buf *lines, const struct buf *line)
{
	if (line->len > 0 && (lines->len == 0 ||
			      strstr(lines->data, line->data) == NULL))
		buf_add(lines, line->data, line->len);
}

static void
missing_conditions(const struct condition *c, size_t n, struct buf *lines)
{
	struct buf line;

	buf_init(&line, WORDS_MAX);
	for (size_t i = 0; i < n; i++)
		if (c[i].match->missing != NULL) {
			buf_clear(&line);
			c[i].match->missing(&c[i], &line);
			add_once(lines, &line);
		}
	buf_free(&line);
}

void
policy_missing_action(const struct policy *p, const struct action *x,
		      struct buf *lines)
{
	const char *relay = x->kind != &action_relay ? NULL :
		((const struct action_relay *)x->of)->relay;
	const char *archive = x->kind != &action_archive ? NULL :
		((const struct action_archive *)x->of)->archive;
	struct buf line;

	buf_init(&line, WORDS_MAX);
	if (relay != NULL && !policy_has_relay(p, relay))
		buf_printf(&line, "relay %s is not loaded\n", relay);
	if (archive != NULL && !policy_has_archive(p, archive))
		buf_printf(&line, "archive %s is not loaded\n", archive);
	add_once(lines, &line);
	buf_free(&line);
}

bool
policy_asks_analysis(const struct policy *p)
{
	const struct traffic *t = p->traffic;

	for (size_t i = 0; t != NULL && i < t->n; i++)
		for (size_t j = 0; j < t->statements[i].conditions_n; j++)
			if (t->statements[i].conditions[j].of_message)
				return true;
	return false;
}

int64_t
policy_size_max(const struct policy *p)
{
	return p->traffic != NULL ? p->traffic->size_max : 0;
}

static bool
removes(const struct rule *r, const char *name)
{
	for (size_t i = 0; i < r->actions_n; i++) {
		const struct action_header *x = r->actions[i].of;

		if (r->actions[i].kind == &action_remove_header &&
		    strcasecmp(x->name, name) == 0)
			return true;
	}
	return false;
}

bool
policy_removes(const struct policy *p, const char *name)
{
	for (size_t i = 0; p->rule_set && i < p->rule_set->n; i++)
		if (removes(&p->rule_set->rules[i], name))
			return true;
	return false;
}

const char *
policy_name(const struct policy *p, enum policy_kind kind)
{
	if (kind == POLICY_TRAFFIC && p->traffic != NULL)
		return p->traffic->name;
	if (kind == POLICY_RULE_SET && p->rule_set != NULL)
		return p->rule_set->name;
	return NULL;
}

void
policy_missing_facts(const struct policy *p, struct buf *lines)
{
	for (size_t i = 0; p->traffic && i < p->traffic->n; i++)
		missing_conditions(p->traffic->statements[i].conditions,
				   p->traffic->statements[i].conditions_n,
				   lines);
	for (size_t i = 0; p->rule_set && i < p->rule_set->n; i++)
		missing_conditions(p->rule_set->rules[i].conditions,
				   p->rule_set->rules[i].conditions_n, lines);
}

void
policy_missing_targets(const struct policy *p, struct buf *lines)
{
	for (size_t i = 0; p->rule_set && i < p->rule_set->n; i++) {
		const struct rule *r = &p->rule_set->rules[i];

		for (size_t j = 0; j < r->actions_n; j++)
			policy_missing_action(p, &r->actions[j], lines);
	}
}

bool
policy_print(const struct policy *p, enum policy_kind kind, struct buf *out)
{
	bool found = false;

	for (const struct document *d = p->documents; d != NULL; d = d->next)
		if (d->kind->kind == kind) {
			document_print(d->kind->shape, &d->of, out);
			found = true;
		}
	return found;
}

void
policy_words_conditions(const struct condition *c, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		const bool first = i == 0 || c[i].unless != c[i - 1].unless;

		if (first)
			buf_printf(out, "%s", !c[i].unless ? "" : i == 0 ?
				   "unless " : ", unless ");
		else
			buf_printf(out, "%s", c[i].unless ? " or " : " and ");
		c[i].match->words(&c[i], out);
	}
}

void
policy_explain(const struct policy *p, struct buf *out)
{
	for (const struct document *d = p->documents; d != NULL; d = d->next)
		d->kind->explain(p, d, out);
}
