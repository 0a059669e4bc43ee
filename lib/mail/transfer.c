#include <config.h>

#include "transfer.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t
transfer_base64(struct buf *out, const char *s, size_t n)
{
	unsigned bits = 0, have = 0;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const int digit = base64_digit(s[i]);
		char c;

		if (s[i] == '=')
			have = 0;
		if (digit < 0)
			continue;
		bits = (bits << 6 | (unsigned)digit) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		c = (char)(bits >> have & 0xff);
		buf_add(out, &c, 1);
		count++;
	}
	return count;
}

/* Bytes from the "=" at s on that say: the line goes on; 0: they do not. */
static size_t
soft_end(const char *s, size_t n)
{
	size_t i = 1;

	while (i < n && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r'))
		i++;
	return i == n ? i : s[i] == '\n' ? i + 1 : 0;
}

/* mark is what stands before two digits; blank: what stands for a blank. */
static size_t
digits(struct buf *out, const char *s, size_t n, char mark, char blank)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++, count++) {
		char c = s[i] == blank ? ' ' : s[i];

		if (c == mark && n - i > 2 && hex_digit(s[i + 1]) >= 0 &&
		    hex_digit(s[i + 2]) >= 0) {
			c = (char)(hex_digit(s[i + 1]) << 4 |
				   hex_digit(s[i + 2]));
			i += 2;
		}
		buf_add(out, &c, 1);
	}
	return count;
}

size_t
transfer_q(struct buf *out, const char *s, size_t n)
{
	return digits(out, s, n, '=', '_');
}

size_t
transfer_percent(struct buf *out, const char *s, size_t n)
{
	return digits(out, s, n, '%', ' ');
}

size_t
transfer_quoted(struct buf *out, const char *s, size_t n)
{
	const char *end = s + n, *from = s;
	size_t count = 0;

	while (s < end) {
		const size_t soft = *s == '=' ? soft_end(s, (size_t)(end - s))
				    : 0;

		if (soft > 0)
			count += digits(out, from, (size_t)(s - from), '=',
					' ');
		s += soft > 0 ? soft : 1;
		if (soft > 0)
			from = s;
	}
	return count + digits(out, from, (size_t)(end - from), '=', ' ');
}
