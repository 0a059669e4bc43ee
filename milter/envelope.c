#include <config.h>

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "envelope.h"

#define SIZE_DIGITS 18 /* more are more than anybody has */

/* RFC 5321, 4.1.2: Atom, and bytes beyond ASCII of RFC 6531. */
static bool
is_atext(char c)
{
	const unsigned char u = (unsigned char)c;

	return u >= 0x80 || isalnum(u) ||
		(c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* What is in the quotes, if it needs none; else NULL. */
static char *
unquote(const char *s, size_t n, struct arena *a)
{
	char *out = arena_alloc(a, n + 1), last = '.';
	size_t len = 0;

	for (size_t i = 1; i + 1 < n; i++) {
		if (s[i] == '\\' && i + 2 < n)
			i++;
		if (!is_atext(s[i]) && (s[i] != '.' || last == '.'))
			return NULL;
		last = s[i];
		out[len++] = s[i];
	}
	return last != '.' ? out : NULL;
}

/* Bytes of the local part when it is one quoted string, else 0. */
static size_t
quoted_length(const char *s)
{
	size_t i = 1;

	if (*s != '"')
		return 0;
	while (s[i] != '\0' && s[i] != '"')
		i += s[i] == '\\' && s[i + 1] != '\0' ? 2 : 1;
	return s[i] == '"' && s[i + 1] == '@' ? i + 1 : 0;
}

const char *
envelope_address(const char *text, struct arena *a)
{
	size_t n, quoted;
	char *s, *at, *plain;

	if (text == NULL)
		return "";
	n = strlen(text);
	if (n >= 2 && text[0] == '<' && text[n - 1] == '>') {
		text++;
		n -= 2;
	}
	if (n > 0 && *text == '@' && memchr(text, ':', n) != NULL) {
		const char *behind = (const char *)memchr(text, ':', n) + 1;

		n -= (size_t)(behind - text);
		text = behind;
	}
	s = arena_strndup(a, text, n);
	quoted = quoted_length(s);
	plain = quoted > 0 ? unquote(s, quoted, a) : NULL;
	if (plain != NULL)
		s = arena_printf(a, "%s%s", plain, s + quoted);
	n = strlen(s);
	at = strrchr(s, '@');
	if (at != NULL && n > 1 && s[n - 1] == '.' && s + n - 2 > at)
		s[n - 1] = '\0';
	return s;
}

int64_t
envelope_size(char *const *arguments)
{
	int64_t size = 0;
	const char *p;

	if (arguments == NULL || *arguments == NULL)
		return -1;
	while (*++arguments != NULL)
		if (strncasecmp(*arguments, "SIZE=", 5) == 0)
			break;
	if (*arguments == NULL)
		return -1;
	p = *arguments + 5;
	if (*p == '\0' || strspn(p, "0123456789") != strlen(p))
		return -1;
	if (strlen(p) > SIZE_DIGITS)
		return INT64_MAX;
	for (; *p != '\0'; p++)
		size = 10 * size + (*p - '0');
	return size;
}
