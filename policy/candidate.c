#include <config.h>

#include <string.h>

#include "candidate.h"

#define FNV_START 14695981039346656037u
#define FNV_PRIME 1099511628211u

static unsigned char
fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

/* The first of them lowest; n up to 8. */
static uint64_t
pack(const char *s, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++)
		x |= (uint64_t)(unsigned char)s[i] << (8 * i);
	return x;
}

static uint64_t
pack_head(const char *s, size_t n)
{
	return pack(s, n < 8 ? n : 8);
}

/* The last byte is the highest, however many there are. */
static uint64_t
pack_tail(const char *s, size_t n)
{
	if (n == 0)
		return 0;
	return n >= 8 ? pack(s + n - 8, 8) : pack(s, n) << (8 * (8 - n));
}

static void
add_pair(uint64_t pairs[2], unsigned char a, unsigned char b)
{
	const unsigned bit = (a * 37u + b * 101u + (a >> 3)) & 127;

	pairs[bit >> 6] |= (uint64_t)1 << (bit & 63);
}

static uint64_t
sum_up(const char *s, size_t n, uint64_t pairs[2])
{
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)s[i];

		hash = (hash ^ c) * FNV_PRIME;
		if (i + 1 < n)
			add_pair(pairs, c, (unsigned char)s[i + 1]);
	}
	return hash;
}

static const char *
fold_text(const char *text, size_t n, struct arena *a)
{
	char *s = arena_alloc(a, n + 1);

	for (size_t i = 0; i < n; i++)
		s[i] = (char)fold((unsigned char)text[i]);
	return s;
}

void
candidate_make(struct candidate *c, const char *text, struct arena *a)
{
	*c = (struct candidate){ .shown = text, .n = strlen(text) };
	c->folded = fold_text(text, c->n, a);
	c->hash = sum_up(c->folded, c->n, c->pairs);
	c->head = pack_head(c->folded, c->n);
	c->tail = pack_tail(c->folded, c->n);
}

static struct value_key
key_of(enum compare how, const char *s, size_t n)
{
	const size_t m = n < 8 ? n : 8;
	struct value_key key = { 0 };
	uint64_t pairs[2] = { 0 }, hash = sum_up(s, n, pairs);

	switch (how) {
	case COMPARE_STARTS_WITH:
		key.a = pack_head(s, n);
		key.b = m == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * m)) - 1;
		break;
	case COMPARE_ENDS_WITH:
		key.a = pack_tail(s, n);
		key.b = m == 0 ? 0 : UINT64_MAX << (8 * (8 - m));
		break;
	case COMPARE_CONTAINS:
		key.a = pairs[0];
		key.b = pairs[1];
		break;
	default:
		key.a = hash;
		key.b = n;
	}
	return key;
}

void
values_make(struct values *v, enum compare how, const char *const *strings,
	    size_t n, struct arena *a)
{
	struct value_key *keys = arena_alloc(a, n * sizeof(*keys));
	struct value *all = arena_alloc(a, n * sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		all[i].n = strlen(strings[i]);
		all[i].folded = fold_text(strings[i], all[i].n, a);
		keys[i] = key_of(how, all[i].folded, all[i].n);
	}
	*v = (struct values){ how, n, keys, all };
}

static bool
hit_equal(const struct values *v, const struct candidate *c)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->keys[i].a == c->hash && v->keys[i].b == c->n &&
		    memcmp(v->all[i].folded, c->folded, c->n) == 0)
			return true;
	return false;
}

static bool
hit_start(const struct values *v, const struct candidate *c)
{
	for (size_t i = 0; i < v->n; i++)
		if ((c->head & v->keys[i].b) == v->keys[i].a &&
		    v->all[i].n <= c->n &&
		    memcmp(v->all[i].folded, c->folded, v->all[i].n) == 0)
			return true;
	return false;
}

static bool
hit_end(const struct values *v, const struct candidate *c)
{
	for (size_t i = 0; i < v->n; i++)
		if ((c->tail & v->keys[i].b) == v->keys[i].a &&
		    v->all[i].n <= c->n &&
		    memcmp(v->all[i].folded, c->folded + c->n - v->all[i].n,
			   v->all[i].n) == 0)
			return true;
	return false;
}

static bool
hit_inside(const struct values *v, const struct candidate *c)
{
	for (size_t i = 0; i < v->n; i++)
		if ((v->keys[i].a & ~c->pairs[0]) == 0 &&
		    (v->keys[i].b & ~c->pairs[1]) == 0 &&
		    v->all[i].n <= c->n &&
		    memmem(c->folded, c->n, v->all[i].folded,
			   v->all[i].n) != NULL)
			return true;
	return false;
}

bool
values_hit(const struct values *v, const struct candidate *c)
{
	switch (v->how) {
	case COMPARE_EQUALS:
	case COMPARE_NOT_EQUALS:
		return !c->cut && hit_equal(v, c);
	case COMPARE_STARTS_WITH:
		return hit_start(v, c);
	case COMPARE_ENDS_WITH:
		return !c->cut && hit_end(v, c);
	case COMPARE_CONTAINS:
		return hit_inside(v, c);
	default:
		return false;
	}
}
