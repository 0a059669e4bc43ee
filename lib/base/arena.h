/*
 * arena - memory of one run, one batch, one policy: taken in pieces, freed at
 * once. Every allocation of the project goes through here: running out of
 * memory ends the program (input limits make that rare), so nobody checks.
 * Memory is zeroed. Not shared between threads.
 */
#ifndef FALLBACKMX_ARENA_H
#define FALLBACKMX_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_block *head;
};

void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Frees all of it; the arena can be used again. */
void arena_free(struct arena *a);

/* Single pieces with a life of their own; released with free(3). */
void *mem_alloc(size_t size);
void *mem_grow(void *old, size_t count, size_t size);
char *mem_strdup(const char *s);

#endif
