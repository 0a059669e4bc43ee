#include <config.h>

#include <string.h>
#include <strings.h>

#include "head.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Behind the LF of the line at `at`. */
static const char *
line_end(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

	return lf != NULL ? lf + 1 : end;
}

static bool
is_empty_line(const char *at, const char *end)
{
	return (end - at == 1 && at[0] == '\n') ||
	       (end - at == 2 && at[0] == '\r' && at[1] == '\n');
}

/* Bytes of the name and the place of its colon; 0 if the line begins no field.
 */
static size_t
name_length(const char *at, const char *end, const char **colon_r)
{
	const char *p = at;
	size_t n;

	while (p < end && *p > ' ' && *p <= '~' && *p != ':')
		p++;
	n = (size_t)(p - at);
	while (p < end && is_blank(*p))
		p++;
	*colon_r = p;
	return p < end && *p == ':' ? n : 0;
}

bool
head_cut(const char **at, const char *end, struct head_field *f_r)
{
	const char *line = *at, *next = line, *colon = line;

	f_r->name_n = 0;
	f_r->cut = false;
	for (; line < end; line = next) {
		next = line_end(line, end);
		if (is_empty_line(line, next))
			break;
		f_r->name = line;
		f_r->name_n = name_length(line, next, &colon);
		while (next < end && is_blank(*next))
			next = line_end(next, end);
		if (f_r->name_n > 0)
			break;
	}
	*at = line;
	if (f_r->name_n == 0)
		return false;
	*at = next;
	f_r->value = colon + 1;
	if (next > f_r->value && next[-1] == '\n')
		next--;
	if (next > f_r->value && next[-1] == '\r')
		next--;
	f_r->value_n = (size_t)(next - f_r->value);
	return true;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Cuts the field to what may be looked at; false: nothing of it. */
static bool
within_limits(struct head *h, struct head_field *f)
{
	const size_t room = least(HEAD_FIELD_MAX, HEAD_BYTES_MAX - h->bytes);

	if (h->n == HEAD_FIELDS_MAX || f->name_n > room) {
		h->limits = true;
		return false;
	}
	if (f->value_n > room - f->name_n) {
		h->limits = true;
		f->cut = true;
		f->value_n = room - f->name_n;
	}
	h->bytes += f->name_n + f->value_n;
	return true;
}

static void
append(struct head *h, const struct head_field *f, struct arena *a)
{
	if (h->n == h->room) {
		struct head_field *more;

		h->room = h->room ? 2 * h->room : 32;
		more = arena_alloc(a, h->room * sizeof(*more));
		if (h->n > 0)
			memcpy(more, h->fields, h->n * sizeof(*more));
		h->fields = more;
	}
	h->fields[h->n++] = *f;
}

void
head_read(struct head *h_r, const char *text, size_t n, struct arena *a)
{
	const char *at = text, *end = text + n;
	struct head_field f;

	memset(h_r, 0, sizeof(*h_r));
	while (head_cut(&at, end, &f))
		if (within_limits(h_r, &f))
			append(h_r, &f, a);
	h_r->size = at < end ? (size_t)(line_end(at, end) - text) : n;
}

void
head_add(struct head *h, const char *name, const char *value, struct arena *a)
{
	const char *end = name + strnlen(name, HEAD_FIELD_MAX + 1), *p = name;
	struct head_field f = { .name = name };

	while (p < end && *p > ' ' && *p <= '~' && *p != ':')
		p++;
	f.name_n = (size_t)(p - name);
	while (p < end && is_blank(*p))
		p++;
	if (f.name_n == 0 || p < end)
		return;
	f.value = value;
	f.value_n = strnlen(value, HEAD_FIELD_MAX + 1);
	if (!within_limits(h, &f))
		return;
	f.name = arena_strndup(a, name, f.name_n);
	f.value = arena_strndup(a, value, f.value_n);
	append(h, &f, a);
}

bool
head_is(const struct head_field *f, const char *name)
{
	return strlen(name) == f->name_n &&
	       strncasecmp(f->name, name, f->name_n) == 0;
}

const struct head_field *
head_next(const struct head *h, const char *name,
	  const struct head_field *after)
{
	size_t i = after != NULL ? (size_t)(after - h->fields) + 1 : 0;

	for (; i < h->n; i++)
		if (head_is(&h->fields[i], name))
			return &h->fields[i];
	return NULL;
}

/* Bytes of the line end at p that folding put there. */
static size_t
fold_length(const char *p, const char *end)
{
	const size_t n = end - p > 1 && p[0] == '\r' && p[1] == '\n' ? 2 : 1;

	return p[n - 1] == '\n' && p + n < end && is_blank(p[n]) ? n : 0;
}

void
head_unfold(const struct head_field *f, char *out, size_t room)
{
	const char *p = f->value, *end = p + f->value_n;
	size_t n = 0;

	while (p < end && n + 1 < room) {
		const size_t fold = fold_length(p, end);
		char c = *p;

		p += fold > 0 ? fold : 1;
		if (fold > 0)
			continue;
		if (c == '\0' || c == '\r' || c == '\n')
			c = ' ';
		if (n > 0 || !is_blank(c))
			out[n++] = c;
	}
	while (n > 0 && is_blank(out[n - 1]))
		n--;
	out[n] = '\0';
}

const char *
head_value(const struct head_field *f, struct arena *a)
{
	char *out = arena_alloc(a, f->value_n + 1);

	head_unfold(f, out, f->value_n + 1);
	return out;
}
