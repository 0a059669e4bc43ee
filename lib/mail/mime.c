#include <config.h>

#include <string.h>
#include <strings.h>

#include "decode.h"
#include "head.h"
#include "mime.h"
#include "parameter.h"
#include "transfer.h"

#define MULTIPART "multipart/"
#define BOUNDARY_MAX 200	/* bytes; 70 are allowed */

/* A multipart that is being read. */
struct level {
	const char *boundary;
	size_t boundary_n;
	struct mime_part whole;	/* if it has none */
	size_t before;		/* parts that there were */
};

/* Between two lines. Neither head nor part: what nobody looks at. */
struct reading {
	struct mime *m;
	struct arena *a;
	struct level levels[MIME_DEPTH];
	size_t depth;
	const char *head;	/* where a header began; NULL: not in one */
	struct mime_part part;	/* body NULL: not in one */
};

static const char *
line_end(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

	return lf != NULL ? lf + 1 : end;
}

static bool
is_blank(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at) != NULL && *at != '\0')
		at++;
	return at == end;
}

/* Bytes from s on but the line end before `at`: it belongs to the boundary (RFC
 * 2046, 5.1.1). */
static size_t
length_before(const char *s, const char *at)
{
	if (at > s && at[-1] == '\n')
		at--;
	if (at > s && at[-1] == '\r')
		at--;
	return (size_t)(at - s);
}

/* The level whose boundary the line is, counted from 1; 0: it is none. */
static size_t
boundary_at(const struct reading *r, const char *line, const char *next,
	    bool *last_r)
{
	if (next - line < 3 || line[0] != '-' || line[1] != '-')
		return 0;
	line += 2;
	for (size_t i = r->depth; i > 0; i--) {
		const struct level *l = &r->levels[i - 1];
		const char *rest = line + l->boundary_n;

		if (next < rest ||
		    memcmp(line, l->boundary, l->boundary_n) != 0)
			continue;
		*last_r = next - rest >= 2 && memcmp(rest, "--", 2) == 0;
		if (is_blank(*last_r ? rest + 2 : rest, next))
			return i;
	}
	return 0;
}

static void
add_part(struct reading *r, const struct mime_part *p)
{
	struct mime *m = r->m;

	if (m->n == MIME_PARTS_MAX) {
		m->limits = true;
		return;
	}
	if (m->all == NULL)
		m->all = arena_alloc(r->a, MIME_PARTS_MAX * sizeof(*m->all));
	m->all[m->n++] = *p;
}

static const char *
value_of(const struct head *h, const char *name, struct arena *a)
{
	const struct head_field *f = head_next(h, name, NULL);

	return f != NULL ? head_value(f, a) : "";
}

/* RFC 2045, 5.2: what is no type is text. */
static const char *
read_type(const char *value, struct arena *a)
{
	char *type = arena_strndup(a, value, strcspn(value, "; \t("));

	if (strchr(type, '/') == NULL)
		return "text/plain";
	for (char *c = type; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (*c < '!' || *c > '~')
			*c = '?';
	}
	return type;
}

static enum mime_encoding
read_encoding(const char *value)
{
	if (strncasecmp(value, "base64", 6) == 0)
		return MIME_BASE64;
	return strncasecmp(value, "quoted-printable", 16) == 0 ? MIME_QUOTED
	       : MIME_AS_IT_IS;
}

/* What a header says of its part. Returns the boundary, "" if there is none.
 * Of the fields nothing is kept but texts: there may be many headers. */
static const char *
read_head(struct reading *r, const char *end, struct mime_part *p_r)
{
	struct arena passing = { NULL };
	struct head h;
	const char *type, *disposition, *name;

	head_read(&h, r->head, (size_t)(end - r->head), &passing);
	type = value_of(&h, "Content-Type", &passing);
	disposition = value_of(&h, "Content-Disposition", &passing);
	name = parameter_get(disposition, "filename", &passing);
	if (*name == '\0')
		name = parameter_get(type, "name", &passing);
	*p_r = (struct mime_part){
		.type = read_type(type, r->a),
		.charset = parameter_get(type, "charset", r->a),
		.name = decode_text(name, r->a),
		.attachment = strncasecmp(disposition, "attachment", 10) == 0,
		.encoding = read_encoding(value_of(
			&h, "Content-Transfer-Encoding", &passing)),
	};
	name = parameter_get(type, "boundary", r->a);
	arena_free(&passing);
	return name;
}

static void
begin_body(struct reading *r, const char *end, const char *body)
{
	const char *boundary = read_head(r, end, &r->part);
	const size_t n = strlen(boundary);

	r->head = NULL;
	r->part.body = body;
	if (strncmp(r->part.type, MULTIPART, strlen(MULTIPART)) != 0 ||
	    n == 0 || n > BOUNDARY_MAX || r->depth == MIME_DEPTH)
		return;
	r->levels[r->depth++] = (struct level){ boundary, n, r->part,
						r->m->n };
	r->part.body = NULL;
}

/* Whatever is being read inside of level `depth` ends at `at`. */
static void
end_parts(struct reading *r, const char *at, size_t depth)
{
	if (r->head != NULL)
		begin_body(r, at, at);
	if (r->part.body != NULL) {
		r->part.body_n = length_before(r->part.body, at);
		add_part(r, &r->part);
		r->part.body = NULL;
	}
	for (; r->depth > depth; r->depth--) {
		struct level *l = &r->levels[r->depth - 1];

		if (l->before < r->m->n)
			continue;
		l->whole.body_n = length_before(l->whole.body, at);
		add_part(r, &l->whole);
	}
}

void
mime_read(struct mime *m_r, const char *text, size_t n, struct arena *a)
{
	struct reading r = { .m = m_r, .a = a, .head = text };
	const char *end = text + n, *next;
	bool last;

	*m_r = (struct mime){ .n = 0 };
	for (const char *line = text; line < end && !m_r->limits; line = next) {
		size_t level;

		next = line_end(line, end);
		level = boundary_at(&r, line, next, &last);
		if (level > 0) {
			end_parts(&r, line, last ? level - 1 : level);
			r.head = last ? NULL : next;
		} else if (r.head != NULL && length_before(line, next) == 0) {
			begin_body(&r, line, next);
		}
	}
	end_parts(&r, end, 0);
}

size_t
mime_decode(const struct mime_part *p, struct buf *out)
{
	if (p->encoding == MIME_BASE64)
		return transfer_base64(out, p->body, p->body_n);
	if (p->encoding == MIME_QUOTED)
		return transfer_quoted(out, p->body, p->body_n);
	buf_add(out, p->body, p->body_n);
	return p->body_n;
}
