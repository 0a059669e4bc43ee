/*
 * text - foreign bytes made safe to show, hexadecimal, nearest words.
 * Pure; no allocation.
 */
#ifndef FALLBACKMX_TEXT_H
#define FALLBACKMX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes s (len bytes, any content) to out as printable ASCII: other bytes and
 * the backslash become \xHH, what does not fit ends in "...". Always ends with
 * NUL, returns out. For logs and terminals (reliability: log injection).
 */
const char *text_quote(char *out, size_t size, const char *s, size_t len);

/* text_quote of a C string into one of a few static buffers: for one log line
 * with at most four such values. Not for threads. */
const char *text_show(const char *s);

/* The ending of a noun behind that number: "" or "s". */
const char *text_s(uint64_t n);

/* out needs 2 * n + 1 bytes; lower case. */
void text_hex(char *out, const uint8_t *bytes, size_t n);

/* False if s is not exactly 2 * n lower-case hexadecimal digits. */
bool text_unhex(uint8_t *out, size_t n, const char *s);

/* The word of the NULL-terminated list that is nearest to s by edit distance,
 * or NULL if none is near enough to be meant. */
const char *text_nearest(const char *s, const char *const *words);

#endif
