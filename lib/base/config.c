#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/config.h"
#include "lib/base/text.h"

#define PATH_SIZE 256		/* deeper than any table, with quoted keys */
#define SHOWN_SIZE 96
#define ROWS_MAX 64		/* keys of one object */

struct reader {
	struct arena *arena;
	struct config_mistakes *m;
};

static void read_object(struct reader *r, json_t *object, const char *path,
			const struct config_row *rows, void *base);

static void
describe(const struct config_row *row, char *out, size_t size)
{
	switch (row->type) {
	case CONFIG_STRING:
		if (row->max > 0)
			snprintf(out, size, "%s (a string of at most %d bytes)",
				 row->help, row->max);
		else
			snprintf(out, size, "%s (a string)", row->help);
		break;
	case CONFIG_WORD:
		break;		/* config_mistake_word() tells them */
	case CONFIG_INTEGER:
		snprintf(out, size, "an integer from %d to %d%s%s", row->min,
			 row->max, row->unit ? " " : "",
			 row->unit ? row->unit : "");
		break;
	case CONFIG_BOOLEAN:
		snprintf(out, size, "true or false");
		break;
	case CONFIG_OBJECT:
		snprintf(out, size, "%s (an object)", row->help);
		break;
	case CONFIG_LIST:
		snprintf(out, size, "%s (a list of %d to %d objects)",
			 row->help, row->min, row->max);
		break;
	case CONFIG_STRINGS:
		snprintf(out, size, "%s (a list of %d to %d strings)",
			 row->help, row->min, row->max);
		break;
	case CONFIG_FOREIGN:
		break;		/* no value of it is wrong */
	}
}

static void
say_wrong(struct reader *r, const char *path, const struct config_row *row,
	  const json_t *found)
{
	char want[512];

	if (row->type == CONFIG_WORD) {
		config_mistake_word(r->m, path, found, row->words);
		return;
	}
	describe(row, want, sizeof(want));
	config_mistake_value(r->m, path, found, "%s", want);
}

static void *
field(void *base, size_t offset)
{
	return (char *)base + offset;
}

static bool
read_string(struct reader *r, const json_t *v, const struct config_row *row,
	    void *base)
{
	const char **out = field(base, row->offset);
	size_t n = json_string_length(v);

	if (!json_is_string(v) || (row->max > 0 && n > (size_t)row->max))
		return false;
	*out = arena_strndup(r->arena, json_string_value(v), n);
	return true;
}

static bool
read_word(const json_t *v, const struct config_row *row, void *base)
{
	if (!json_is_string(v))
		return false;
	for (int i = 0; row->words[i] != NULL; i++)
		if (strcmp(row->words[i], json_string_value(v)) == 0) {
			memcpy(field(base, row->offset), &i, sizeof(i));
			return true;
		}
	return false;
}

static bool
read_integer(const json_t *v, const struct config_row *row, void *base)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < row->min || n > row->max)
		return false;
	*(int *)field(base, row->offset) = (int)n;
	return true;
}

static bool
read_inner(struct reader *r, json_t *v, const char *path,
	   const struct config_row *row, void *base)
{
	void *inner;

	if (!json_is_object(v))
		return false;
	inner = arena_alloc(r->arena, row->size);
	memcpy(field(base, row->offset), &inner, sizeof(inner));
	read_object(r, v, path, row->rows, inner);
	return true;
}

static bool
read_list(struct reader *r, json_t *v, const char *path,
	  const struct config_row *row, void *base)
{
	size_t n = json_array_size(v);
	char *items;

	if (!json_is_array(v) || n < (size_t)row->min || n > (size_t)row->max)
		return false;
	items = arena_alloc(r->arena, (n + 1) * row->size);
	memcpy(field(base, row->offset), &items, sizeof(items));
	*(size_t *)field(base, row->count) = n;
	for (size_t i = 0; i < n; i++) {
		json_t *item = json_array_get(v, i);
		const char *place = arena_printf(r->arena, "%s[%zu]", path, i);

		if (json_is_object(item))
			read_object(r, item, place, row->rows,
				    items + i * row->size);
		else
			config_mistake_value(r->m, place, item, "an object");
	}
	return true;
}

static bool
read_strings(struct reader *r, json_t *v, const char *path,
	     const struct config_row *row, void *base)
{
	size_t n = json_array_size(v);
	const char **items;

	if (!json_is_array(v) || n < (size_t)row->min || n > (size_t)row->max)
		return false;
	items = arena_alloc(r->arena, (n + 1) * sizeof(*items));
	memcpy(field(base, row->offset), &items, sizeof(items));
	*(size_t *)field(base, row->count) = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(v, i);

		items[i] = "";
		if (json_is_string(item))
			items[i] = arena_strndup(r->arena,
						 json_string_value(item),
						 json_string_length(item));
		else
			config_mistake_value(r->m, arena_printf(r->arena,
					     "%s[%zu]", path, i), item,
					     "a string");
	}
	return true;
}

static bool
read_value(struct reader *r, json_t *v, const char *path,
	   const struct config_row *row, void *base)
{
	switch (row->type) {
	case CONFIG_STRING:
		return read_string(r, v, row, base);
	case CONFIG_WORD:
		return read_word(v, row, base);
	case CONFIG_INTEGER:
		return read_integer(v, row, base);
	case CONFIG_BOOLEAN:
		if (!json_is_boolean(v))
			return false;
		*(bool *)field(base, row->offset) = json_is_true(v);
		return true;
	case CONFIG_OBJECT:
		return read_inner(r, v, path, row, base);
	case CONFIG_LIST:
		return read_list(r, v, path, row, base);
	case CONFIG_STRINGS:
		return read_strings(r, v, path, row, base);
	case CONFIG_FOREIGN:
		return true;
	}
	return false;
}

