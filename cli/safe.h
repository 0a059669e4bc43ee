/*
 * safe - foreign text on a terminal: UTF-8 as it is, but what could steer the
 * terminal or turn the direction of writing as \xHH.
 */
#ifndef FALLBACKMX_SAFE_H
#define FALLBACKMX_SAFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes n bytes. With lines, line ends (CRLF, LF) and TAB stay; else they are
 * escaped like other control characters. */
void safe_write(FILE *out, const char *s, size_t n, bool lines);

/* safe_write() of a text that is one line. */
void safe_text(FILE *out, const char *s);

#endif
