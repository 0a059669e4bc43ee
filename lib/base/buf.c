#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "buf.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_add(struct buf *b, const void *data, size_t n)
{
	if (n > b->max - b->len) {
		n = b->max - b->len;
		b->cut = true;
	}
	if (n == 0)
		return;
	if (b->len + n + 1 > b->room) {
		b->room = 2 * (b->len + n) + 1;
		b->data = mem_grow(b->data, b->room, 1);
	}
	memcpy(b->data + b->len, data, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	char line[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line)) {
		n = sizeof(line) - 1;
		b->cut = true;
	}
	buf_add(b, line, (size_t)n);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->cut = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}
