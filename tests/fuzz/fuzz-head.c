#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/mail/head.h"

static void
field_ok(const struct head_field *f, const char *text, size_t size,
	 struct arena *a)
{
	const char *value = head_value(f, a);
	char part[8];

	PROMISE(f->name >= text && f->name_n > 0);
	PROMISE(f->value + f->value_n <= text + size);
	for (size_t i = 0; i < f->name_n; i++)
		PROMISE(f->name[i] > ' ' && f->name[i] <= '~' &&
			f->name[i] != ':');
	PROMISE(strlen(value) <= f->value_n);
	PROMISE(strpbrk(value, "\r\n") == NULL);
	PROMISE(*value == '\0' || strchr(" \t", *value) == NULL);
	PROMISE(*value == '\0' ||
		strchr(" \t", value[strlen(value) - 1]) == NULL);
	head_unfold(f, part, sizeof(part));
	PROMISE(strncmp(value, part, strlen(part)) == 0);
}

/* The fields given one by one are the same fields. */
static void
added_ok(const struct head *h, struct arena *a)
{
	struct head again = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		head_add(&again,
			 arena_strndup(a, h->fields[i].name,
				       h->fields[i].name_n),
			 head_value(&h->fields[i], a), a);
	PROMISE(again.n == h->n && !again.limits);
	for (const struct head_field *f = NULL;
	     (f = head_next(&again, "Subject", f)) != NULL; n++)
		PROMISE(f->name_n == 7);
	for (const struct head_field *f = NULL;
	     (f = head_next(h, "sUBJECT", f)) != NULL; n--)
		continue;
	PROMISE(n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *)data : "";
	const char *at = text;
	struct arena a = { NULL };
	struct head_field f;
	struct head h;
	size_t n = 0;

	head_read(&h, text, size, &a);
	PROMISE(h.size <= size);
	PROMISE(h.size == size || text[h.size - 1] == '\n');
	for (size_t i = 0; i < h.n; i++)
		field_ok(&h.fields[i], text, size, &a);
	while (head_cut(&at, text + size, &f))
		n++;
	PROMISE(n == h.n || h.limits);
	if (!h.limits)
		added_ok(&h, &a);
	arena_free(&a);
	return 0;
}
