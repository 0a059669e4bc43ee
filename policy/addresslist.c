#include <config.h>

#include <stdint.h>
#include <string.h>

#include "addresslist.h"

/* AWS's limits of what stands beside a star. */
#define PIECE_MIN ((size_t)3)
#define PIECE_MAX ((size_t)19)
#define LABELS_MIN 2
#define LABELS_MAX 9
/* The longest entry in bytes: nothing longer need be hashed. */
#define ENTRY_MAX ((size_t)1280)

/* Which forms a list has: what it has not need not be asked for. */
enum {
	FORM_WHOLE = 1,		/* local@domain and domain */
	FORM_ANY = 2,		/* *@domain */
	FORM_START = 4,		/* pre*@domain */
	FORM_END = 8,		/* *suf@domain */
	FORM_BELOW = 16,	/* *.domain */
	FORM_LOCAL_BELOW = 32,	/* local@*.domain */
};

struct addresslist {
	const char **slots;	/* entries in lower case; NULL: free */
	size_t mask;		/* slots - 1; half of them at least are free */
	unsigned forms;
};

/* A key in up to three pieces, so that none need be put together. */
struct key {
	const char *s[3];
	size_t n[3];
};

static uint64_t
hash_key(const struct key *k)
{
	uint64_t h = 14695981039346656037u;

	for (int i = 0; i < 3; i++)
		for (size_t j = 0; j < k->n[i]; j++)
			h = (h ^ (unsigned char)k->s[i][j]) * 1099511628211u;
	return h ^ h >> 29;
}

static bool
same_key(const struct key *k, const char *entry)
{
	for (int i = 0; i < 3; i++) {
		if (strncmp(entry, k->s[i], k->n[i]) != 0)
			return false;
		entry += k->n[i];
	}
	return *entry == '\0';
}

/* The place of that key, or the free one where it belongs. */
static const char **
find(const struct addresslist *l, const struct key *k)
{
	size_t at = hash_key(k) & l->mask;

	while (l->slots[at] != NULL && !same_key(k, l->slots[at]))
		at = (at + 1) & l->mask;
	return &l->slots[at];
}

static bool
has(const struct addresslist *l, const char *a, size_t an, const char *b,
    size_t bn, const char *c, size_t cn)
{
	const struct key k = { { a, b, c }, { an, bn, cn } };

	return *find(l, &k) != NULL;
}

static unsigned
form_of(const char *entry)
{
	const char *star = strchr(entry, '*'), *at = strrchr(entry, '@');

	if (star == NULL)
		return FORM_WHOLE;
	if (at == NULL)
		return FORM_BELOW;
	if (star > at)
		return FORM_LOCAL_BELOW;
	if (at == entry + 1)
		return FORM_ANY;
	return star == entry ? FORM_END : FORM_START;
}

struct addresslist *
addresslist_new(const char *const *entries, size_t n, struct arena *a)
{
	struct addresslist *l = arena_alloc(a, sizeof(*l));
	size_t room = 16;

	while (room < 2 * n)
		room *= 2;
	l->slots = arena_alloc(a, room * sizeof(*l->slots));
	l->mask = room - 1;
	for (size_t i = 0; i < n; i++) {
		char *entry = arena_strdup(a, entries[i]);
		const struct key k = { { entry, "", "" },
				       { strlen(entry), 0, 0 } };

		for (char *c = entry; *c != '\0'; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c | 0x20);
		l->forms |= form_of(entry);
		*find(l, &k) = entry;
	}
	return l;
}

/* *.parent and local@*.parent, for each parent that a list may name. */
static bool
has_below(const struct addresslist *l, const char *local, size_t local_n,
	  const char *domain, size_t n)
{
	int labels = 1;

	for (size_t i = n; i-- > 1 && labels <= LABELS_MAX;) {
		const char *parent = domain + i;

		if (*parent != '.')
			continue;
		if (labels >= LABELS_MIN &&
		    (has(l, "*", 1, parent, n - i, "", 0) ||
		     has(l, local, local_n, "@*", 2, parent, n - i)))
			return true;
		labels++;
	}
	return false;
}

