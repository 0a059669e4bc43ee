#include <config.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "lib/mail/address.h"
#include "lib/mail/decode.h"
#include "lib/mail/head.h"
#include "look.h"
#include "policy-private.h"

void
look_begin(struct look *l, const struct policy *p, const struct facts *f,
	   struct arena *a)
{
	*l = (struct look){ .p = p, .f = f, .a = a,
			    .regex_work = LOOK_REGEX_WORK };
	l->slots = arena_alloc(a, p->slots_n * sizeof(*l->slots));
	l->known = arena_alloc(a, p->conditions_n * sizeof(*l->known));
}

void
look_at_recipients(struct look *l, const char *const *recipients, size_t n)
{
	struct candidate *all = arena_alloc(l->a, n * sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		candidate_make(&all[i], recipients[i], l->a);
		all[i].address = true;
	}
	l->recipient = (struct candidates){ .all = all, .n = n, .known = true };
}

/* One text; NULL: nobody has said. */
static void
fill_one(struct look *l, struct candidates *c, const char *text, bool address)
{
	if (text == NULL)
		return;
	c->all = arena_alloc(l->a, sizeof(*c->all));
	c->n = 1;
	c->known = true;
	candidate_make(c->all, text, l->a);
	c->all->address = address;
}

static size_t
count_fields(const struct head *h, const char *name)
{
	const struct head_field *f = NULL;
	size_t n = 0;

	while ((f = head_next(h, name, f)) != NULL)
		n++;
	return n;
}

/* A field that is not there is an empty one. */
static void
fill_text(struct look *l, struct candidates *c, const char *name)
{
	const struct head *h = l->f->head;
	const struct head_field *f = NULL;
	size_t n;

	if (h == NULL)
		return;
	n = count_fields(h, name);
	c->partial = h->limits;
	if (n == 0) {
		fill_one(l, c, "", false);
		return;
	}
	c->known = true;
	c->all = arena_alloc(l->a, n * sizeof(*c->all));
	while ((f = head_next(h, name, f)) != NULL) {
		candidate_make(&c->all[c->n],
			       decode_text(head_value(f, l->a), l->a), l->a);
		c->all[c->n++].cut = f->cut;
	}
}

/* An address with an international domain comes in three forms. */
#define TOTAL_MAX (3 * ADDRESSES_MAX)

/* No mail for people has more; what a stranger sends beyond is not read, and
 * the answer is not taken for the whole. */
static size_t
cap_addresses(struct addresses *lists, size_t n, bool *partial)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		if (lists[i].n > TOTAL_MAX - total) {
			lists[i].n = TOTAL_MAX - total;
			*partial = true;
		}
		total += lists[i].n;
		if (lists[i].malformed)
			*partial = true;
	}
	return total;
}

/* Behind the last comma of a field that was cut is no whole address. */
static void
read_addresses(const struct head_field *f, struct addresses *r,
	       struct arena *a)
{
	struct head_field whole = *f;
	const char *comma = !f->cut ? NULL :
		memrchr(f->value, ',', f->value_n);

	if (f->cut)
		whole.value_n = comma ? (size_t)(comma - f->value) : 0;
	address_read(head_value(&whole, a), r, a);
}

static void
fill_addresses(struct look *l, struct candidates *c, const char *name)
{
	const struct head_field *f = NULL;
	struct addresses *lists;
	struct candidate *texts;
	size_t n, total;

	fill_text(l, c, name);
	if (!c->known || count_fields(l->f->head, name) == 0)
		return;
	n = c->n;
	texts = c->all;
	lists = arena_alloc(l->a, n * sizeof(*lists));
	for (size_t i = 0; i < n; i++) {
		f = head_next(l->f->head, name, f);
		read_addresses(f, &lists[i], l->a);
	}
	total = cap_addresses(lists, n, &c->partial);
	c->all = arena_alloc(l->a, (n + total) * sizeof(*c->all));
	memcpy(c->all, texts, n * sizeof(*texts));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < lists[i].n; j++) {
			candidate_make(&c->all[c->n], lists[i].all[j], l->a);
			c->all[c->n++].address = true;
		}
}

/* All that are said to be of it: a sender may have written one of them. */
static void
fill_analysis(struct look *l, struct candidates *c, const struct slot *slot)
{
	const size_t n = l->f->analyses_n;

	for (size_t i = 0; i < n; i++) {
		const struct facts_analysis *x = &l->f->analyses[i];

		if (strcmp(x->analyzer, slot->name) != 0 ||
		    strcmp(x->field, slot->field) != 0)
			continue;
		if (c->n == 0)
			c->all = arena_alloc(l->a, (n - i) * sizeof(*c->all));
		candidate_make(&c->all[c->n++], x->value, l->a);
		c->known = true;
	}
}

static struct candidates *
fill(struct look *l, const struct slot *slot)
{
	struct candidates *c = arena_alloc(l->a, sizeof(*c));
	const struct facts *f = l->f;

	switch (slot->kind) {
	case SLOT_MAIL_FROM:
		fill_one(l, c, f->mail_from, true);
		break;
	case SLOT_HELO:
		fill_one(l, c, f->helo, false);
		break;
	case SLOT_AUTH_USER:
		fill_one(l, c, f->auth_user ? f->auth_user : "", false);
		break;
	case SLOT_CERT_CN:
		fill_one(l, c, f->cert_cn, false);
		break;
	case SLOT_TEXT:
		fill_text(l, c, slot->name);
		break;
	case SLOT_ADDRESSES:
		fill_addresses(l, c, slot->name);
		break;
	case SLOT_ANALYSIS:
		fill_analysis(l, c, slot);
		break;
	case SLOT_RECIPIENT:
	case SLOT_UNKNOWN:
		break;
	}
	return c;
}

const struct candidates *
look_slot(struct look *l, size_t slot)
{
	const struct slot *s = &l->p->slots[slot];

	if (s->kind == SLOT_RECIPIENT)
		return &l->recipient;
	if (l->slots[slot] == NULL)
		l->slots[slot] = fill(l, s);
	return l->slots[slot];
}

const char *
look_client(struct look *l)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (l->client == NULL) {
		if (l->f->client.family != 0)
			inet_ntop(l->f->client.family, l->f->client.bytes,
				  text, sizeof(text));
		l->client = arena_strdup(l->a, text);
	}
	return l->client;
}

const char *
look_size(struct look *l)
{
	if (l->size == NULL)
		l->size = l->f->head == NULL ? "" :
			arena_printf(l->a, "%" PRIu64, l->f->size);
	return l->size;
}
