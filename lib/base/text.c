#include <config.h>

#include <stdio.h>
#include <string.h>

#include "text.h"

#define WORD_MAX ((size_t)64)

const char *
text_quote(char *out, size_t size, const char *s, size_t len)
{
	size_t at = 0, dots = 0;	/* where "..." would still fit */

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '\\';
		size_t need = plain ? 1 : 4;

		if (at + 4 <= size)
			dots = at;
		if (at + need + 1 > size) {
			for (at = dots; at < dots + 3 && at + 1 < size; at++)
				out[at] = '.';
			break;
		}
		if (plain)
			out[at] = (char)c;
		else
			snprintf(out + at, 5, "\\x%02x", c);
		at += need;
	}
	out[at] = '\0';
	return out;
}

const char *
text_show(const char *s)
{
	static char ring[4][320];
	static unsigned next;
	char *out = ring[next++ % 4];

	return text_quote(out, sizeof(ring[0]), s, strlen(s));
}

const char *
text_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void
text_hex(char *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
text_unhex(uint8_t *out, size_t n, const char *s)
{
	if (strlen(s) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time; both words are short. */
static size_t
distance(const char *a, size_t an, const char *b, size_t bn)
{
	size_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= bn; j++)
		row[j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[bn];
}

const char *
text_nearest(const char *s, const char *const *words)
{
	size_t n = strnlen(s, WORD_MAX + 1);
	size_t best = n / 3 + 2;
	const char *found = NULL;

	if (n > WORD_MAX)
		return NULL;
	for (; *words != NULL; words++) {
		size_t m = strlen(*words), d;

		if (m > WORD_MAX)
			continue;
		d = distance(s, n, *words, m);
		if (d < best) {
			best = d;
			found = *words;
		}
	}
	return found;
}
