#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "verdict-show.h"

const char *const disposition_names[] = {
	[DISPOSITION_ACCEPT] = "ACCEPT",
	[DISPOSITION_DROP] = "DROP",
	[DISPOSITION_QUARANTINE] = "QUARANTINE",
	[DISPOSITION_REJECT] = "REJECT",
	[DISPOSITION_TEMPFAIL] = "TEMPFAIL",
};

static const char *const by_names[] = {
	[TRAFFIC_BY_STATEMENT] = "STATEMENT",
	[TRAFFIC_BY_DEFAULT] = "DEFAULT",
	[TRAFFIC_BY_SIZE] = "SIZE",
};

/* Bytes of the character at s (RFC 3629, 4), 0: it is none. */
static size_t
utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	if (*s == 0xe0)
		low = 0xa0;
	else if (*s == 0xed)
		high = 0x9f;
	else if (*s == 0xf0)
		low = 0x90;
	else if (*s == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* A file's name may be any bytes; those that are no UTF-8 become U+FFFD. */
static void
print_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putchar('"');
	while (*s != '\0') {
		size_t n = utf8_length(s);

		if (n == 0) {
			fputs("\\ufffd", stdout);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			printf("\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			printf("\\u%04x", *s);
		} else if (*s == 0xc2 && s[1] < 0xa0) {
			/* Terminals obey these control characters, too. */
			printf("\\u%04x", s[1]);
		} else {
			fwrite(s, 1, n, stdout);
		}
		s += n;
	}
	putchar('"');
}

static void
print_strings(const char *const *all, size_t n)
{
	putchar('[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			putchar(',');
		print_string(all[i]);
	}
	putchar(']');
}

static void
print_rule(const struct trail_step *rule)
{
	fputs("{\"name\":", stdout);
	print_string(rule->name);
	printf(",\"index\":%zu,\"matched\":%s,\"actions\":", rule->index,
	       rule->matched ? "true" : "false");
	print_strings(rule->actions, rule->actions_n);
	putchar('}');
}

static void
print_traffic(const struct verdict_recipient *r)
{
	printf("{\"verdict\":\"%s\",\"by\":\"%s\",\"statement\":",
	       r->allowed ? "ALLOW" : "DENY", by_names[r->by]);
	if (r->by == TRAFFIC_BY_STATEMENT)
		printf("%zu}", r->statement);
	else
		fputs("null}", stdout);
}

static void
print_recipient(const struct verdict_recipient *r)
{
	fputs("{\"recipient\":", stdout);
	print_string(r->recipient);
	fputs(",\"traffic\":", stdout);
	print_traffic(r);
	fputs(",\"rules\":[", stdout);
	for (size_t i = 0; i < r->rules_n; i++) {
		if (i > 0)
			putchar(',');
		print_rule(&r->rules[i]);
	}
	printf("],\"disposition\":\"%s\",\"recipients_after\":",
	       disposition_names[r->disposition]);
	print_strings(r->after, r->after_n);
	putchar('}');
}

void
verdict_json(const char *message, const struct verdict *v)
{
	fputs("{\"message\":", stdout);
	print_string(message);
	fputs(",\"recipients\":[", stdout);
	for (size_t i = 0; i < v->recipients_n; i++) {
		if (i > 0)
			putchar(',');
		print_recipient(&v->recipients[i]);
	}
	fputs("]}\n", stdout);
}
