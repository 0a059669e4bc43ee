#include <config.h>

#include <jansson.h>
#include <string.h>

#include "document.h"
#include "lib/base/text.h"

struct scan {
	size_t depth, deepest, values;
};

/* The place of the quote that ends a string. Escapes are jansson's business. */
static size_t
skip_string(const char *s, size_t i, size_t n)
{
	for (i++; i < n && s[i] != '"'; i++)
		if (s[i] == '\\')
			i++;
	return i;
}

/* What jansson would have to build, before it builds any of it. */
static void
scan_text(const char *s, size_t n, struct scan *sc)
{
	for (size_t i = 0; i < n; i++)
		switch (s[i]) {
		case '"':
			i = skip_string(s, i, n);
			break;
		case '[':
		case '{':
			sc->depth++;
			sc->values++;
			if (sc->depth > sc->deepest)
				sc->deepest = sc->depth;
			break;
		case ']':
		case '}':
			if (sc->depth > 0)
				sc->depth--;
			break;
		case ',':
		case ':':
			sc->values++;
		}
}

static bool
too_much(const char *text, size_t n, struct config_mistakes *m)
{
	struct scan sc = { 0 };

	if (n <= POLICY_MAX)
		scan_text(text, n, &sc);
	if (n <= POLICY_MAX && sc.deepest <= POLICY_DEPTH_MAX &&
	    sc.values <= DOCUMENT_VALUES_MAX)
		return false;
	m->n++;
	if (n > POLICY_MAX)
		buf_printf(m->lines, "%s: found %zu bytes, expected at most "
			   "%zu\n", m->file, n, POLICY_MAX);
	else if (sc.deepest > POLICY_DEPTH_MAX)
		buf_printf(m->lines, "%s: found objects and lists %zu deep, "
			   "expected at most %d\n", m->file, sc.deepest,
			   POLICY_DEPTH_MAX);
	else
		buf_printf(m->lines, "%s: found %zu values, expected at most "
			   "%zu\n", m->file, sc.values, DOCUMENT_VALUES_MAX);
	return true;
}

int
document_begin(const char **text, size_t *n, struct config_mistakes *m)
{
	/* Windows' tools write it; RFC 8259, 8.1 lets us ignore it. */
	if (*n >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*n -= 3;
	}
	if (*n < 2 || (memcmp(*text, "\xff\xfe", 2) != 0 &&
		       memcmp(*text, "\xfe\xff", 2) != 0))
		return 0;
	m->n++;
	buf_printf(m->lines, "%s: found UTF-16, expected UTF-8\n", m->file);
	return -1;
}

json_t *
document_load(const char *text, size_t n, struct config_mistakes *m)
{
	char said[256];
	json_error_t je;
	json_t *top;

	if (too_much(text, n, m))
		return NULL;
	top = json_loadb(text, n, JSON_REJECT_DUPLICATES, &je);
	if (top != NULL)
		return top;
	m->n++;
	buf_printf(m->lines, "%s:%d:%d: cannot read JSON: %s\n", m->file,
		   je.line, je.column,
		   text_quote(said, sizeof(said), je.text, strlen(je.text)));
	return NULL;
}
