#include <config.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ini.h"
#include "lib/base/arena.h"
#include "lib/base/text.h"
#include "secret.h"

/* As Python's str.strip() sees ASCII. */
#define BLANK " \t\v\f\r"

struct parser {
	struct ini *ini;
	enum ini_kind kind;
	const char *name;
	int line;
	const char *section;	/* NULL in front of the first */
	size_t indent;		/* of the last key or section */
	struct ini_entry *key;	/* that a deeper line belongs to, or NULL */
	char *end;		/* of that key's value, when it has one */
};

static int
wrong(const struct parser *p, const char *expected, struct err *e)
{
	return err_stop(e, EX_CONFIG, "cannot read %s:%d: expected %s",
			text_show(p->name), p->line, expected);
}

static char *
strip(char *s)
{
	size_t n;

	s += strspn(s, BLANK);
	n = strlen(s);
	while (n > 0 && strchr(BLANK, s[n - 1]) != NULL)
		n--;
	s[n] = '\0';
	return s;
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s |= 0x20;
}

static struct ini_entry *
add(struct parser *p, const char *block, const char *key, const char *value)
{
	struct ini *i = p->ini;

	if (i->n == i->room) {
		i->room = 2 * i->room + 16;
		i->entries = mem_grow(i->entries, i->room,
				      sizeof(*i->entries));
	}
	i->entries[i->n] = (struct ini_entry){
		p->section ? p->section : "", block, key, value, p->line,
	};
	return &i->entries[i->n++];
}

/* `profile "my mail"` is the section "profile my mail" (botocore splits it
 * like a shell). */
static void
squeeze(char *s)
{
	char *out = s;
	char quote = '\0';

	for (; *s != '\0'; s++) {
		if (*s == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*s == '"' || *s == '\'')) {
			quote = *s;
		} else if (quote != '\0' || strchr(BLANK, *s) == NULL) {
			*out++ = *s;
		} else if (out[-1] != ' ') {
			*out++ = ' ';
		}
	}
	*out = '\0';
}

static int
take_section(struct parser *p, char *s, struct err *e)
{
	char *close = strrchr(s, ']');

	if (close == NULL || close == s + 1)
		return wrong(p, "[section]", e);
	*close = '\0';
	s = strip(s + 1);
	if (*s == '\0')
		return wrong(p, "[section] with a name", e);
	squeeze(s);
	p->section = s;
	p->key = NULL;
	/* So that an empty section is known. */
	add(p, NULL, "", "");
	return 0;
}

/* Splits at the first delimiter; value_r is stripped. */
static char *
split(char *s, const char *delimiters, char **value_r)
{
	char *at = s + strcspn(s, delimiters);

	if (*at == '\0' || at == s)
		return NULL;
	*at = '\0';
	*value_r = strip(at + 1);
	s = strip(s);
	lower(s);
	return s;
}

static int
take_key(struct parser *p, char *s, struct err *e)
{
	char *value, *key;

	if (p->section == NULL && p->kind != INI_BARE)
		return wrong(p, "[section] in front of the first key", e);
	key = split(s, "=:", &value);
	if (key == NULL)
		return wrong(p, "[section], KEY = VALUE, or a # comment", e);
	p->key = add(p, NULL, key, value);
	p->end = value + strlen(value);
	return 0;
}

/* A line that belongs to the key above it. */
static int
take_deeper(struct parser *p, char *s, struct err *e)
{
	char *value, *key;
	size_t n;

	if (p->key->value[0] != '\0') {
		/* It moves forward over the line end and the indentation. */
		n = strlen(s);
		*p->end++ = '\n';
		memmove(p->end, s, n + 1);
		p->end += n;
		return 0;
	}
	key = split(s, "=", &value);
	if (key == NULL)
		return wrong(p, "KEY = VALUE in the indented block", e);
	n = (size_t)(p->key - p->ini->entries);
	add(p, p->key->key, key, value);
	p->key = &p->ini->entries[n];	/* it may have moved */
	return 0;
}

static int
take_line(struct parser *p, char *s, struct err *e)
{
	const size_t indent = strspn(s, BLANK);

	s = strip(s);
	if (*s == '\0' || *s == '#' || *s == ';')
		return 0;
	if (p->key != NULL && indent > p->indent)
		return take_deeper(p, s, e);
	p->indent = indent;
	return *s == '[' ? take_section(p, s, e) : take_key(p, s, e);
}

int
ini_parse(struct ini *i, enum ini_kind kind, const char *name,
	  const char *text, size_t len, struct err *e)
{
	struct parser p = { .ini = i, .kind = kind, .name = name };
	char *s, *next;

	*i = (struct ini){ 0 };
	if (len > INI_MAX)
		return err_stop(e, EX_CONFIG, "cannot read %s: it has more "
				"than %zu bytes", text_show(name), INI_MAX);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (memchr(text, '\0', len) != NULL)
		return err_stop(e, EX_CONFIG, "cannot read %s: it has NUL "
				"bytes, so it is no text", text_show(name));
	i->text = mem_alloc(len + 1);
	i->len = len;
	memcpy(i->text, text, len);
	for (s = i->text; s != NULL; s = next) {
		next = strchr(s, '\n');
		if (next != NULL)
			*next++ = '\0';
		p.line++;
		if (take_line(&p, s, e) < 0) {
			ini_free(i);
			return -1;
		}
	}
	return 0;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const char *
ini_get(const struct ini *i, const char *section, const char *block,
	const char *key)
{
	for (size_t k = i->n; k-- > 0;) {
		const struct ini_entry *x = &i->entries[k];

		if (same(x->section, section) && same(x->block, block) &&
		    same(x->key, key))
			return x->value;
	}
	return NULL;
}

bool
ini_has(const struct ini *i, const char *section)
{
	for (size_t k = 0; k < i->n; k++)
		if (same(i->entries[k].section, section))
			return true;
	return false;
}

void
ini_free(struct ini *i)
{
	if (i->text != NULL)
		secret_wipe(i->text, i->len + 1);
	free(i->text);
	free(i->entries);
	*i = (struct ini){ 0 };
}
