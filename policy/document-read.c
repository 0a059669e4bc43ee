#include <config.h>

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "document.h"
#include "lib/base/text.h"
#include "regex.h"

#define PATH_SIZE 512
#define KEYS_MAX 64	/* of one object, for telling which there are */

const struct shape shape_any = { .type = SHAPE_ANY };

static bool read_value(struct reader *r, const json_t *v,
		       const struct shape *shape, const struct place *at,
		       void *field);

static void
write_place(const struct place *at, struct buf *out)
{
	char shown[96];

	if (at == NULL)
		return;
	write_place(at->up, out);
	if (at->key == NULL)
		buf_printf(out, "[%zu]", at->index);
	else
		buf_printf(out, "%s%s", out->len ? "." : "",
			   text_quote(shown, sizeof(shown), at->key,
				      strlen(at->key)));
}

/* The caller frees it. */
static const char *
path_of(const struct place *at, struct buf *out)
{
	buf_init(out, PATH_SIZE);
	write_place(at, out);
	return out->data ? out->data : "";
}

void
document_mistake(struct reader *r, const struct place *at, const char *found,
		 const char *expected, ...)
{
	char want[512];
	struct buf path;
	va_list ap;

	va_start(ap, expected);
	vsnprintf(want, sizeof(want), expected, ap);
	va_end(ap);
	config_mistake_plain(r->m, path_of(at, &path), found, "%s", want);
	buf_free(&path);
}

void
document_mistake_text(struct reader *r, const struct place *at,
		      const char *text, const char *expected, ...)
{
	char want[512];
	struct buf path;
	va_list ap;

	va_start(ap, expected);
	vsnprintf(want, sizeof(want), expected, ap);
	va_end(ap);
	config_mistake(r->m, path_of(at, &path), text, "%s", want);
	buf_free(&path);
}

/* "a rule's name (1 to 32 characters, [a-z]+)" */
static void
describe_string(const struct shape *s, struct buf *out)
{
	const char *glue = " (";

	buf_printf(out, "%s", s->what);
	if (s->max > 0) {
		if (s->min == s->max)
			buf_printf(out, " (%lld characters", (long long)s->max);
		else
			buf_printf(out, " (%lld to %lld characters",
				   (long long)s->min, (long long)s->max);
		glue = ", ";
	}
	if (s->pattern != NULL) {
		buf_printf(out, "%s%s", glue, s->pattern);
		glue = ", ";
	}
	buf_printf(out, "%s", *glue == ',' ? ")" : " (a string)");
}

static void
describe(const struct shape *s, struct buf *out)
{
	switch (s->type) {
	case SHAPE_STRING:
		describe_string(s, out);
		break;
	case SHAPE_INTEGER:
		buf_printf(out, "%s (an integer from %lld to %lld)", s->what,
			   (long long)s->min, (long long)s->max);
		break;
	case SHAPE_NUMBER:
		buf_printf(out, "%s (a number)", s->what);
		break;
	case SHAPE_STRUCT:
	case SHAPE_CHOICE:
		buf_printf(out, "%s (an object)", s->what);
		break;
	case SHAPE_LIST:
		if (s->max > 0)
			buf_printf(out, "%s (a list of %lld to %lld)", s->what,
				   (long long)s->min, (long long)s->max);
		else
			buf_printf(out, "%s (a list of %lld or more)", s->what,
				   (long long)s->min);
		break;
	case SHAPE_WORD:
	case SHAPE_ANY:
		break;
	}
}

static void
say_wrong(struct reader *r, const struct place *at, const struct shape *shape,
	  const json_t *found)
{
	struct buf path, want;
	const char *p = path_of(at, &path);
	char list[32];

	buf_init(&want, 512);
	describe(shape, &want);
	snprintf(list, sizeof(list), "a list of %zu", json_array_size(found));
	if (shape->type == SHAPE_WORD)
		config_mistake_word(r->m, p, found, shape->words);
	else if (shape->type == SHAPE_LIST && json_is_array(found))
		config_mistake_plain(r->m, p, list, "%s", want.data);
	else
		config_mistake_value(r->m, p, found, "%s",
				     want.data ? want.data : "");
	buf_free(&want);
	buf_free(&path);
}

