#include <config.h>

#include <string.h>
#include <strings.h>

#include "decode.h"
#include "parameter.h"
#include "transfer.h"

struct reading {
	const char *name;
	struct buf plain;	/* name=...: the first */
	struct buf pieces;	/* name*=, name*0=, name*0*= ... */
	const char *charset;	/* of the pieces; NULL: not said */
};

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Moves *p behind a value, quoted or not; one without quotes may have blanks
 * inside, as some programs write file names. */
static void
read_value(const char **p, struct buf *out)
{
	const char *s = *p;
	size_t n;

	if (*s != '"') {
		n = strcspn(s, ";");
		*p = s + n;
		while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
			n--;
		buf_add(out, s, n);
		return;
	}
	for (s++; *s != '\0' && *s != '"'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		buf_add(out, s, 1);
	}
	*p = s + strcspn(s, ";");
}

/* RFC 2231, 4: CHARSET'LANGUAGE'TEXT; later pieces have the text only. */
static void
add_encoded(struct reading *r, const char *s, struct arena *a)
{
	const char *language = strchr(s, '\'');
	const char *text = language ? strchr(language + 1, '\'') : NULL;

	if (r->charset == NULL && text != NULL) {
		r->charset = arena_strndup(a, s, (size_t)(language - s));
		s = text + 1;
	}
	transfer_percent(&r->pieces, s, strlen(s));
}

/* attribute: of n bytes, with the stars that tell a piece and its encoding. */
static void
take(struct reading *r, const char *attribute, size_t n, const char *value,
     struct arena *a)
{
	const size_t length = strlen(r->name);
	const char *star = attribute + length;

	if (n < length || strncasecmp(attribute, r->name, length) != 0 ||
	    (n > length && *star != '*'))
		return;
	if (n == length && r->plain.len == 0)
		buf_add(&r->plain, value, strlen(value));
	else if (n > length && attribute[n - 1] == '*')
		add_encoded(r, value, a);
	else if (n > length)
		buf_add(&r->pieces, value, strlen(value));
}

static const char *
finish(struct reading *r, size_t room, struct arena *a)
{
	const struct buf *b = r->pieces.len > 0 ? &r->pieces : &r->plain;
	const char *text;
	struct buf out;

	buf_init(&out, 4 * room + 4);
	if (b == &r->pieces && r->charset != NULL &&
	    decode_charset(r->charset, b->data, b->len, &out))
		b = &out;
	text = b->len > 0 ? arena_strndup(a, b->data, b->len) : "";
	buf_free(&out);
	return text;
}

const char *
parameter_get(const char *value, const char *name, struct arena *a)
{
	const size_t room = strlen(value);
	struct reading r = { .name = name };
	const char *p = value + strcspn(value, ";"), *attribute, *text;
	struct buf one;
	size_t n;

	buf_init(&r.plain, room);
	buf_init(&r.pieces, room);
	buf_init(&one, room);
	while (*p == ';') {
		attribute = skip_blanks(p + 1);
		n = strcspn(attribute, "=; \t");
		p = skip_blanks(attribute + n);
		if (*p != '=') {
			p += strcspn(p, ";");
			continue;
		}
		p = skip_blanks(p + 1);
		buf_clear(&one);
		read_value(&p, &one);
		take(&r, attribute, n, one.data ? one.data : "", a);
	}
	text = finish(&r, room, a);
	buf_free(&r.plain);
	buf_free(&r.pieces);
	buf_free(&one);
	return text;
}
