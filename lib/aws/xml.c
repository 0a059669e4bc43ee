#include <config.h>

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "xml.h"

#define PATH_SIZE 512

struct xml {
	XML_Parser parser;
	const struct xml_reader *reader;
	struct err *e;		/* of the call in work */
	bool failed;
	size_t bytes;
	int depth;
	size_t starts[XML_DEPTH_MAX];	/* where each name begins in path */
	char path[PATH_SIZE];
	size_t path_len;
	char text[XML_TEXT_MAX + 1];
	size_t text_len;
};

static void
give_up(struct xml *x)
{
	x->failed = true;
	XML_StopParser(x->parser, XML_FALSE);
}

static void
refuse(struct xml *x, const char *what)
{
	if (x->failed)
		return;
	err_set(x->e, ERR_TEMP, "the answer %s", what);
	give_up(x);
}

static void XMLCALL
on_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
	   const XML_Char *public_id, int internal)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)internal;
	refuse(data, "has a DOCTYPE, as no S3 server sends it");
}

static void XMLCALL
on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct xml *x = data;
	const char *local = strrchr(name, ':');
	size_t n;

	(void)attributes;
	local = local ? local + 1 : name;
	n = strlen(local);
	if (x->failed)
		return;
	if (x->depth == XML_DEPTH_MAX ||
	    x->path_len + n + 2 > sizeof(x->path)) {
		refuse(x, "is nested too deeply");
		return;
	}
	x->starts[x->depth++] = x->path_len;
	if (x->path_len > 0)
		x->path[x->path_len++] = '/';
	memcpy(x->path + x->path_len, local, n + 1);
	x->path_len += n;
	x->text_len = 0;
}

static void XMLCALL
on_text(void *data, const XML_Char *text, int n)
{
	struct xml *x = data;

	if (x->failed)
		return;
	if ((size_t)n > XML_TEXT_MAX - x->text_len) {
		refuse(x, "holds a text that is too long");
		return;
	}
	memcpy(x->text + x->text_len, text, (size_t)n);
	x->text_len += (size_t)n;
}

static void XMLCALL
on_end(void *data, const XML_Char *name)
{
	struct xml *x = data;

	(void)name;
	if (x->failed)
		return;
	x->text[x->text_len] = '\0';
	if (x->reader->element(x->reader->owner, x->path, x->text,
			       x->e) < 0) {
		give_up(x);
		return;
	}
	x->path_len = x->starts[--x->depth];
	x->path[x->path_len] = '\0';
	x->text_len = 0;
}

struct xml *
xml_new(const struct xml_reader *r)
{
	struct xml *x = mem_alloc(sizeof(*x));

	x->reader = r;
	x->parser = XML_ParserCreate(NULL);
	if (x->parser == NULL)
		abort();
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	return x;
}

void
xml_free(struct xml *x)
{
	if (x == NULL)
		return;
	XML_ParserFree(x->parser);
	free(x);
}

static int
parse(struct xml *x, const void *data, size_t n, int last, struct err *e)
{
	if (x->failed)
		return err_set(e, ERR_TEMP, "the answer cannot be read");
	x->e = e;
	if (XML_Parse(x->parser, data, (int)n, last) != XML_STATUS_ERROR &&
	    !x->failed)
		return 0;
	if (!x->failed)
		err_set(e, ERR_TEMP, "the answer is no well-formed XML (line "
			"%lu: %s)",
			(unsigned long)XML_GetCurrentLineNumber(x->parser),
			XML_ErrorString(XML_GetErrorCode(x->parser)));
	x->failed = true;
	return -1;
}

int
xml_add(struct xml *x, const void *data, size_t n, struct err *e)
{
	if (n > XML_MAX - x->bytes)
		return err_set(e, ERR_TEMP, "the answer is longer than %zu "
			       "MiB", XML_MAX >> 20);
	x->bytes += n;
	return parse(x, data, n, XML_FALSE, e);
}

int
xml_end(struct xml *x, struct err *e)
{
	return parse(x, "", 0, XML_TRUE, e);
}
