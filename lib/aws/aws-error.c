#include <config.h>

#include <stdio.h>
#include <string.h>

#include "aws-error.h"
#include "xml.h"

static const char *
behind(const char *path, const char *folder)
{
	const size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 ? path + n : NULL;
}

static int
take_element(void *owner, const char *path, const char *text, struct err *err)
{
	struct aws_error *e = owner;
	const char *name = behind(path, "Error/");
	const struct {
		const char *name;
		char *field;
		size_t size;
	} fields[] = {
		{ "Code", e->code, sizeof(e->code) },
		{ "Message", e->message, sizeof(e->message) },
		{ "Region", e->region, sizeof(e->region) },
	};

	(void)err;
	if (name == NULL)
		name = behind(path, "ErrorResponse/Error/");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (name != NULL && strcmp(name, fields[i].name) == 0 &&
		    fields[i].field[0] == '\0')
			snprintf(fields[i].field, fields[i].size, "%s", text);
	return 0;
}

/* They become part of log lines and host names. */
static void
drop_unless_word(char *s)
{
	if (s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789._-")] != '\0')
		s[0] = '\0';
}

bool
aws_error_read(struct aws_error *e, const char *text, size_t n)
{
	const struct xml_reader reader = { .owner = e,
					   .element = take_element };
	struct xml *x = xml_new(&reader);
	struct err why;
	bool whole;

	memset(e, 0, sizeof(*e));
	whole = xml_add(x, text, n, &why) == 0 && xml_end(x, &why) == 0;
	xml_free(x);
	drop_unless_word(e->code);
	drop_unless_word(e->region);
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
