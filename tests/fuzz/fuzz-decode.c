#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/mail/decode.h"

/* Valid UTF-8, as RFC 3629 has it, without controls. */
static size_t
character(const unsigned char *s)
{
	const size_t n = s[0] < 0x80   ? 1
			 : s[0] < 0xe0 ? 2
			 : s[0] < 0xf0 ? 3
				       : 4;
	unsigned long c = n == 1 ? s[0] : s[0] & (0x7fU >> n);

	PROMISE(s[0] < 0x80 || (s[0] >= 0xc2 && s[0] <= 0xf4));
	for (size_t i = 1; i < n; i++) {
		PROMISE((s[i] & 0xc0) == 0x80);
		c = c << 6 | (s[i] & 0x3f);
	}
	PROMISE(n != 3 || (c >= 0x800 && (c < 0xd800 || c > 0xdfff)));
	PROMISE(n != 4 || (c >= 0x10000 && c <= 0x10ffff));
	PROMISE(c >= ' ' && (c < 0x7f || c > 0x9f));
	PROMISE((c < 0x202a || c > 0x202e) && (c < 0x2066 || c > 0x2069));
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { NULL };
	char *value = arena_alloc(&a, size + 1);
	const char *text;

	decode_init();
	if (size > 0)
		memcpy(value, data, size);
	text = decode_text(value, &a);
	PROMISE(strlen(text) <= 4 * strlen(value) + 4);
	for (const char *s = text; *s != '\0';)
		s += character((const unsigned char *)s);
	/* Text without words decodes to itself. */
	if (strstr(text, "=?") == NULL)
		PROMISE(strcmp(decode_text(text, &a), text) == 0);
	arena_free(&a);
	return 0;
}
