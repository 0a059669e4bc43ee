/*
 * buf - text that grows up to a maximum given at birth. What does not fit is
 * left away and remembered, so a writer need not check every step.
 * Zero-initialised is valid and empty once max is set.
 */
#ifndef FALLBACKMX_BUF_H
#define FALLBACKMX_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;		/* NUL after the last byte; NULL while empty */
	size_t len, room, max;
	bool cut;		/* something did not fit */
};

void buf_init(struct buf *b, size_t max);
void buf_add(struct buf *b, const void *data, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

#endif
