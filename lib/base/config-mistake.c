#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/config.h"
#include "lib/base/text.h"

#define SHOWN_SIZE 96
#define WANT_SIZE 640

static void
add_mistake(struct config_mistakes *m, const char *path, const char *found,
	    const char *expected)
{
	m->n++;
	buf_printf(m->lines, "%s: %s%sfound %s, expected %s\n", m->file, path,
		   *path ? ": " : "", found, expected);
}

static const char *
quote(const char *s, size_t n, char *out, size_t size)
{
	char text[SHOWN_SIZE - 2];

	text_quote(text, sizeof(text), s, n);
	snprintf(out, size, "\"%s\"", text);
	return out;
}

/* The value as the admin wrote it, short. */
static const char *
show_value(const json_t *v, char *out, size_t size)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return quote(json_string_value(v), json_string_length(v), out,
			     size);
	case JSON_INTEGER:
		snprintf(out, size, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(v));
		break;
	case JSON_REAL:
		snprintf(out, size, "%g", json_real_value(v));
		break;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		return "null";
	}
	return out;
}

void
config_mistake(struct config_mistakes *m, const char *path, const char *found,
	       const char *expected, ...)
{
	char shown[SHOWN_SIZE], want[WANT_SIZE];
	va_list ap;

	va_start(ap, expected);
	vsnprintf(want, sizeof(want), expected, ap);
	va_end(ap);
	add_mistake(m, path, found == NULL ? "nothing" :
		    quote(found, strlen(found), shown, sizeof(shown)), want);
}

void
config_mistake_value(struct config_mistakes *m, const char *path,
		     const json_t *found, const char *expected, ...)
{
	char shown[SHOWN_SIZE], want[WANT_SIZE];
	va_list ap;

	va_start(ap, expected);
	vsnprintf(want, sizeof(want), expected, ap);
	va_end(ap);
	add_mistake(m, path, found == NULL ? "nothing" :
		    show_value(found, shown, sizeof(shown)), want);
}

void
config_mistake_plain(struct config_mistakes *m, const char *path,
		     const char *found, const char *expected, ...)
{
	char want[WANT_SIZE];
	va_list ap;

	va_start(ap, expected);
	vsnprintf(want, sizeof(want), expected, ap);
	va_end(ap);
	add_mistake(m, path, found, want);
}

void
config_words(const char *const *words, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (; *words != NULL && at < size; words++) {
		const char *glue = at == 0 ? "" : words[1] ? ", " : " or ";
		int n = snprintf(out + at, size - at, "%s%s", glue, *words);

		if (n < 0)
			return;
		at += (size_t)n;
	}
}

/* "a, b or c (did you mean "b"?)" */
static void
want_words(const char *said, const char *const *words, char *out, size_t size)
{
	const char *near = said ? text_nearest(said, words) : NULL;
	size_t n;

	config_words(words, out, size);
	n = strlen(out);
	if (near != NULL)
		snprintf(out + n, size - n, " (did you mean \"%s\"?)", near);
}

void
config_mistake_word(struct config_mistakes *m, const char *path,
		    const json_t *found, const char *const *words)
{
	char want[WANT_SIZE];

	want_words(json_string_value(found), words, want, sizeof(want));
	config_mistake_value(m, path, found, "%s", want);
}

void
config_mistake_key(struct config_mistakes *m, const char *path,
		   const char *key, const char *const *words)
{
	char want[WANT_SIZE];

	want_words(key, words, want, sizeof(want));
	add_mistake(m, path, "an unknown key", want);
}

static bool
has_line(const struct buf *lines, const char *line, size_t n)
{
	const char *at = lines->data;

	while (at != NULL && *at != '\0') {
		const size_t len = strcspn(at, "\n") + 1;

		if (len == n && memcmp(at, line, n) == 0)
			return true;
		at += at[len - 1] == '\n' ? len : len - 1;
	}
	return false;
}

size_t
config_add_lines(struct buf *lines, const struct buf *more)
{
	const char *line = more->data, *end;
	size_t n = 0;

	for (; line != NULL && (end = strchr(line, '\n')) != NULL;
	     line = end + 1) {
		const size_t len = (size_t)(end + 1 - line);

		if (has_line(lines, line, len))
			continue;
		buf_add(lines, line, len);
		n++;
	}
	return n;
}
