#include <config.h>

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "header.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

/* What would end a line of the log, or its string. */
static bool
is_line_end(char c)
{
	return c == '\0' || c == '\r';
}

/* The bytes of the line at `at`, its LF included. */
static size_t
line_length(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

	return (size_t)((lf ? lf + 1 : end) - at);
}

static bool
is_empty_line(const char *at, size_t n)
{
	return (n == 1 && at[0] == '\n') ||
	       (n == 2 && at[0] == '\r' && at[1] == '\n');
}

/* The value behind "NAME:", or NULL. */
static const char *
value_of(const char *line, size_t n, const char *name)
{
	size_t at = strlen(name);

	if (n <= at || strncasecmp(line, name, at) != 0)
		return NULL;
	while (at < n && (line[at] == ' ' || line[at] == '\t'))
		at++;
	return at < n && line[at] == ':' ? line + at + 1 : NULL;
}

static size_t
append(char *out, size_t have, size_t room, const char *from, const char *end)
{
	/* Without the line's end. */
	if (from < end && end[-1] == '\n')
		end--;
	if (from < end && end[-1] == '\r')
		end--;
	for (; from < end && have + 1 < room; from++)
		if (have > 0 || !is_blank(*from))
			out[have++] = is_line_end(*from) ? ' ' : *from;
	return have;
}

void
header_find(const char *head, size_t len, const char *name, char *out,
	    size_t room)
{
	const char *at = head, *end = head + len;
	bool found = false;
	size_t have = 0;

	while (at < end) {
		size_t n = line_length(at, end);
		const char *value = value_of(at, n, name);

		if (is_empty_line(at, n))
			break;
		if (found && (*at == ' ' || *at == '\t'))
			have = append(out, have, room, at, at + n);
		else if (found)
			break;
		else if (value != NULL) {
			found = true;
			have = append(out, have, room, value, at + n);
		}
		at += n;
	}
	while (have > 0 && is_blank(out[have - 1]))
		have--;
	out[have] = '\0';
}
