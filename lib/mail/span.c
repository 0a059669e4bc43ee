#include <config.h>

#include <string.h>
#include <strings.h>

#include "span.h"

static const char *const clause_names[CLAUSES] = {
	"from", "by", "via", "with", "id", "for",
};

size_t
span_len(struct span s)
{
	return (size_t)(s.end - s.at);
}

bool
span_is(struct span s, const char *word)
{
	size_t n = strlen(word);

	return span_len(s) == n && strncasecmp(s.at, word, n) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_comment(struct span *in)
{
	size_t depth = 0;

	do {
		char c = *in->at++;

		if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
		else if (c == '\\' && in->at < in->end)
			in->at++;
	} while (depth > 0 && in->at < in->end);
	in->torn |= depth > 0;
}

static void
skip_blanks(struct span *in)
{
	while (in->at < in->end && is_blank(*in->at))
		in->at++;
}

bool
span_comment(struct span *in, struct span *inside_r)
{
	skip_blanks(in);
	if (in->at == in->end || *in->at != '(')
		return false;
	*inside_r = (struct span){ .at = in->at + 1 };
	skip_comment(in);
	inside_r->end = in->torn ? in->end : in->at - 1;
	return true;
}

bool
span_word(struct span *in, struct span *word_r)
{
	struct span comment;

	while (span_comment(in, &comment))
		continue;
	if (in->at == in->end)
		return false;
	*word_r = (struct span){ .at = in->at++ };
	if (*word_r->at != ';')
		while (in->at < in->end && !is_blank(*in->at) &&
		       *in->at != ';' && *in->at != '(')
			in->at++;
	word_r->end = in->at;
	return true;
}

enum clause
span_clause(struct span word)
{
	enum clause c = CLAUSE_FROM;

	while (c < CLAUSES && !span_is(word, clause_names[c]))
		c++;
	return c;
}

bool
span_ends(struct span in)
{
	struct span word;

	while (span_word(&in, &word))
		if (*word.at == ';')
			return false;
	return !in.torn;
}
