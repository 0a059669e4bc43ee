#include <config.h>

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "relayed.h"
#include "span.h"

static bool
span_copy(struct span s, char *out, size_t room)
{
	if (span_len(s) >= room)
		return false;
	memcpy(out, s.at, span_len(s));
	out[span_len(s)] = '\0';
	return true;
}

/* The text of [ADDRESS] as inet_ntop(3) writes it. */
static bool
read_ip(struct span s, char *out, size_t room)
{
	static const char v6[] = "IPv6:";
	const size_t n = sizeof(v6) - 1;
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	int family;

	if (span_len(s) > n && strncasecmp(s.at, v6, n) == 0)
		s.at += n;
	if (memchr(s.at, '\0', span_len(s)) != NULL ||
	    !span_copy(s, text, sizeof(text)))
		return false;
	family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(family, text, bytes) == 1 &&
	       inet_ntop(family, bytes, out, (socklen_t)room) != NULL;
}

/* "NAME [ADDRESS]" or "[ADDRESS]": ends in a bracket, whoever wrote it. */
static bool
has_address(struct span comment, struct span *address_r)
{
	const char *open;

	if (span_len(comment) < 2 || comment.end[-1] != ']')
		return false;
	open = memrchr(comment.at, '[', span_len(comment));
	if (open == NULL)
		return false;
	*address_r = (struct span){ .at = open + 1, .end = comment.end - 1 };
	return true;
}

static bool
has_any(struct span s, const char *bytes)
{
	for (const char *p = s.at; p < s.end; p++)
		if (*p != '\0' && strchr(bytes, *p) != NULL)
			return true;
	return false;
}

/* The comments behind HELO: one of them, only one, has the address. */
static bool
read_client(struct span *in, struct relayed *r)
{
	struct span comment, address;
	bool found = false;

	while (span_comment(in, &comment)) {
		if (has_any(comment, "\\"))
			return false;
		if (!has_address(comment, &address))
			continue;
		if (found || has_any(comment, "()") ||
		    !read_ip(address, r->ip, sizeof(r->ip)))
			return false;
		found = true;
	}
	return found;
}

/* No part of a comment or of a quoted string that began elsewhere. */
static bool
is_whole(struct span word)
{
	size_t quotes = 0;

	for (const char *p = word.at; p < word.end; p++)
		quotes += *p == '"';
	return quotes % 2 == 0 && !has_any(word, ")\\;") &&
	       memchr(word.at, '\0', span_len(word)) == NULL;
}

static bool
is_tls(struct span protocol)
{
	static const char *const names[] = {
		"ESMTPS", "ESMTPSA", "UTF8SMTPS", "UTF8SMTPSA",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(protocol, names[i]))
			return true;
	return false;
}

/* All words up to the semicolon are clauses with a value, in their order. */
static bool
read_clauses(struct span *in, struct relayed *r)
{
	struct span word, value;
	int last = -1;

	while (span_word(in, &word) && *word.at != ';') {
		enum clause c = span_clause(word);

		if (c == CLAUSES || (int)c <= last ||
		    (last < 0 && c != CLAUSE_FROM) ||
		    !span_word(in, &value) || !is_whole(value))
			return false;
		last = (int)c;
		if (c == CLAUSE_FROM) {
			if (!span_copy(value, r->helo, sizeof(r->helo)))
				r->helo[0] = '\0';
			if (!read_client(in, r))
				return false;
		} else if (c == CLAUSE_BY) {
			if (!span_copy(value, r->by, sizeof(r->by)))
				return false;
		} else if (c == CLAUSE_WITH) {
			r->tls = is_tls(value);
		}
	}
	return r->by[0] != '\0' && span_ends(*in);
}

bool
relayed_read(const struct head *h, struct relayed *r_r)
{
	const struct head_field *f = head_next(h, "Received", NULL);
	struct span in;

	memset(r_r, 0, sizeof(*r_r));
	if (f == NULL)
		return false;
	in = (struct span){ .at = f->value, .end = f->value + f->value_n };
	if (read_clauses(&in, r_r))
		return true;
	memset(r_r, 0, sizeof(*r_r));
	return false;
}
