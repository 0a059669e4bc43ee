#include <config.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "lib/base/text.h"

#define WHOLE_MAX 9007199254740992.0	/* 2^53: all integers are doubles */

static json_t *value_json(const struct shape *shape, const void *field);

/* 1000000, not 1000000.0: as people write it. */
static json_t *
number_json(double x)
{
	if (x >= -WHOLE_MAX && x <= WHOLE_MAX && (double)(int64_t)x == x)
		return json_integer((int64_t)x);
	return json_real(x);
}

static json_t *
struct_json(const struct shape *shape, const char *base)
{
	json_t *object = json_object();

	for (const struct member *m = shape->members; m->key != NULL; m++) {
		json_t *v = m->answer ? NULL :
			value_json(m->shape, base + m->offset);

		if (v != NULL)
			json_object_set_new(object, m->key, v);
	}
	return object;
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

static json_t *
list_json(const struct shape *shape, const struct list *list)
{
	const char *items = list->items;
	json_t *v = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(v, value_json(shape->item, items +
				      i * field_size(shape->item)));
	return v;
}

static json_t *
choice_json(const struct choice *c)
{
	json_t *object = json_object();

	json_object_set_new(object, c->kind->key,
			    value_json(c->kind->shape, &c->value));
	return object;
}

static json_t *
value_json(const struct shape *shape, const void *field)
{
	const void *pointer = NULL;

	switch (shape->type) {
	case SHAPE_ANY:
		return NULL;
	case SHAPE_WORD:
		return *(const int *)field == 0 ? NULL :
			json_string(shape->words[*(const int *)field - 1]);
	case SHAPE_CHOICE:
		return ((const struct choice *)field)->kind == NULL ? NULL :
			choice_json(field);
	case SHAPE_LIST:
		return ((const struct list *)field)->items == NULL ? NULL :
			list_json(shape, field);
	default:
		memcpy(&pointer, field, sizeof(pointer));
	}
	if (pointer == NULL)
		return NULL;
	if (shape->type == SHAPE_STRING)
		return json_string(pointer);
	if (shape->type == SHAPE_INTEGER)
		return json_integer(*(const int64_t *)pointer);
	if (shape->type == SHAPE_NUMBER)
		return number_json(*(const double *)pointer);
	return struct_json(shape, pointer);
}

void
document_print(const struct shape *shape, const void *field, struct buf *out)
{
	json_t *v = value_json(shape, field);
	char *text = json_dumps(v, JSON_INDENT(2));

	if (text != NULL) {
		buf_add(out, text, strlen(text));
		buf_add(out, "\n", 1);
	}
	free(text);
	json_decref(v);
}

void
document_quote(const char *s, struct buf *out)
{
	const size_t n = strlen(s);
	char *text = mem_alloc(4 * n + 1);

	text_quote(text, 4 * n + 1, s, n);
	buf_add(out, "\"", 1);
	buf_add(out, text, strlen(text));
	buf_add(out, "\"", 1);
	free(text);
}

static void
words_value(const json_t *v, struct buf *out)
{
	const char *glue = "";
	const json_t *item;
	const char *key;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_STRING:
		document_quote(json_string_value(v), out);
		break;
	case JSON_INTEGER:
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_ARRAY:
		json_array_foreach(v, i, item) {
			buf_printf(out, "%s", i == 0 ? "" : ", ");
			words_value(item, out);
		}
		break;
	case JSON_OBJECT:
		json_object_foreach((json_t *)(uintptr_t)v, key, item) {
			buf_printf(out, "%s%s ", glue, key);
			words_value(item, out);
			glue = ", ";
		}
		break;
	default:
		break;
	}
}

void
document_words(const struct shape *shape, const void *value, struct buf *out)
{
	json_t *v = value_json(shape, &value);

	if (v != NULL)
		words_value(v, out);
	json_decref(v);
}
