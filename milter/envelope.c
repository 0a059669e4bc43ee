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

/* text without a source route in front, of n bytes. */
static const char *
behind_route(const char *text, size_t *n)
{
	const char *colon = *n > 0 && *text == '@' ? memchr(text, ':', *n)
						   : NULL;

	if (colon == NULL)
		return text;
	*n -= (size_t)(colon + 1 - text);
	return colon + 1;
}

const char *
envelope_removable(const char *text, struct arena *a)
{
	const char *address;
	size_t n = strlen(text);

	if (n < 2 || text[0] != '<' || text[n - 1] != '>')
		return text;
	n -= 2;
	address = behind_route(text + 1, &n);
	return arena_printf(a, "<%.*s>", (int)n, address);
}

/* What stands between ends, which nest if they differ: a comment, or quotes;
 * behind it. */
static const char *
behind_quotes(const char *s, char begin, char end)
{
	size_t depth = 0;

	do {
		if (*s == '\\' && s[1] != '\0')
			s++;
		else if (*s == end && (begin != end || depth > 0))
			depth--;
		else if (*s == begin)
			depth++;
		s++;
	} while (depth > 0 && *s != '\0');
	return s;
}

bool
envelope_is_removable(const char *s)
{
	bool local = false; /* a local part stands before */

	while (*s != '\0') {
		if (*s == '@' && !local)
			return false;
		if (*s == '(') {
			s = behind_quotes(s, '(', ')');
		} else if (*s == '"') {
			s = behind_quotes(s, '"', '"');
			local = true;
		} else {
			if (strchr("<,:;", *s) != NULL)
				local = false;
			else if (!isspace((unsigned char)*s))
				local = true;
			s++;
		}
	}
	return true;
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
	text = behind_route(text, &n);
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

const char *
envelope_meant(const char *told, const char *text, struct arena *a)
{
	const char *address = envelope_address(text, a), *meant;

	/* What is told may be of an earlier command then. */
	if (*address == '\0' || told == NULL || strchr(told, '@') == NULL)
		return address;
	meant = envelope_address(told, a);
	/* Postfix tells domains, and names of its own, in small letters. */
	return strcasecmp(address, meant) == 0 ? address : meant;
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
