#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "aws-error.h"

#define DEPTH_MAX 16

struct reading {
	XML_Parser parser;
	struct aws_error *error;
	int depth, error_depth;	/* 0: not in an <Error> */
	char *field;		/* that takes the text; NULL: none */
	size_t room;
};

static void
begin_element(void *arg, const char *name, const char **attributes)
{
	struct reading *r = arg;
	const struct {
		const char *name;
		char *field;
		size_t size;
	} fields[] = {
		{ "Code", r->error->code, sizeof(r->error->code) },
		{ "Message", r->error->message, sizeof(r->error->message) },
		{ "Region", r->error->region, sizeof(r->error->region) },
	};

	(void)attributes;
	if (++r->depth > DEPTH_MAX) {
		XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	r->field = NULL;
	if (r->error_depth == 0 && strcmp(name, "Error") == 0)
		r->error_depth = r->depth;
	if (r->error_depth == 0 || r->depth != r->error_depth + 1)
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(name, fields[i].name) == 0 &&
		    fields[i].field[0] == '\0') {
			r->field = fields[i].field;
			r->room = fields[i].size - 1;
		}
}

static void
end_element(void *arg, const char *name)
{
	struct reading *r = arg;

	(void)name;
	r->depth--;
	r->field = NULL;
}

static void
take_text(void *arg, const char *text, int len)
{
	struct reading *r = arg;
	size_t n = (size_t)len;

	if (r->field == NULL)
		return;
	if (n > r->room)
		n = r->room;
	memcpy(r->field, text, n);
	r->field += n;
	r->room -= n;
	*r->field = '\0';
}

static void
refuse_doctype(void *arg, const char *name, const char *system,
	       const char *public, int internal)
{
	struct reading *r = arg;

	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	XML_StopParser(r->parser, XML_FALSE);
}

static bool
is_word(const char *s)
{
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

bool
aws_error_read(struct aws_error *e, const char *text, size_t n)
{
	struct reading r = { .error = e };
	bool whole;

	memset(e, 0, sizeof(*e));
	r.parser = XML_ParserCreate(NULL);
	if (r.parser == NULL || n > AWS_ERROR_MAX)
		abort();
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, begin_element, end_element);
	XML_SetCharacterDataHandler(r.parser, take_text);
	XML_SetStartDoctypeDeclHandler(r.parser, refuse_doctype);
	whole = XML_Parse(r.parser, n > 0 ? text : "", (int)n, XML_TRUE) ==
		XML_STATUS_OK;
	XML_ParserFree(r.parser);
	/* They become part of log lines and host names. */
	if (!is_word(e->code))
		e->code[0] = '\0';
	if (!is_word(e->region))
		e->region[0] = '\0';
	return whole;
}

/* Does text begin with word, as far as it goes? */
static bool
may_be(const char *text, size_t n, const char *word)
{
	const size_t len = strlen(word);

	return memcmp(text, word, n < len ? n : len) == 0;
}

/* Behind the first piece that is neither element nor text: white space, an XML
 * declaration, a comment. text itself if there is none, NULL if it is not
 * complete. */
static const char *
skip_one(const char *text, size_t n)
{
	static const struct {
		const char *begin, *end;
	} pieces[] = { { "\xef\xbb\xbf", "\xbf" }, { "<?", "?>" },
		       { "<!--", "-->" } };

	if (n > 0 && *text != '\0' && strchr(" \t\r\n", *text) != NULL)
		return text + 1;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		const size_t begin = strlen(pieces[i].begin);
		const size_t end = strlen(pieces[i].end);
		const char *at;

		if (n < 2 || !may_be(text, n, pieces[i].begin))
			continue;
		if (n < begin)
			return NULL;
		at = memmem(text, n, pieces[i].end, end);
		return at != NULL ? at + end : NULL;
	}
	return text;
}

enum aws_root
aws_error_root(const char *text, size_t n)
{
	const char *const end = text + n;
	const char *next = text;

	do {
		text = next;
		next = skip_one(text, (size_t)(end - text));
	} while (next != NULL && next != text);
	n = (size_t)(end - text);
	if (next == NULL)
		return AWS_ROOT_UNKNOWN;
	if (!may_be(text, n, "<Error") && !may_be(text, n, "\xef\xbb\xbf"))
		return AWS_ROOT_OTHER;
	if (n < sizeof("<Error"))	/* with the byte behind it */
		return AWS_ROOT_UNKNOWN;
	return text[6] != '\0' && strchr(" \t\r\n/>", text[6]) != NULL ?
		       AWS_ROOT_ERROR : AWS_ROOT_OTHER;
}
