#include <config.h>

#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "address.h"

/* What stands between two separators of a list. */
enum piece { PIECE_BAD, PIECE_MAILBOX, PIECE_GROUP };

struct addrspec {
	const char *at;		/* local part, @, domain; comments inside */
	size_t n;
};

struct reading {
	struct addresses *r;
	struct arena *arena;
	size_t room;
};

static bool
is_atext(char c)
{
	const unsigned char u = (unsigned char)c;

	return u > ' ' && u != 0x7f && strchr("()<>[]:;@\\,.\"", c) == NULL;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_label(char c)
{
	const unsigned char u = (unsigned char)c;

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || u >= 0x80;
}

/*
 * Each skip_ function gives the place behind what stands at p, or NULL if
 * that is not there or does not end.
 */
static const char *
skip_comment(const char *p)
{
	size_t depth = 0;

	do {
		if (*p == '\0')
			return NULL;
		if (*p == '(')
			depth++;
		else if (*p == ')')
			depth--;
		else if (*p == '\\' && p[1] != '\0')
			p++;
		p++;
	} while (depth > 0);
	return p;
}

/* Blanks and comments, if there are any. */
static const char *
skip_blanks(const char *p)
{
	while (p != NULL && (is_blank(*p) || *p == '('))
		p = *p == '(' ? skip_comment(p) : p + 1;
	return p;
}

static const char *
skip_quoted(const char *p)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
	}
	return p + 1;
}

static const char *
skip_word(const char *p)
{
	const char *start = p;

	if (*p == '"')
		return skip_quoted(p);
	while (is_atext(*p))
		p++;
	return p > start ? p : NULL;
}

static const char *
skip_local(const char *p)
{
	if (p[0] == '"' && p[1] == '"')
		return NULL;
	for (;;) {
		p = skip_word(p);
		if (p != NULL)
			p = skip_blanks(p);
		if (p == NULL || *p != '.')
			return p;
		p = skip_blanks(p + 1);
		if (p == NULL)
			return NULL;
	}
}

static const char *
skip_literal(const char *p)
{
	const size_t n = strcspn(p + 1, "[]\\() \t");

	return n > 0 && p[n + 1] == ']' ? p + n + 2 : NULL;
}

/* Up to the last label: what stands behind is the caller's. */
static const char *
skip_domain(const char *p)
{
	const char *start, *next;

	if (*p == '[')
		return skip_literal(p);
	for (;;) {
		start = p;
		while (is_label(*p))
			p++;
		if (p == start)
			return NULL;
		next = skip_blanks(p);
		if (next == NULL || *next != '.')
			return p;
		p = skip_blanks(next + 1);
		if (p == NULL)
			return NULL;
	}
}

static const char *
skip_addrspec(const char *p, struct addrspec *s_r)
{
	s_r->at = p;
	p = skip_local(p);
	if (p == NULL || *p != '@')
		return NULL;
	p = skip_blanks(p + 1);
	if (p != NULL)
		p = skip_domain(p);
	if (p != NULL)
		s_r->n = (size_t)(p - s_r->at);
	return p;
}

/* "@ONE,@TWO:", in whose place nobody would write more than an address. */
static const char *
skip_route(const char *p)
{
	const char *end = p + strnlen(p, ADDRESS_MAX);

	while (p < end && strchr(":<>()[]\\;\"", *p) == NULL)
		p++;
	return p < end && *p == ':' ? skip_blanks(p + 1) : NULL;
}

static const char *
skip_angle(const char *p, struct addrspec *s_r)
{
	p = skip_blanks(p + 1);
	if (p != NULL && *p == '@')
		p = skip_route(p);
	if (p != NULL)
		p = skip_addrspec(p, s_r);
	if (p != NULL)
		p = skip_blanks(p);
	return p != NULL && *p == '>' ? p + 1 : NULL;
}

/* A display name, or what will turn out to be a local part. */
static const char *
skip_phrase(const char *p)
{
	const char *start = p;

	while (p != NULL) {
		if (*p == '"' || is_atext(*p))
			p = skip_word(p);
		else if (*p == '.' && p > start)
			p++;
		else
			break;
		if (p != NULL)
			p = skip_blanks(p);
	}
	return p;
}

