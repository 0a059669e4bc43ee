#include <config.h>

#include <ctype.h>
#include <string.h>

#include "reply.h"

/* Three digits. */
static bool
is_code(const char *s)
{
	return s != NULL && strlen(s) == 3 && (*s == '4' || *s == '5') &&
		strspn(s, "0123456789") == 3;
}

/* X.Y.Z, one to three digits behind each dot. */
static bool
is_status(const char *s)
{
	static const char digits[] = "0123456789";
	size_t n;

	if (s == NULL || (*s != '4' && *s != '5') || s[1] != '.')
		return false;
	s += 2;
	n = strspn(s, digits);
	if (n < 1 || n > 3 || s[n] != '.')
		return false;
	s += n + 1;
	n = strspn(s, digits);
	return n >= 1 && n <= 3 && s[n] == '\0';
}

static void
set_codes(struct reply *r, const char *code, const char *status)
{
	/* 421 makes Postfix hang up, whatever else was meant. */
	if (code == NULL && is_status(status))
		code = *status == '4' ? "451" : "550";
	else if (code != NULL && strcmp(code, "421") == 0)
		code = "451";
	if (status == NULL && is_code(code))
		status = *code == '4' ? "4.7.1" : "5.7.1";
	if (!is_code(code) || !is_status(status) || *code != *status) {
		code = "550";
		status = "5.7.1";
	}
	memcpy(r->code, code, 4);
	memcpy(r->status, status, strlen(status) + 1);
}

void
reply_set(struct reply *r, const char *code, const char *status,
	  const char *text)
{
	size_t n = 0;

	*r = (struct reply){ .code = "" };
	set_codes(r, code, status);
	text += strspn(text, "\r\n\t ");
	for (; *text != '\0' && *text != '\r' && *text != '\n'; text++)
		if (n + 1 < sizeof(r->text))
			r->text[n++] = *text == '\t' ? ' '
				: isascii((unsigned char)*text) &&
					isprint((unsigned char)*text)
				? *text
				: '?';
	while (n > 0 && r->text[n - 1] == ' ')
		r->text[--n] = '\0';
}

bool
reply_is_permanent(const struct reply *r)
{
	return r->code[0] == '5';
}

void
reply_escape(const struct reply *r, char out[2 * REPLY_TEXT_MAX])
{
	for (const char *p = r->text; *p != '\0'; p++) {
		if (*p == '%')
			*out++ = '%';
		*out++ = *p;
	}
	*out = '\0';
}