/* AWS counts characters. */
static int64_t
count_characters(const char *s, size_t n)
{
	int64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

static bool
read_string(struct reader *r, const json_t *v, const struct shape *shape,
	    void *field)
{
	const char *s = json_string_value(v);
	const size_t n = json_string_length(v);

	if (s == NULL)
		return false;
	if (shape->max > 0) {
		const int64_t count = count_characters(s, n);

		if (count < shape->min || count > shape->max)
			return false;
	}
	if (shape->pattern != NULL && !regex_whole(shape->pattern, s, n))
		return false;
	if (shape->ok != NULL && !shape->ok(s))
		return false;
	*(const char **)field = arena_strndup(r->arena, s, n);
	return true;
}

static bool
read_word(const json_t *v, const struct shape *shape, void *field)
{
	const char *s = json_string_value(v);

	for (int i = 0; s != NULL && shape->words[i] != NULL; i++)
		if (strcmp(shape->words[i], s) == 0) {
			*(int *)field = i + 1;
			return true;
		}
	return false;
}

static bool
read_integer(struct reader *r, const json_t *v, const struct shape *shape,
	     void *field)
{
	const json_int_t x = json_integer_value(v);
	int64_t *out;

	if (!json_is_integer(v) || x < shape->min || x > shape->max)
		return false;
	out = arena_alloc(r->arena, sizeof(*out));
	*out = x;
	*(const int64_t **)field = out;
	return true;
}

static bool
read_number(struct reader *r, const json_t *v, void *field)
{
	double *out;

	if (!json_is_number(v))
		return false;
	out = arena_alloc(r->arena, sizeof(*out));
	*out = json_number_value(v);
	*(const double **)field = out;
	return true;
}

static const struct member *
find_member(const struct shape *shape, const char *key)
{
	for (const struct member *m = shape->members; m->key != NULL; m++)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

static void
say_unknown(struct reader *r, const struct place *at,
	    const struct shape *shape)
{
	const char *keys[KEYS_MAX + 1] = { NULL };
	const char *p;
	struct buf path;
	size_t n = 0;

	for (const struct member *m = shape->members;
	     m->key != NULL && n < KEYS_MAX; m++)
		if (!m->answer)
			keys[n++] = m->key;
	p = path_of(at, &path);
	if (n > 0)
		config_mistake_key(r->m, p, at->key, keys);
	else
		config_mistake_plain(r->m, p, "an unknown key", "nothing");
	buf_free(&path);
}

/* A union has one of its members. */
static void
check_one(struct reader *r, const struct place *at, const struct shape *shape,
	  const json_t *v)
{
	const char *keys[KEYS_MAX + 1] = { NULL };
	char want[256];
	size_t n = 0;

	if (json_object_size(v) == 1)
		return;
	for (; shape->members[n].key != NULL && n < KEYS_MAX; n++)
		keys[n] = shape->members[n].key;
	config_words(keys, want, sizeof(want));
	document_mistake(r, at, json_object_size(v) ? "several members" :
			 "nothing", "%s%s", n > 1 ? "one of " : "", want);
}

static void
read_members(struct reader *r, const json_t *v, const struct shape *shape,
	     const struct place *at, char *base)
{
	json_t *object = (json_t *)(uintptr_t)v, *inner;
	const char *key;

	for (const struct member *m = shape->members; m->key != NULL; m++) {
		const struct place place = { .up = at, .key = m->key };

		if (m->required && json_object_get(object, m->key) == NULL)
			say_wrong(r, &place, m->shape, NULL);
	}
	json_object_foreach(object, key, inner) {
		const struct member *m = find_member(shape, key);
		const struct place place = { .up = at, .key = key };

		if (m == NULL)
			say_unknown(r, &place, shape);
		else if (!read_value(r, inner, m->shape, &place,
				     base + m->offset))
			say_wrong(r, &place, m->shape, inner);
	}
}

static bool
read_struct(struct reader *r, const json_t *v, const struct shape *shape,
	    const struct place *at, void *field)
{
	const size_t before = r->m->n;
	void *base;

	if (!json_is_object(v))
		return false;
	base = arena_alloc(r->arena, shape->size);
	if (shape->one)
		check_one(r, at, shape, v);
	read_members(r, v, shape, at, base);
	if (shape->check != NULL && r->m->n == before)
		shape->check(r, at, base);
	*(void **)field = base;
	return true;
}

/* The keys that may stand there: of AWS's, or all. */
static size_t
list_kinds(const struct reader *r, const struct shape *shape,
	   const char *keys[])
{
	size_t n = 0;

	for (size_t i = 0; shape->kinds[i] != NULL && n < KEYS_MAX; i++)
		if (!r->aws || !shape->kinds[i]->extension)
			keys[n++] = shape->kinds[i]->key;
	keys[n] = NULL;
	return n;
}

static const struct kind *
find_kind(struct reader *r, const struct place *at, const struct shape *shape)
{
	const char *keys[KEYS_MAX + 1];
	char want[512];
	struct buf path;

	list_kinds(r, shape, keys);
	for (size_t i = 0; shape->kinds[i] != NULL; i++) {
		if (strcmp(shape->kinds[i]->key, at->key) != 0)
			continue;
		if (!r->aws || !shape->kinds[i]->extension)
			return shape->kinds[i];
		config_words(keys, want, sizeof(want));
		document_mistake(r, at, "an extension of fallbackmx", "%s",
				 want);
		return NULL;
	}
	config_mistake_key(r->m, path_of(at, &path), at->key, keys);
	buf_free(&path);
	return NULL;
}

static bool
read_choice(struct reader *r, const json_t *v, const struct shape *shape,
	    const struct place *at, struct choice *field)
{
	json_t *object = (json_t *)(uintptr_t)v, *inner;
	const char *key, *keys[KEYS_MAX + 1];
	char want[512];

	if (!json_is_object(v))
		return false;
	if (json_object_size(v) != 1) {
		list_kinds(r, shape, keys);
		config_words(keys, want, sizeof(want));
		document_mistake(r, at, json_object_size(v) ?
				 "several members" : "nothing", "one of %s",
				 want);
	}
	json_object_foreach(object, key, inner) {
		const struct place place = { .up = at, .key = key };
		const struct kind *kind = find_kind(r, &place, shape);

		if (kind == NULL)
			continue;
		field->kind = kind;
		if (!read_value(r, inner, kind->shape, &place, &field->value))
			say_wrong(r, &place, kind->shape, inner);
	}
	return true;
}

static size_t
field_size(const struct shape *shape)
{
	switch (shape->type) {
	case SHAPE_WORD:
		return sizeof(int);
	case SHAPE_CHOICE:
		return sizeof(struct choice);
	case SHAPE_LIST:
		return sizeof(struct list);
	default:
		return sizeof(void *);
	}
}

static bool
read_list(struct reader *r, const json_t *v, const struct shape *shape,
	  const struct place *at, struct list *field)
{
	const size_t n = json_array_size(v), size = field_size(shape->item);
	char *items;

	if (!json_is_array(v) || (int64_t)n < shape->min ||
	    (shape->max > 0 && (int64_t)n > shape->max))
		return false;
	items = arena_alloc(r->arena, (n + 1) * size);
	for (size_t i = 0; i < n; i++) {
		const struct place place = { .up = at, .index = i };
		const json_t *item = json_array_get(v, i);

		if (!read_value(r, item, shape->item, &place,
				items + i * size))
			say_wrong(r, &place, shape->item, item);
	}
	*field = (struct list){ items, n };
	return true;
}

/* False: it is not what the shape says; mistakes inside it are told. */
static bool
read_value(struct reader *r, const json_t *v, const struct shape *shape,
	   const struct place *at, void *field)
{
	switch (shape->type) {
	case SHAPE_STRING:
		return read_string(r, v, shape, field);
	case SHAPE_WORD:
		return read_word(v, shape, field);
	case SHAPE_INTEGER:
		return read_integer(r, v, shape, field);
	case SHAPE_NUMBER:
		return read_number(r, v, field);
	case SHAPE_STRUCT:
		return read_struct(r, v, shape, at, field);
	case SHAPE_CHOICE:
		return read_choice(r, v, shape, at, field);
	case SHAPE_LIST:
		return read_list(r, v, shape, at, field);
	case SHAPE_ANY:
		return true;
	}
	return false;
}

void
document_read(struct reader *r, const json_t *v, const struct shape *shape,
	      const struct place *at, void *field)
{
	if (!read_value(r, v, shape, at, field))
		say_wrong(r, at, shape, v);
}