/* Moves *at behind a mailbox, or behind the colon of a group. */
static enum piece
read_piece(const char **at, struct addrspec *s_r)
{
	const char *p = skip_phrase(*at);

	if (p != NULL && *p == ':' && p > *at) {
		*at = p + 1;
		return PIECE_GROUP;
	}
	if (p != NULL)
		p = *p == '<' ? skip_angle(p, s_r)
			      : skip_addrspec(*at, s_r);
	if (p != NULL)
		p = skip_blanks(p);
	if (p == NULL || (*p != '\0' && *p != ',' && *p != ';'))
		return PIECE_BAD;
	*at = p;
	return PIECE_MAILBOX;
}

/* Where the next piece may begin. */
static const char *
piece_end(const char *p)
{
	while (*p != '\0' && *p != ',' && *p != ';') {
		const char *q = *p == '"'   ? skip_quoted(p)
				: *p == '(' ? skip_comment(p)
					    : p + 1;

		if (q == NULL)
			return p + strlen(p);
		p = q;
	}
	return p;
}

/* The bytes that quotes and backslashes stand for; true: they need them. */
static bool
unquote(char *out, const char *s, size_t n)
{
	bool dot = true, needed = false;
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			continue;
		if (s[i] == '\\' && i + 1 < n)
			i++;
		needed |= s[i] == '.' ? dot : !is_atext(s[i]);
		dot = s[i] == '.';
		out[k++] = s[i];
	}
	out[k] = '\0';
	return needed || dot;
}

/* "joe"@x is joe@x: a rule on one must find the other. */
static const char *
canonical(const char *address, const char *at, struct arena *a)
{
	const size_t n = (size_t)(at - address);
	char *local = arena_alloc(a, n + 1), *out, *p;

	if (!unquote(local, address, n))
		return arena_printf(a, "%s%s", local, at);
	p = out = arena_alloc(a, 2 * n + 3 + strlen(at));
	*p++ = '"';
	for (const char *s = local; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			*p++ = '\\';
		*p++ = *s;
	}
	*p++ = '"';
	memcpy(p, at, strlen(at));
	return out;
}

static bool
add_address(struct reading *d, const char *address)
{
	const char *at = address != NULL ? strrchr(address, '@') : NULL;
	struct addresses *r = d->r;

	if (at == NULL || at == address || at[1] == '\0' ||
	    !g_utf8_validate(address, -1, NULL))
		return false;
	address = canonical(address, at, d->arena);
	if (r->n > 0 && strcasecmp(r->all[r->n - 1], address) == 0)
		return true;
	if (r->n == d->room) {
		const char **more;

		d->room = d->room ? 2 * d->room : 4;
		more = arena_alloc(d->arena, d->room * sizeof(*more));
		if (r->n > 0)
			memcpy(more, r->all, r->n * sizeof(*more));
		r->all = more;
	}
	r->all[r->n++] = address;
	return true;
}

/* Some characters become an "@", a "," or a blank when a domain is made
 * ASCII. */
static bool
is_ascii_domain(const char *p)
{
	for (;; p++) {
		const char *start = p;

		while (is_label(*p) && (unsigned char)*p < 0x80)
			p++;
		if (p == start || *p != '.')
			return p > start && *p == '\0';
	}
}

/* The ASCII form, and the one that it stands for: that of a domain in
 * capitals is not the one which is written. */
static void
add_forms(struct reading *d, const char *ascii)
{
	InternetAddressList *list = internet_address_list_parse(NULL, ascii);
	InternetAddress *one = NULL;

	if (list != NULL && internet_address_list_length(list) == 1)
		one = internet_address_list_get_address(list, 0);
	if (one != NULL && INTERNET_ADDRESS_IS_MAILBOX(one))
		add_address(d, internet_address_mailbox_get_addr(
				       INTERNET_ADDRESS_MAILBOX(one)));
	if (list != NULL)
		g_object_unref(list);
	add_address(d, ascii);
}

