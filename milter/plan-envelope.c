/*
 * What a plan does to the recipients.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "envelope.h"
#include "plan-private.h"

/* Addresses in order, each once. */
struct names {
	const char **all;
	size_t n;
};

static int
by_address(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
sort_once(struct names *x, int (*compare)(const void *, const void *))
{
	size_t n = 0;

	if (x->n == 0)
		return;
	qsort(x->all, x->n, sizeof(*x->all), compare);
	for (size_t i = 1; i < x->n; i++)
		if (compare(&x->all[n], &x->all[i]) != 0)
			x->all[++n] = x->all[i];
	x->n = n + 1;
}

static bool
has(const struct names *x, const char *name)
{
	return x->n > 0 &&
		bsearch(&name, x->all, x->n, sizeof(*x->all), by_address) !=
		NULL;
}

static bool
is_unchanged(const struct verdict_recipient *r)
{
	return r->disposition != DISPOSITION_DROP && r->reached_n == 1 &&
		strcmp(r->reached[0], r->recipient) == 0;
}

static bool
is_all_unchanged(const struct verdict *v)
{
	for (size_t i = 0; i < v->recipients_n; i++)
		if (!is_unchanged(&v->recipients[i]))
			return false;
	return true;
}

/* A rule gives all its recipients one list: the same one, in memory too. Few
 * rules, so few lists. */
static bool
is_known(const struct verdict_recipient *r, const void **lists, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		if (lists[i] == r->reached)
			return true;
	if (!is_unchanged(r))
		lists[(*n)++] = r->reached;
	return false;
}

static void
collect_wanted(struct message *m, const struct verdict *v, struct names *x)
{
	const void **lists = arena_alloc(&m->memory,
					 v->recipients_n * sizeof(*lists));
	const struct verdict_recipient **from = arena_alloc(
		&m->memory, v->recipients_n * sizeof(*from));
	size_t lists_n = 0, from_n = 0, room = 0;

	for (size_t i = 0; i < v->recipients_n; i++) {
		const struct verdict_recipient *r = &v->recipients[i];

		if (r->disposition == DISPOSITION_DROP ||
		    is_known(r, lists, &lists_n))
			continue;
		from[from_n++] = r;
		room += r->reached_n;
	}
	x->all = arena_alloc(&m->memory, (room + 1) * sizeof(*x->all));
	for (size_t i = 0; i < from_n; i++)
		for (size_t k = 0; k < from[i]->reached_n; k++)
			x->all[x->n++] = from[i]->reached[k];
	sort_once(x, by_address);
}

/* As it was written and as it was understood: of what is in doubt the MTA may
 * find only one, and both are the same mailbox. */
static bool
add_gone(struct message *m, size_t i, struct names *gone)
{
	const char *meant = arena_printf(&m->memory, "<%s>", m->recipients[i]);

	gone->all[gone->n++] = m->texts[i];
	if (strcasecmp(m->texts[i], meant) != 0)
		gone->all[gone->n++] = meant;
	return envelope_is_removable(m->texts[i]);
}

bool
plan_envelope(struct message *m, const struct verdict *v, struct plan *p)
{
	struct names wanted = { NULL, 0 }, there = { NULL, 0 };
	struct names gone = { NULL, 0 };

	if (is_all_unchanged(v))
		return true;
	collect_wanted(m, v, &wanted);
	there.all = arena_alloc(&m->memory,
				m->recipients_n * sizeof(*there.all));
	gone.all = arena_alloc(&m->memory,
			       2 * m->recipients_n * sizeof(*gone.all));
	for (size_t i = 0; i < m->recipients_n; i++) {
		there.all[there.n++] = m->recipients[i];
		if (!has(&wanted, m->recipients[i]) &&
		    !add_gone(m, i, &gone))
			return false;
	}
	sort_once(&there, by_address);
	sort_once(&gone, by_text);
	p->gone = gone.all;
	p->gone_n = gone.n;
	p->come = arena_alloc(&m->memory, (wanted.n + 1) * sizeof(*p->come));
	for (size_t i = 0; i < wanted.n; i++)
		if (!has(&there, wanted.all[i]))
			p->come[p->come_n++] = arena_printf(&m->memory, "<%s>",
							    wanted.all[i]);
	return true;
}