static void
set_default(const struct config_row *row, void *base)
{
	switch (row->type) {
	case CONFIG_STRING:
		*(const char **)field(base, row->offset) = row->text;
		break;
	case CONFIG_WORD:
	case CONFIG_INTEGER:
		memcpy(field(base, row->offset), &row->number,
		       sizeof(row->number));
		break;
	case CONFIG_BOOLEAN:
		*(bool *)field(base, row->offset) = row->number != 0;
		break;
	case CONFIG_OBJECT:
	case CONFIG_LIST:
	case CONFIG_STRINGS:
	case CONFIG_FOREIGN:
		break;		/* memory of an arena is zeroed */
	}
}

static void
say_unknown(struct reader *r, const char *path, const char *key,
	    const struct config_row *rows)
{
	const char *keys[ROWS_MAX + 1] = { NULL };

	for (size_t n = 0; rows[n].key != NULL && n < ROWS_MAX; n++)
		keys[n] = rows[n].key;
	config_mistake_key(r->m, path, key, keys);
}

static void
join(char *out, size_t size, const char *path, const char *key)
{
	char shown[SHOWN_SIZE];

	text_quote(shown, sizeof(shown), key, strlen(key));
	snprintf(out, size, "%s%s%s", path, *path ? "." : "", shown);
}

static const struct config_row *
find_row(const struct config_row *rows, const char *key)
{
	for (; rows->key != NULL; rows++)
		if (strcmp(rows->key, key) == 0)
			return rows;
	return NULL;
}

static void
read_object(struct reader *r, json_t *object, const char *path,
	    const struct config_row *rows, void *base)
{
	char place[PATH_SIZE];
	const char *key;
	json_t *v;

	for (const struct config_row *row = rows; row->key != NULL; row++) {
		set_default(row, base);
		if (!row->required || json_object_get(object, row->key))
			continue;
		join(place, sizeof(place), path, row->key);
		say_wrong(r, place, row, NULL);
	}
	json_object_foreach(object, key, v) {
		const struct config_row *row = find_row(rows, key);

		join(place, sizeof(place), path, key);
		if (row == NULL)
			say_unknown(r, place, key, rows);
		else if (!read_value(r, v, place, row, base))
			say_wrong(r, place, row, v);
	}
}

void
config_read(const char *text, size_t len, const struct config_row *rows,
	    void *base, struct arena *arena, struct config_mistakes *m)
{
	struct reader r = { arena, m };
	json_error_t je;
	json_t *top;

	if (len > CONFIG_MAX) {
		m->n++;
		buf_printf(m->lines, "%s: found more than %zu bytes, expected "
			   "a configuration\n", m->file, CONFIG_MAX);
		return;
	}
	top = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (top == NULL) {
		m->n++;
		buf_printf(m->lines, "%s:%d:%d: cannot read JSON: %s\n",
			   m->file, je.line, je.column, text_show(je.text));
		return;
	}
	if (json_is_object(top))
		read_object(&r, top, "", rows, base);
	else
		config_mistake_value(m, "", top, "an object");
	json_decref(top);
}

/* An empty list where none may be empty was not there at all. */
static json_t *
list_json(const struct config_row *row, const char *base)
{
	const char *items;
	json_t *list;
	size_t n;

	memcpy(&items, base + row->offset, sizeof(items));
	memcpy(&n, base + row->count, sizeof(n));
	if (n < (size_t)row->min)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, config_json(row->rows,
							items + i * row->size));
	return list;
}

static json_t *
strings_json(const struct config_row *row, const char *base)
{
	const char *const *items;
	json_t *list;
	size_t n;

	memcpy(&items, base + row->offset, sizeof(items));
	memcpy(&n, base + row->count, sizeof(n));
	if (n < (size_t)row->min)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(items[i]));
	return list;
}

static json_t *
value_json(const struct config_row *row, const char *base)
{
	const void *inner;
	int number;

	switch (row->type) {
	case CONFIG_STRING:
		return json_string(*(const char *const *)
				   (const void *)(base + row->offset));
	case CONFIG_BOOLEAN:
		return json_boolean(*(const bool *)(base + row->offset));
	case CONFIG_WORD:
		memcpy(&number, base + row->offset, sizeof(number));
		return json_string(row->words[number]);
	case CONFIG_INTEGER:
		memcpy(&number, base + row->offset, sizeof(number));
		return json_integer(number);
	case CONFIG_OBJECT:
		memcpy(&inner, base + row->offset, sizeof(inner));
		return inner ? config_json(row->rows, inner) : NULL;
	case CONFIG_LIST:
		return list_json(row, base);
	case CONFIG_STRINGS:
		return strings_json(row, base);
	case CONFIG_FOREIGN:
		break;
	}
	return NULL;
}

json_t *
config_json(const struct config_row *rows, const void *base)
{
	json_t *object = json_object();

	for (; rows->key != NULL; rows++) {
		json_t *v = value_json(rows, base);

		if (v != NULL)
			json_object_set_new(object, rows->key, v);
	}
	return object;
}
