#include <config.h>

#include <stdint.h>
#include <string.h>

#include "safe.h"

/* The character at s, of n bytes; 0: it is none (RFC 3629, 4). */
static uint32_t
character(const unsigned char *s, size_t n, size_t *length_r)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t length = *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3
			      : *s < 0xf5 ? 4 : 0;
	uint32_t c = length == 2 ? *s & 0x1f : length == 3 ? *s & 0x0f
		     : *s & 0x07;

	*length_r = length;
	if (length == 0 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[length] || c > 0x10ffff ||
	       (c >= 0xd800 && c < 0xe000) ? 0 : c;
}

/* C1 controls, marks and embeddings of direction, line separators, and what
 * can hide text. */
static bool
steers(uint32_t c)
{
	return c < 0xa0 || c == 0xad || c == 0x061c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c < 0xe1000);
}

void
safe_write(FILE *out, const char *s, size_t n, bool lines)
{
	const unsigned char *p = (const unsigned char *)s;

	while (n > 0) {
		size_t length = 1;

		if (lines && *p == '\r' && n > 1 && p[1] == '\n')
			;	/* the LF is enough */
		else if ((*p >= 0x20 && *p < 0x7f && *p != '\\') ||
			 (lines && (*p == '\n' || *p == '\t' || *p == '\\')))
			putc(*p, out);
		else if (*p < 0x80 || steers(character(p, n, &length))) {
			fprintf(out, "\\x%02x", *p);
			length = 1;
		} else
			fwrite(p, 1, length, out);
		p += length;
		n -= length;
	}
}

void
safe_text(FILE *out, const char *s)
{
	safe_write(out, s, strlen(s), false);
}