static bool
add_mailbox(struct reading *d, InternetAddress *one)
{
	InternetAddressMailbox *m;
	const char *address, *ascii;

	if (!INTERNET_ADDRESS_IS_MAILBOX(one))
		return false;
	m = INTERNET_ADDRESS_MAILBOX(one);
	address = internet_address_mailbox_get_addr(m);
	if (!add_address(d, address))
		return false;
	ascii = internet_address_mailbox_get_idn_addr(m);
	if (ascii == NULL || strcasecmp(ascii, address) == 0)
		return true;
	if (!is_ascii_domain(ascii + (strrchr(address, '@') + 1 - address)))
		return false;
	add_forms(d, ascii);
	return true;
}

/* Labels that begin with "xn--", which GMime knows in lower case only. */
static void
lower_labels(char *domain)
{
	while ((domain = strcasestr(domain, "xn--")) != NULL)
		for (; is_label(*domain); domain++)
			if (*domain >= 'A' && *domain <= 'Z')
				*domain += 'a' - 'A';
}

static void
drop_comments(char *s)
{
	char *out = s;

	while (*s != '\0') {
		const char *end = *s == '"'   ? skip_quoted(s)
				  : *s == '(' ? skip_comment(s)
					      : NULL;
		const size_t n = end != NULL ? (size_t)(end - s) : 1;

		if (end != NULL && *s == '(') {
			*out++ = ' ';
		} else {
			memmove(out, s, n);
			out += n;
		}
		s += n;
	}
	*out = '\0';
}

/*
 * What GMime may see of a broken piece, NULL: nothing. It forgets memory at a
 * comment that does not end. And it decodes names, for which it would load
 * whatever charset a stranger asks for.
 */
static const char *
harmless_part(const char *piece)
{
	const char *part = strrchr(piece, '<');

	if (strchr(piece, '(') != NULL)
		return NULL;
	if (strstr(piece, "=?") == NULL || strpbrk(piece, "<:") == NULL)
		return piece;
	return part != NULL && strstr(part, "=?") == NULL ? part : NULL;
}

/* All that GMime finds in n bytes of text; true: it is one address. */
static bool
read_addresses(struct reading *d, const char *text, size_t n, bool broken)
{
	char piece[ADDRESS_MAX + 1];
	const char *part = piece;
	InternetAddressList *list;
	bool one = false;
	int count;

	if (n > ADDRESS_MAX)
		return false;
	memcpy(piece, text, n);
	piece[n] = '\0';
	drop_comments(piece);
	if (strchr(piece, '@') != NULL)
		lower_labels(strchr(piece, '@'));
	if (broken)
		part = harmless_part(piece);
	if (part == NULL)
		return false;
	list = internet_address_list_parse(NULL, part);
	if (list == NULL)
		return false;
	count = internet_address_list_length(list);
	for (int i = 0; i < count; i++)
		one = add_mailbox(d, internet_address_list_get_address(list,
								       i));
	g_object_unref(list);
	return one && count == 1;
}

/* One mailbox or the start of a group; gives the place behind it. */
static const char *
read_member(struct reading *d, const char *p, bool *in_group)
{
	const char *start = p;
	struct addrspec s;

	switch (read_piece(&p, &s)) {
	case PIECE_GROUP:
		d->r->malformed |= *in_group;
		*in_group = true;
		break;
	case PIECE_MAILBOX:
		if (!read_addresses(d, s.at, s.n, false))
			d->r->malformed = true;
		break;
	case PIECE_BAD:
		d->r->malformed = true;
		p = piece_end(start);
		read_addresses(d, start, (size_t)(p - start), true);
		break;
	}
	return p;
}

void
address_read(const char *value, struct addresses *r, struct arena *a)
{
	struct reading d = { .r = r, .arena = a };
	const char *p = value;
	bool in_group = false, separated = true;
	size_t members = 0;

	*r = (struct addresses){ 0 };
	while ((p = skip_blanks(p)) != NULL && *p != '\0') {
		if (*p == ',') {
			separated = true;
			p++;
		} else if (*p == ';') {
			r->malformed |= !in_group;
			in_group = separated = false;
			p++;
		} else if (members++ == ADDRESSES_MAX) {
			break;
		} else {
			r->malformed |= !separated;
			p = read_member(&d, p, &in_group);
		}
	}
	if (p == NULL || *p != '\0' || in_group)
		r->malformed = true;
}