/* pre*@domain and *suf@domain; domain begins with its "@". */
static bool
has_piece(const struct addresslist *l, const char *local, size_t local_n,
	  const char *domain, size_t n)
{
	const struct key any = { { "*", domain, "" }, { 1, n, 0 } };

	if (*find(l, &any) != NULL)
		return true;
	for (size_t m = PIECE_MIN; m <= PIECE_MAX && m <= local_n; m++) {
		const struct key start = { { local, "*", domain },
					   { m, 1, n } };
		const struct key end = { { "*", local + local_n - m, domain },
					 { 1, m, n } };

		if (((l->forms & FORM_START) && *find(l, &start) != NULL) ||
		    ((l->forms & FORM_END) && *find(l, &end) != NULL))
			return true;
	}
	return false;
}

bool
addresslist_has(const struct addresslist *l, const char *folded, size_t n)
{
	const char *at = memrchr(folded, '@', n);
	const size_t local_n = at ? (size_t)(at - folded) : 0;
	const size_t domain_n = n - local_n;	/* with the "@" */

	/* A star may stand in an address (RFC 5321, 4.1.2: it is atext). As a
	 * key it meets an entry with a star only where that entry means this
	 * address too; beside the star of a form it makes two, which no entry
	 * has. */
	if (at == NULL || domain_n > ENTRY_MAX)
		return false;
	if ((l->forms & FORM_WHOLE) &&
	    ((n <= ENTRY_MAX && has(l, folded, n, "", 0, "", 0)) ||
	     has(l, at + 1, domain_n - 1, "", 0, "", 0)))
		return true;
	if ((l->forms & (FORM_ANY | FORM_START | FORM_END)) &&
	    has_piece(l, folded, local_n, at, domain_n))
		return true;
	return (l->forms & (FORM_BELOW | FORM_LOCAL_BELOW)) &&
		has_below(l, folded, local_n <= ENTRY_MAX ? local_n : 0,
			  at + 1, domain_n - 1);
}

static bool
plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
			return false;
	return n > 0;
}

/* Labels between dots, none of them empty. 0: it is no domain. */
static size_t
count_labels(const char *s, size_t n)
{
	size_t labels = 1;

	if (!plain(s, n) || s[0] == '.' || s[n - 1] == '.')
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '@' || s[i] == '*' || s[i] == ',' || s[i] == '"')
			return 0;
		if (s[i] == '.') {
			labels++;
			if (s[i + 1] == '.')
				return 0;
		}
	}
	return labels;
}

static bool
domain_ok(const char *s, size_t n)
{
	size_t labels;

	if (n < 2 || s[0] != '*' || s[1] != '.')
		return count_labels(s, n) > 0;
	labels = count_labels(s + 2, n - 2);
	return labels >= LABELS_MIN && labels <= LABELS_MAX;
}

/* Without a star, or one at its begin or end and nothing or a piece. */
static bool
local_ok(const char *s, size_t n)
{
	const char *star = memchr(s, '*', n);

	if (!plain(s, n) || star == NULL)
		return n > 0 && plain(s, n);
	if (n == 1)
		return true;
	if (star == s)
		star = memchr(s + 1, '*', n - 1);
	else if (star == s + n - 1)
		star = NULL;
	return star == NULL && n - 1 >= PIECE_MIN && n - 1 <= PIECE_MAX;
}

bool
addresslist_entry_ok(const char *entry)
{
	const char *at = strrchr(entry, '@');
	const char *star = strchr(entry, '*');

	if (at == NULL)
		return domain_ok(entry, strlen(entry));
	/* One star, not one on each side. */
	if (star != NULL && star < at && strchr(at, '*') != NULL)
		return false;
	return local_ok(entry, (size_t)(at - entry)) &&
		domain_ok(at + 1, strlen(at + 1));
}
