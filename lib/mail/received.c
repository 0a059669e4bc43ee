#include <config.h>

#include <string.h>
#include <strings.h>
#include <time.h>

#include "head.h"
#include "received.h"
#include "span.h"

#define DATE_MAX ((size_t)64)
#define YEAR_2000 INT64_C(946684800)
#define YEAR_2100 INT64_C(4102444800)

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static bool
is_ses_host(struct span s)
{
	static const char start[] = "inbound-smtp.";
	const size_t n = sizeof(start) - 1;

	if (span_len(s) <= n || strncasecmp(s.at, start, n) != 0)
		return false;
	s.at += n;
	if (!is_alnum(*s.at))
		return false;
	while (s.at < s.end && (is_alnum(*s.at) || *s.at == '-'))
		s.at++;
	return span_is(s, ".amazonaws.com") || span_is(s, ".amazonaws.com.cn");
}

static void
read_id(struct span s, char *out, size_t size)
{
	size_t n = span_len(s);

	if (n >= size)
		return;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s.at[i]) && memchr("._-", s.at[i], 3) == NULL)
			return;
	memcpy(out, s.at, n);
	out[n] = '\0';
}

/*
 * Quoted local parts and address literals count as unknown: nobody is served
 * by guessing where they end.
 */
static void
read_address(struct span s, char *out, size_t size)
{
	const char *sign = NULL;

	if (span_len(s) >= 2 && s.at[0] == '<' && s.end[-1] == '>') {
		s.at++;
		s.end--;
	}
	if (span_len(s) >= size)
		return;
	for (const char *p = s.at; p < s.end; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"\\<>()[],:;", *p))
			return;
		if (*p != '@')
			continue;
		if (sign != NULL)
			return;
		sign = p;
	}
	if (sign == NULL || sign == s.at || sign + 1 == s.end)
		return;
	memcpy(out, s.at, span_len(s));
	out[span_len(s)] = '\0';
}

/* Days since 1970 of a Gregorian date: timegm(3) reads the time zone file. */
static int64_t
days_since_1970(int64_t year, int month, int day)
{
	static const int before[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334,
	};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400 - 719162 +
	       before[month] + (month > 1 && leap) + day - 1;
}

static bool
read_zone(const char *s, int64_t *seconds_r)
{
	int digits = 0, value = 0;

	*seconds_r = 0;
	if (strcasecmp(s, "GMT") == 0 || strcasecmp(s, "UTC") == 0 ||
	    strcasecmp(s, "UT") == 0)
		return true;
	if (*s != '+' && *s != '-')
		return false;
	for (const char *p = s + 1; *p >= '0' && *p <= '9'; p++, digits++) {
		if (digits == 4)
			return false;
		value = value * 10 + (*p - '0');
	}
	if (digits != 4 || s[5] != '\0' || value % 100 > 59)
		return false;
	*seconds_r = (value / 100 * 60 + value % 100) * 60;
	if (*s == '-')
		*seconds_r = -*seconds_r;
	return true;
}

/* RFC 5322, 3.3, without the obsolete two-digit years. */
static int64_t
read_date(struct span in)
{
	char text[DATE_MAX];
	size_t n = 0;
	struct span word;
	struct tm t = { 0 };
	const char *rest;
	int64_t days, zone, when;

	while (span_word(&in, &word)) {
		if (n + span_len(word) + 2 > sizeof(text) ||
		    memchr(word.at, '\0', span_len(word)) != NULL)
			return 0;
		if (n > 0)
			text[n++] = ' ';
		memcpy(text + n, word.at, span_len(word));
		n += span_len(word);
	}
	text[n] = '\0';
	rest = strptime(text, "%a, %d %b %Y %H:%M:%S ", &t);
	if (rest == NULL)
		rest = strptime(text, "%d %b %Y %H:%M:%S ", &t);
	if (rest == NULL || !read_zone(rest, &zone))
		return 0;
	days = days_since_1970((int64_t)t.tm_year + 1900, t.tm_mon, t.tm_mday);
	if (t.tm_mon < 11 && days >= days_since_1970((int64_t)t.tm_year + 1900,
						     t.tm_mon + 1, 1))
		return 0;
	when = ((days * 24 + t.tm_hour) * 60 + t.tm_min) * 60 + t.tm_sec - zone;
	return when >= YEAR_2000 && when < YEAR_2100 ? when : 0;
}

/* Reads up to the semicolon. False when the line is not SES's, or when a
 * clause stands where only a HELO name with blanks could have put it. */
static bool
read_clauses(struct span *in, struct received *r)
{
	struct span word, value;
	int last = -1;

	while (span_word(in, &word) && *word.at != ';') {
		enum clause c = span_clause(word);

		if (c == CLAUSES) {
			if (last == CLAUSE_FOR)
				r->recipient[0] = '\0';
			continue;
		}
		if ((int)c <= last || !span_word(in, &value) ||
		    *value.at == ';')
			return false;
		last = (int)c;
		if (c == CLAUSE_BY && !is_ses_host(value))
			return false;
		if (c == CLAUSE_BY)
			r->found = true;
		else if (c == CLAUSE_ID)
			read_id(value, r->id, sizeof(r->id));
		else if (c == CLAUSE_FOR)
			read_address(value, r->recipient,
				     sizeof(r->recipient));
	}
	return r->found && span_ends(*in);
}

/* The next field is of that name: its value. */
static bool
read_field(const char **at, const char *end, const char *name,
	   struct span *value_r)
{
	struct head_field f;
	const char *next = *at;

	if (!head_cut(&next, end, &f) || !head_is(&f, name))
		return false;
	*value_r = (struct span){ .at = f.value, .end = f.value + f.value_n };
	*at = next;
	return true;
}

void
received_read(const char *head, size_t len, struct received *r_r)
{
	const char *at = head, *end;
	struct span value, word;

	memset(r_r, 0, sizeof(*r_r));
	if (len > RECEIVED_HEAD_MAX)
		len = RECEIVED_HEAD_MAX;
	while (len > 0 && head[len - 1] != '\n')
		len--;
	end = head + len;
	if (read_field(&at, end, "Return-Path", &value) &&
	    span_word(&value, &word))
		read_address(word, r_r->sender, sizeof(r_r->sender));
	if (!read_field(&at, end, "Received", &value) ||
	    !read_clauses(&value, r_r)) {
		memset(r_r, 0, sizeof(*r_r));
		return;
	}
	r_r->arrival = read_date(value);
}
