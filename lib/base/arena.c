#include <config.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

#define BLOCK_SIZE ((size_t)16384)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	max_align_t data[];
};

static void *
or_die(void *p)
{
	if (p == NULL) {
		fputs("fallbackmx: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
mem_alloc(size_t size)
{
	return or_die(calloc(1, size ? size : 1));
}

void *
mem_grow(void *old, size_t count, size_t size)
{
	return or_die(reallocarray(old, count, size));
}

char *
mem_strdup(const char *s)
{
	return or_die(strdup(s));
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *b = a->head;
	void *p;

	if (size > SIZE_MAX / 2)
		or_die(NULL);
	size = (size + align - 1) / align * align;
	if (b == NULL || b->size - b->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		b = mem_alloc(sizeof(*b) + room);
		b->size = room;
		b->next = a->head;
		a->head = b;
	}
	p = (char *)b->data + b->used;
	b->used += size;
	return p;
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = arena_alloc(a, len + 1);

	memcpy(p, s, len);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	char *text, *p;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		or_die(NULL);
	va_end(ap);
	p = arena_strdup(a, text);
	free(text);
	return p;
}

void
arena_free(struct arena *a)
{
	while (a->head != NULL) {
		struct arena_block *b = a->head;

		a->head = b->next;
		free(b);
	}
}
