#include <config.h>

#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "tag.h"

#define LINE_MAX_ ((size_t)998) /* RFC 5322, 2.1.1 */
#define WORD_MAX ((size_t)75)	/* RFC 2047, 2 */
#define VALUE_MAX ((size_t)65536)

/* A line that is being filled. */
struct line {
	struct buf text;
	size_t column;
};

/* Puts a word behind a blank or on a new line; glued: without the blank. */
static void
add_word(struct line *l, const char *word, bool glued)
{
	const size_t n = strlen(word), blank = glued ? 0 : 1;

	if (l->text.len > 0 && l->column + blank + n > TAG_WIDTH) {
		buf_add(&l->text, "\n\t", 2);
		l->column = 8;
	} else if (l->text.len > 0 && !glued) {
		buf_add(&l->text, " ", 1);
		l->column++;
	}
	buf_add(&l->text, word, n);
	l->column += n;
}

static const char *
finish(struct line *l, struct arena *a)
{
	const char *text = arena_strdup(a, l->text.data ? l->text.data : "");

	buf_free(&l->text);
	return text;
}

bool
tag_is_name(const char *name)
{
	return strcasecmp(name, TAG_NAME) == 0;
}

const char *
tag_value(const struct tag *t, struct arena *a)
{
	const char *end = t->failure != NULL ? ";" : "";
	struct line l = { .column = strlen(TAG_NAME ": ") };

	buf_init(&l.text, VALUE_MAX);
	add_word(&l, t->relayed ? "route=fallback;" : "route=direct;", false);
	add_word(&l,
		 arena_printf(a, "ingress=%s%s", t->ingress,
			      t->rules_n > 0 ? ";" : end),
		 false);
	for (size_t i = 0; i < t->rules_n; i++)
		add_word(&l,
			 arena_printf(a, "%s%s%s",
				      i ? "" : "rules=", t->rules[i],
				      i + 1 < t->rules_n ? "," : end),
			 i > 0);
	if (t->failure != NULL)
		add_word(&l, arena_printf(a, "failure=%s", t->failure), false);
	return finish(&l, a);
}

static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* Bytes of the character at s, which is UTF-8. */
static size_t
character(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Whether it may stand in a Q word as it is (RFC 2047, 5, the narrow set). */
static bool
is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || strchr("!*+-/", c) != NULL;
}

static void
add_encoded(struct buf *word, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == ' ')
			buf_add(word, "_", 1);
		else if (is_safe(s[i]))
			buf_add(word, &s[i], 1);
		else
			buf_printf(word, "=%02X", (unsigned char)s[i]);
}

/* Words side by side; no character is cut. */
static const char *
encode(const char *s, size_t name_n, struct arena *a)
{
	static const char begin[] = "=?utf-8?q?", end[] = "?=";
	struct line l = { .column = name_n + 2 };
	struct buf word, next;

	buf_init(&l.text, VALUE_MAX);
	buf_init(&word, VALUE_MAX);
	buf_init(&next, VALUE_MAX);
	while (*s != '\0') {
		const size_t n = character(s);

		buf_clear(&next);
		add_encoded(&next, s, n);
		s += n;
		if (word.len > 0 && word.len + next.len + 2 > WORD_MAX) {
			buf_add(&word, end, 2);
			add_word(&l, word.data, false);
			buf_clear(&word);
		}
		if (word.len == 0)
			buf_add(&word, begin, sizeof(begin) - 1);
		buf_add(&word, next.data, next.len);
	}
	buf_add(&word, end, 2);
	add_word(&l, word.data, false);
	buf_free(&word);
	buf_free(&next);
	return finish(&l, a);
}

const char *
tag_header(const char *value, size_t name_n, struct arena *a)
{
	for (const char *p = value; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return NULL;
	if (!is_plain(value))
		return encode(value, name_n, a);
	if (name_n + 2 + strlen(value) > LINE_MAX_)
		return NULL;
	return arena_strdup(a, value);
}
